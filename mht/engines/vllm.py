"""vLLM inside the process: whole batches through `LLM.chat`, with a seed and a schema for each request.

Written against vLLM's documented interface (0.12 to 0.32: `LLM`, `chat`, `SamplingParams`, `StructuredOutputsParams`)
and tested with a stand-in for it; **not yet run on a GPU**. `vllm` is imported when an engine is made.

Prefix caching is on, and the image stands before the question, so that questions about one image share its tokens.
A batch's sums depend on who is in it: above temperature 0 the seed fixes the draws, not every last bit of the text.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mht.engines._chat import messages, said, unsendable
from mht.errors import ConfigError
from mht.generation import Failure, Heard, Reply, Request, Tell, silent
from mht.pretrained.bases import ADAPTER_CONFIG, CONFIG
from mht.pretrained.files import digest


class Params(BaseModel):
    """Which model, on how much of which GPUs.

    `model` is a folder, or a name on the Hub with its `revision`, a full commit id. `gpu_memory_utilization` is the
    share of a GPU's memory that vLLM takes when it starts, `max_model_len` the most tokens of prompt and reply (the
    model's own bound unless given), `tensor_parallel_size` the GPUs that hold one model. `batch_size` requests are
    handed to vLLM at once; it decides by itself how many of them run together.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    model: str = Field(min_length=1)
    revision: str | None = Field(default=None, pattern=r"^[0-9a-f]{40}$")
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    gpu_memory_utilization: float = Field(default=0.9, gt=0, lt=1)
    max_model_len: int | None = Field(default=None, ge=1)
    tensor_parallel_size: int = Field(default=1, ge=1)
    batch_size: int = Field(default=256, ge=1)


def check(params: Params) -> None:
    """Raises ConfigError when vLLM is not installed here, or the model's weights are not pinned."""
    if importlib.util.find_spec("vllm") is None:
        raise ConfigError("the vllm engine needs vllm: `pip install mht[vllm]`, on a machine with a GPU")
    _check_pinned(params)


def _check_pinned(params: Params) -> None:
    folder = Path(params.model)
    if (folder / ADAPTER_CONFIG).is_file() and not (folder / CONFIG).is_file():
        raise ConfigError(
            f"{params.model!r} is an adapter: merge it into its base first (`mht export-model RUN OUT merge=true`), or "
            "take the engine transformers"
        )
    if params.revision is None and not Path(params.model).is_dir():
        raise ConfigError(
            f"{params.model!r} is no folder: give the revision (a commit of the Hub) that is meant"
        )


def identity(params: Params) -> dict[str, Any]:
    """What decides the replies: weights, number format, and where a prompt is too long. Not how many GPUs share it.

    A folder is known by the digest of its content, wherever it lies.
    """
    folder = Path(params.model)
    named = params.model_dump(include={"model", "revision", "dtype", "max_model_len"})
    return named | {"model": digest(folder)} if folder.is_dir() else named


class Engine:
    """Loads the model when it is made. `vllm` is the module to use; tests pass their own."""

    def __init__(self, params: Params, vllm: Any = None) -> None:
        _check_pinned(params)
        if vllm is None:
            vllm = importlib.import_module("vllm")
            importlib.import_module("vllm.sampling_params")
        self._vllm = vllm
        self._params = params
        self._llm = vllm.LLM(
            model=params.model,
            revision=params.revision,
            tokenizer_revision=params.revision,
            trust_remote_code=False,
            dtype=params.dtype,
            gpu_memory_utilization=params.gpu_memory_utilization,
            max_model_len=params.max_model_len,
            tensor_parallel_size=params.tensor_parallel_size,
            enable_prefix_caching=True,
            limit_mm_per_prompt={"image": 1},
        )

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the model, with which its worker processes end."""
        self._llm = None

    def generate(self, requests: Sequence[Request], tell: Tell = silent) -> list[Reply]:
        """A reply for each request, in their order. What vLLM raises beyond one request's fault goes through."""
        replies: list[Reply] = []
        for start in range(0, len(requests), self._params.batch_size):
            batch = requests[start : start + self._params.batch_size]
            refused = {place: reply for place, request in enumerate(batch) if (reply := unsendable(request))}
            asked = iter(self._chat([request for place, request in enumerate(batch) if place not in refused]))
            ready = [refused.get(place) or next(asked) for place in range(len(batch))]
            replies += ready
            tokens = sum(reply.tokens for reply in ready)
            tell(Heard(len(ready), tokens, len(requests) - len(replies), tuple(ready)))
        return replies

    def _chat(self, batch: list[Request], calls: int = 1) -> list[Reply]:
        """One pass of the batch; of one that cannot be run, each half for itself, down to the request at fault.

        vLLM refuses a whole batch, before it runs any of it, for one prompt that is too long.
        """
        if not batch:
            return []
        try:
            outputs = self._llm.chat(
                [messages(request) for request in batch],
                sampling_params=[self._sampling(request) for request in batch],
                use_tqdm=False,
            )
        except (ValueError, RuntimeError) as error:
            failure = _fault(error)
            if failure is None:
                raise
            if len(batch) == 1:
                return [Reply(batch[0].request_id, None, failure, _SAYS[failure], calls=calls)]
            middle = len(batch) // 2
            return self._chat(batch[:middle], calls + 1) + self._chat(batch[middle:], calls + 1)
        return [_reply(request, output, calls) for request, output in zip(batch, outputs, strict=True)]

    def _sampling(self, request: Request) -> Any:
        structured = None
        if request.schema is not None:
            structured = self._vllm.sampling_params.StructuredOutputsParams(json=dict(request.schema))
        return self._vllm.SamplingParams(
            max_tokens=request.max_tokens,
            temperature=request.temperature,
            top_p=request.top_p,
            seed=request.seed,
            structured_outputs=structured,
        )


_SAYS = {
    Failure.OUT_OF_MEMORY: "the GPU's memory did not hold this request by itself",
    Failure.PROMPT_TOO_LONG: "more tokens than max_model_len, image included",
    Failure.NOT_ACCEPTED: "vLLM did not take the request",
}


def _fault(error: Exception) -> Failure | None:
    """The failure of the one request behind an error; None when the error is not a request's.

    By the class's name, so that torch need not be here. The error's text may quote the prompt and is not kept.
    """
    if type(error).__name__ == "OutOfMemoryError":
        return Failure.OUT_OF_MEMORY
    if not isinstance(error, ValueError):
        return None
    says = str(error).lower()
    too_long = "model length" in says or "max_model_len" in says or "context length" in says
    return Failure.PROMPT_TOO_LONG if too_long else Failure.NOT_ACCEPTED


def _reply(request: Request, output: Any, calls: int) -> Reply:
    """vLLM's RequestOutput as a reply: one completion each, as we ask for one."""
    completion = output.outputs[0]
    told: tuple[str | None, Failure | None, str]
    if completion.finish_reason in ("abort", "error"):
        told = None, Failure.SERVER_ERROR, f"vLLM ended it: {completion.finish_reason}"
    else:
        told = said(completion.text, completion.finish_reason, request.cut_ok)
    return Reply(
        request.request_id,
        *told,
        prompt_tokens=len(output.prompt_token_ids or ()),
        tokens=len(completion.token_ids),
        calls=calls,
    )
