"""What the processes of the tests need and start with."""

import torch._dynamo
import torch.distributed.fsdp  # noqa: F401

import tests.model.runs  # noqa: F401
