"""Reading many objects: rounds of attempts, until each request has its bytes or a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from mht.records import Refusal
from mht.storage.failures import Failure, Kind, as_error, classify
from mht.storage.objects import Attempted, Bodies, ReadRequest, Stat, missing, unreadable
from mht.storage.patience import Errors, Patience

_ATTEMPTS = 8
"""After so many failures of an object, with the store answering otherwise, the object is given up."""

_ALL_REFUSED = 4
"""So many objects refused, and none read, is a right that is lacking and not a property of an object."""


class Reader(Protocol):
    """What reading needs of a backend."""

    errors: Errors

    def get(self, requests: Sequence[ReadRequest]) -> Attempted: ...
    def stat(self, uri: str) -> Stat: ...
    def probe_list(self, prefix: str) -> bool: ...


class ManyReads:
    """The state of one `read_many`: what is done, what is to be tried again, and who has answered."""

    def __init__(self, backend: Reader, requests: Sequence[ReadRequest], patience: Patience) -> None:
        self._backend = backend
        self._requests = requests
        self._patience = patience
        self._out: Bodies = [missing()] * len(requests)
        self._forbidden: list[Failure] = []
        self._witness: str | None = None
        self._failures: Counter[int] = Counter()
        self._answered = 0

    def run(self) -> Bodies:
        """Bytes or a refusal for each request; raises StorageOutage or StorageDenied for the whole store."""
        pending = list(range(len(self._requests)))
        trial = None
        silent = 0
        while pending:
            before = self._answered
            # while nothing answers, one request at a time asks whether the store is back
            tried = [pending[silent % len(pending)]] if silent else pending
            again = self._round(tried)
            pending = [index for index in pending if index in again or index not in tried]
            if not again:
                silent = 0
                continue
            if self._answered != before or trial is None:
                trial = self._patience.trial(self._requests[pending[0]].uri, "read")
            silent = 0 if self._answered != before else silent + 1
            pending = self._give_up(pending, again)
            if pending:
                trial.failed(*next(iter(again.values())))
        if self._forbidden and len(self._forbidden) == len(self._requests):
            self._refuse_store()
        return self._out

    def _round(self, tried: Sequence[int]) -> dict[int, tuple[Failure, Exception]]:
        """One attempt at each; what is worth another attempt comes back."""
        again = {}
        results = self._backend.get([self._requests[i] for i in tried])
        for index, result in zip(tried, results, strict=True):
            if isinstance(result, bytes):
                self._out[index] = result
                self._witness = self._requests[index].uri
            elif isinstance(result, Refusal):
                self._out[index] = result
            else:
                failure = classify(result)
                if failure.kind is Kind.TRANSIENT:
                    again[index] = (failure, result)
                    self._failures[index] += 1
                    continue
                self._out[index] = self._refuse(failure, self._requests[index], result)
            self._answered += 1
        return again

    def _give_up(self, pending: list[int], again: dict[int, tuple[Failure, Exception]]) -> list[int]:
        """Refuses what failed too often while the store answers otherwise; the rest comes back."""
        tired = [index for index in again if self._failures[index] >= _ATTEMPTS]
        if not tired or not self._answers():
            return pending
        for index in tired:
            failure, _ = again[index]
            self._out[index] = unreadable(f"failed {self._failures[index]} times, last {failure.detail}")
        return [index for index in pending if index not in tired]

    def _refuse(self, failure: Failure, request: ReadRequest, cause: Exception) -> Refusal:
        """A property of the object as a refusal; one of the store is raised."""
        if failure.kind in (Kind.DENIED, Kind.NO_STORE, Kind.FULL):
            raise as_error(failure, request.uri, "read") from cause
        if failure.kind is Kind.MISSING:
            return missing()
        if failure.kind is Kind.FORBIDDEN:
            self._forbidden.append(failure)
        return unreadable(failure.detail)

    def _answers(self) -> bool:
        """Whether the store still knows an object that it gave us before."""
        if self._witness is None:
            return False
        try:
            self._backend.stat(self._witness)
        except self._backend.errors as error:
            return classify(error).kind is Kind.MISSING
        return True

    def _refuse_store(self) -> None:
        """Raises StorageDenied when it is the folder, not a few objects in it, that may not be read."""
        uri = self._requests[0].uri
        few = len(self._forbidden) < _ALL_REFUSED
        if few and self._lists(uri.rpartition("/")[0]):
            return
        raise as_error(self._forbidden[0], uri, "read")

    def _lists(self, folder: str) -> bool:
        try:
            return self._backend.probe_list(folder)
        except self._backend.errors as error:
            return classify(error).kind is not Kind.FORBIDDEN
