"""What the processes of the tests need and start with."""

import torch._dynamo
import torch.distributed.checkpoint.state_dict_saver
import torch.distributed.fsdp  # noqa: F401
from transformers import (  # noqa: F401
    AutoProcessor,
    CLIPVisionModel,
    LlamaModel,
    LlavaForConditionalGeneration,
    LlavaProcessor,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil  # noqa: F401

import tests.model.ranked
import tests.model.runs
import tests.training.ranked  # noqa: F401
