"""A vision-language or language model in this process, through transformers: local GPU, or CPU for small ones.

Requests with equal image and system prompt share the computation of what their prompts begin with. Replies are decoded
in batches; a batch that does not fit in memory is halved, and what does not fit alone is a failure of its own. At
temperature 0 a request gets the same text in any batch, above it the same draws; up to the device's rounding, which may
depend on the shape of a batch.

`Request.schema` is not held to: nothing constrains the decoding, whoever asks checks the reply.
"""

from __future__ import annotations

import gc
import importlib.util
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mht.errors import ConfigError
from mht.generation import Failure, Heard, Reply, Request, Tell, silent
from mht.pretrained.bases import check_base, check_commit, meant
from mht.pretrained.files import check_folder, digest, is_commit, local_folder

if TYPE_CHECKING:
    from mht.engines._flights import Ended, Way
    from mht.engines._model import Loaded
    from mht.engines._prompts import Prompt

_log = logging.getLogger(__name__)
_NEEDED = ("torch", "transformers", "safetensors")


class Params(BaseModel):
    """Which model, and how it is run.

    `model` is a folder or a hub id; a hub id needs `revision`, a full commit id. `adapter` is a folder with a PEFT
    adapter, merged into the weights; given as `model` it stands for itself and the base that it names, and the folder
    of a training run for the run's final model. `device` auto is CUDA where there is one; `dtype` auto is bfloat16
    there and float32 on the CPU. `batch_size` bounds the replies decoded together, of which up to twice as many fit
    where they share images, and the images read together; it is halved when memory does not suffice.
    `trust_remote_code` runs Python from the hub, and so needs the pinned revision.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    model: str = Field(min_length=1)
    revision: str | None = None
    adapter: str | None = None
    device: str = Field(default="auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$")
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    batch_size: int = Field(default=8, ge=1, le=1024)
    trust_remote_code: bool = False

    @model_validator(mode="after")
    def _pinned(self) -> Self:
        if self.revision is not None and not is_commit(self.revision):
            raise ValueError("revision is a full commit id of 40 hex digits; a branch or a tag can be moved")
        if self.trust_remote_code and self.revision is None:
            raise ValueError("trust_remote_code runs the hub's code: pin it with revision, a full commit id")
        return self


def resolved(params: Params) -> Params:
    """With base and adapter apart where an adapter's or a run's folder was given. Raises what `bases.meant` raises."""
    told = meant(params.model, params.revision, params.adapter)
    more = {"model": told.model, "revision": told.revision, "adapter": told.adapter}
    return params.model_copy(update=more)


def check(params: Params) -> None:
    """What is missing, said before anything is loaded.

    Raises ConfigError for a package or a pinned revision, InputError for a folder that holds no model, IntegrityError
    for weights that cannot be used and for another base than the adapter's.
    """
    params = resolved(params)
    needed = (*_NEEDED, "peft") if params.adapter else _NEEDED
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(f"engine transformers needs {', '.join(missing)}: pip install mht[transformers]")
    folder = local_folder(params.model)
    if folder is not None and params.revision is not None:
        raise ConfigError(f"{params.model} is a folder here and has no revision; leave revision out")
    if folder is None and params.revision is None:
        raise ConfigError(
            f"{params.model} is no folder here, and as a hub id it needs a revision, a full commit id"
        )
    if folder is not None:
        check_folder(folder)
    if params.adapter is not None:
        check_folder(Path(params.adapter), "adapter_config.json")
        if folder is not None:
            check_base(folder, Path(params.adapter), "model=PATH")
        elif params.revision is not None:
            check_commit(params.model, params.revision, Path(params.adapter))


def identity(params: Params) -> dict[str, str | None]:
    """What decides a reply beside the request: model, adapter, number format.

    A folder is known by the digest of its content, wherever it lies. `dtype` is the one asked for: auto on a GPU and
    on a CPU are two roundings of the same model.
    """
    params = resolved(params)
    folder = local_folder(params.model)
    return {
        "model": params.model if folder is None else digest(folder),
        "revision": params.revision,
        "adapter": None if params.adapter is None else digest(Path(params.adapter)),
        "dtype": params.dtype,
    }


class Engine:
    """A loaded model. `load` is the seam for a model that is in memory already, or another forward."""

    def __init__(self, params: Params, load: Callable[[Params], Loaded] | None = None) -> None:
        from mht.engines import _loading

        params = resolved(params) if load is None else params
        self._params = params
        self._loaded: Loaded | None = (load or _loading.load)(params)
        if not self.loaded.shares:
            kind = self.loaded.model.config.model_type
            _log.warning(
                "%s: sharing is not tested for %s; each question reads its image anew", params.model, kind
            )

    @property
    def loaded(self) -> Loaded:
        """The model in memory, till the engine is closed."""
        if self._loaded is None:
            raise RuntimeError("the engine is closed")
        return self._loaded

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the model's memory back."""
        import torch

        self._loaded = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def generate(self, requests: Sequence[Request], tell: Tell = silent) -> list[Reply]:
        """A reply to each request, in their order. `tell` hears of each batch, with its replies."""
        from mht.engines._plain import Plain
        from mht.engines._shared import Shared

        loaded = self.loaded
        read = loaded.reader.read(requests)
        return self._replies(
            read, self._ended(read, Shared(loaded) if loaded.shares else Plain(loaded), tell)
        )

    def likelihoods(
        self, requests: Sequence[Request], answers: Sequence[str] = ("Yes", "No"), tell: Tell = silent
    ) -> list[tuple[float, ...] | Failure]:
        """How likely each answer is as the reply's beginning, normalised over the answers, which sum to 1.

        By the sum of the log-probabilities of an answer's tokens as the chat template writes it behind the prompt. Why
        there is none is a Failure; one of the prompt is NOT_ACCEPTED.
        """
        from mht.engines._likelihood import weighing

        read = self.loaded.reader.read(requests)
        way = weighing(self.loaded, self._endings(read, answers))
        return _shares(read, self._ended(read, way, tell, replies=False))

    def generate_weighed(
        self, requests: Sequence[Request], answers: Sequence[str] = ("Yes", "No"), tell: Tell = silent
    ) -> tuple[list[Reply], list[tuple[float, ...] | Failure]]:
        """`generate` and `likelihoods` at once: what prompts begin with is computed once for both."""
        from mht.engines._likelihood import Telling

        if not self.loaded.shares:
            return self.generate(requests, tell), self.likelihoods(requests, answers)
        read = self.loaded.reader.read(requests)
        ended = self._ended(read, Telling(self.loaded, self._endings(read, answers)), tell)
        return self._replies(read, ended), _shares(read, ended)

    def _ended(
        self, read: Sequence[Prompt | Reply], way: Way, tell: Tell, replies: bool = True
    ) -> dict[int, Ended]:
        """What became of each prompt, by its place; whether these are `replies`, to be told as they come."""
        from mht.engines._flights import answered, grouped

        prompts = [one for one in read if not isinstance(one, Reply)]
        if len(prompts) < len(read):
            refused = tuple(one for one in read if isinstance(one, Reply))
            tell(Heard(len(refused), 0, len(prompts), refused if replies else ()))
        found: dict[int, Ended] = {}
        for batch in answered(grouped(prompts, self.loaded.shares), way, self._params.batch_size):
            found.update((ended.prompt.place, ended) for ended in batch)
            tokens, ready = (
                sum(len(ended.tokens) for ended in batch),
                map(self._told, batch if replies else ()),
            )
            tell(Heard(len(batch), tokens, len(prompts) - len(found), tuple(ready)))
        return found

    def _told(self, ended: Ended) -> Reply:
        """The reply as it is told at once, with its answers' probabilities where they were asked for."""
        from mht.engines._likelihood import Weighed

        shares = ended.shares() if isinstance(ended, Weighed) else None
        return replace(self._reply(ended), shares=shares if isinstance(shares, tuple) else None)

    def _replies(self, read: Sequence[Prompt | Reply], ended: Mapping[int, Ended]) -> list[Reply]:
        return [one if isinstance(one, Reply) else self._reply(ended[one.place]) for one in read]

    def _endings(
        self, read: Sequence[Prompt | Reply], answers: Sequence[str]
    ) -> dict[int, tuple[tuple[int, ...], ...]]:
        """The tokens of the answers behind each prompt, by its place."""
        reader = self.loaded.reader
        return {one.place: reader.endings(one, answers) for one in read if not isinstance(one, Reply)}

    def _reply(self, ended: Ended) -> Reply:
        """Tokens as text, or the failure in words."""
        prompt, failure = ended.prompt, ended.failure
        taken = failure is None or (failure is Failure.CUT_SHORT and prompt.request.cut_ok)
        text = self.loaded.reader.text_of(ended.tokens) or None if taken else None
        if text is None and failure is None:
            failure = Failure.EMPTY_REPLY
        detail = "" if failure is None else self._detail(ended, failure)
        failure = None if text is not None else failure
        return Reply(prompt.request.request_id, text, failure, detail, len(prompt.ids), len(ended.tokens))

    def _detail(self, ended: Ended, failure: Failure) -> str:
        length, context = len(ended.prompt.ids), self.loaded.context
        match failure:
            case Failure.PROMPT_TOO_LONG:
                return f"{length} tokens, and the model's context is {context}; shorten the prompt"
            case Failure.CUT_SHORT if length + len(ended.tokens) >= context:
                return f"no end where the context of {context} tokens was full; shorten the prompt"
            case Failure.CUT_SHORT:
                return f"no end after {len(ended.tokens)} tokens; raise max_tokens"
            case Failure.OUT_OF_MEMORY:
                return f"{length} tokens do not fit in memory alone; take a larger device or a smaller image"
            case Failure.NOT_FINITE:
                return f"the logits of token {len(ended.tokens) + 1} hold NaN or infinity; try dtype float32"
            case _:
                return "the model ended its reply before it said anything"


def _shares(read: Sequence[Prompt | Reply], ended: Mapping[int, Ended]) -> list[tuple[float, ...] | Failure]:
    """What was weighed, or why it was not."""
    from mht.engines._likelihood import Weighed

    found: list[tuple[float, ...] | Failure] = []
    for place in range(len(read)):
        one = ended.get(place)
        told = one.shares() if isinstance(one, Weighed) else one.failure if one is not None else None
        found.append(told or Failure.NOT_ACCEPTED)
    return found
