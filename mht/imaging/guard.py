"""Decoding at arm's length: a child process with limits, replaced when an image is too much for it."""

from __future__ import annotations

import os
import weakref
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType

from mht.errors import ConfigError
from mht.imaging import wire
from mht.imaging.params import ImagingParams
from mht.imaging.process import CHILD, Child, Gone, Silent
from mht.imaging.refused import Refused, check_bytes
from mht.records import NormalisedImage, Reason, Refusal

_STARTS = 2  # how often a child that does not come up is tried before the caller is told


@dataclass(frozen=True, slots=True)
class Decoded:
    """What became of one image and how many attempts it took."""

    result: NormalisedImage | Refusal
    attempts: int


class DecoderGuard:
    """Decodes batches of untrusted bytes in a child process; a context manager. For one thread at a time.

    The child starts with the guard and stays. It is killed when it dies, hangs or babbles; the image that it
    had in hand is tried once more, alone, in a new one, and is then refused (DECODER_CRASHED,
    DECODER_TIMEOUT, or OUT_OF_MEMORY). The batch's other images do not notice. `command` replaces the child
    in tests.
    """

    def __init__(self, params: ImagingParams, *, command: Sequence[str] = CHILD) -> None:
        self._keeper = _Keeper(params, command)
        self._keeper.child()
        self._batch: _Batch | None = None
        self._finalizer = weakref.finalize(self, self._keeper.close)

    def __enter__(self) -> DecoderGuard:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def child_pid(self) -> int:
        """The process id of the child that is there now."""
        return self._keeper.child().pid

    def normalise(self, batch: Sequence[bytes]) -> Iterator[Decoded]:
        """Hands the whole batch to the child at once; the iterator waits for one image at a time, in order.

        A batch that has not been iterated to its end when the next one comes is finished first, so the
        earlier iterator stays good. Raises ConfigError, here or while iterating, where no child can be
        started.
        """
        if self._batch is not None:
            self._batch.finish()
        self._batch = _Batch(batch, self, self._keeper)
        return self._batch

    def close(self) -> None:
        """Kills the child and frees the buffers. May be called twice."""
        self._finalizer()


class _Keeper:
    """The two buffers, the one child that is alive, if any, and what it was asked last."""

    def __init__(self, params: ImagingParams, command: Sequence[str]) -> None:
        self.params = params
        self.input_fd = wire.open_buffer("input")
        self.output_fd = wire.open_buffer("output")
        self._command = tuple(command)
        self._child: Child | None = None
        self._closed = False

    def child(self) -> Child:
        """The child, which may not have started yet; a new one in place of one that died in idleness."""
        self._check_open()
        if self._child is not None and self._child.has_died_idle():
            self.drop()
        if self._child is None:
            self._child = Child(self._command, self.params, self.input_fd, self.output_fd)
        return self._child

    def ask(self, first: int, count: int) -> None:
        """Gives images `first` to `first + count - 1` of the table to the child."""
        self._question = first, count
        self.child().ask(first, count)

    def answer(self, timeout_s: float) -> tuple[int, int, int]:
        """The next line of a child that has started; one that does not come up is replaced once."""
        self._check_open()
        assert self._child is not None
        for start in range(1, _STARTS + 1):
            try:
                self._child.await_ready()
                break
            except ConfigError:
                self.drop()
                if start == _STARTS:
                    raise
                self.ask(*self._question)
        return self._child.answer(timeout_s)

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError("the decoder guard is closed")

    def drop(self) -> None:
        """Kills the child, if there is one."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def close(self) -> None:
        """Kills the child and frees the buffers."""
        self._closed = True
        self.drop()
        os.close(self.input_fd)
        os.close(self.output_fd)


class _Batch(Iterator[Decoded]):
    """One batch on its way: the images still to come, and the results that nobody has fetched yet."""

    def __init__(self, images: Sequence[bytes], guard: DecoderGuard, keeper: _Keeper) -> None:
        self._params = params = keeper.params
        self._keeper = keeper
        self._guard: DecoderGuard | None = guard  # kept alive until the last image is in
        self._n = len(images)
        self._next = 0
        self._done: deque[Decoded] = deque()
        self._refused = {i: r for i, data in enumerate(images) if (r := _refuse(data, params)) is not None}
        self._slot = wire.slot_bytes(params)
        os.ftruncate(keeper.output_fd, self._n * self._slot)
        wire.write_batch(keeper.input_fd, [b"" if i in self._refused else d for i, d in enumerate(images)])
        self._ask(0, self._n)

    def __next__(self) -> Decoded:
        if self._done:
            return self._done.popleft()
        if self._next == self._n:
            raise StopIteration
        return self._advance()

    def finish(self) -> None:
        """Fetches what is still to come and keeps it for whoever iterates on."""
        while self._next < self._n:
            self._done.append(self._advance())

    def _ask(self, first: int, count: int) -> None:
        if count:
            self._keeper.ask(first, count)

    def _advance(self) -> Decoded:
        index = self._next
        decoded = self._settle(index)
        self._next += 1
        if self._next == self._n:
            # give the pages back, and keep nobody's image longer than it is needed
            os.ftruncate(self._keeper.input_fd, 0)
            os.ftruncate(self._keeper.output_fd, 0)
            self._guard = None
        refusal = self._refused.get(index)
        return decoded if refusal is None else Decoded(refusal, attempts=1)

    def _settle(self, index: int) -> Decoded:
        """The image's result; after an attempt that cost a child, that of a second, alone in a new one."""
        result, fatal = self._listen(index)
        if not fatal:
            return Decoded(result, attempts=1)
        self._keeper.drop()
        self._ask(index, 1)
        result, fatal = self._listen(index)
        if fatal:
            self._keeper.drop()
        self._ask(index + 1, self._n - index - 1)
        return Decoded(result, attempts=2)

    def _listen(self, index: int) -> tuple[NormalisedImage | Refusal, bool]:
        """The child's result for the image, and whether that child must not be used again."""
        try:
            line = self._keeper.answer(self._params.child_timeout_s)
            if line[0] != index:
                raise Gone("another image's number")
            result = wire.read_result(self._keeper.output_fd, line, self._slot, self._params)
        except Silent:
            limit = f"{self._params.child_timeout_s:g} s"
            detail = (
                f"decoding takes longer than {limit}. Raise imaging.child_timeout_s or leave the file out."
            )
            return Refusal(Reason.DECODER_TIMEOUT, detail), True
        except (Gone, wire.WireError):
            detail = "the decoder died of this file, twice. Leave the file out."
            return Refusal(Reason.DECODER_CRASHED, detail), True
        return result, isinstance(result, Refusal) and result.reason is Reason.OUT_OF_MEMORY


def _refuse(data: bytes, params: ImagingParams) -> Refusal | None:
    """A refusal that needs no decoder; such bytes are not copied to the child."""
    try:
        check_bytes(len(data), params)
    except Refused as refused:
        return refused.refusal
    return None
