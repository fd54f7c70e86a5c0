"""From files of rows to an index: each row understood once, put beside others about its image, or counted as unfit."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from mht.errors import ConfigError
from mht.model.examples import Turn
from mht.seeds import digest
from mht.storage import Storage
from mht.training.sources._data_files import DataFile, described, find_files, scan
from mht.training.sources._images import address_of, unusable
from mht.training.sources._index import Gathered, Index, Mark
from mht.training.sources._json import Place, Row
from mht.training.sources._unfit import LeftOut, Unfit

VALIDATION = "validation"


class FileParams(BaseModel):
    """Where the rows are: a file, a folder or a pattern with `*`, and what of them is trained on.

    A folder's Parquet files are taken, or else its JSON Lines, or else its JSON. Relative image paths start at
    `root`, which is the folder of the row's file unless it is given. A file's split is the one that its name or its
    folder's begins with, `train` if none; where no file is for validation, `validation_share` of the train split's
    images (at least one) can be held out. More than `max_bad` of the rows being unfit is an error.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    path: str = Field(min_length=1)
    root: str | None = Field(default=None, min_length=1)
    split: str = "train"
    validation_share: float = Field(default=0.0, ge=0, le=0.5)
    max_bad: float = Field(default=0.01, ge=0, le=1)
    shard_examples: int = Field(default=250, ge=1, le=100_000)


@dataclass(frozen=True, slots=True)
class Understood:
    """What a source makes of a row: the id it has, its image or the reference to it, what is learnt.

    Rows of one `group` are trained on together or held out together. `system` is said before the first question.
    """

    id: Any
    image: str | bytes | None
    turns: tuple[Turn, ...]
    rejected: str | None = None
    group: Any = None
    system: str | None = None


@dataclass(frozen=True, slots=True)
class Format:
    """How a source reads its rows: `understand` makes something of one, or raises Unfit.

    Of Parquet files the `columns` are read, as far as they are there; those of `needed` must be.
    """

    understand: Callable[[Row], Understood]
    columns: Sequence[str]
    needed: Sequence[str] = ()


class Lister:
    """Goes through the files of rows once."""

    def __init__(self, params: FileParams, storage: Storage, form: Format) -> None:
        self._params = params
        self._storage = storage
        self._form = form
        self._gathered = Gathered()
        self._left_out = LeftOut()
        self._ids: set[str] = set()
        self._uris: dict[str, set[int]] = {}

    def index(self) -> Index:
        """Raises InputError naming the first rows of each reason when too many are unfit."""
        listings = find_files(self._storage, self._params.path)
        files = [described(self._storage, listing) for listing in listings]
        for number, file in enumerate(files):
            rows = scan(self._storage, file, self._form.columns, self._form.needed)
            for count, (at, row) in enumerate(rows, start=1):
                self._left_out.n_rows += 1
                try:
                    self._take(row, file, (number, count), at)
                except Unfit as unfit:
                    self._left_out.add(where(file, count), unfit)
        without = self._without_image(files)
        self._left_out.refuse(self._params.path, self._params.max_bad)
        self._hold_out(files)
        return self._gathered.index(files, without, str(self._left_out), self._params.shard_examples)

    def _take(self, row: Row | Unfit, file: DataFile, number: tuple[int, int], at: Place) -> None:
        if isinstance(row, Unfit):
            raise row
        understood = self._form.understand(row)
        named = id_text(understood.id)
        again = named is not None and named in self._ids
        if named is not None:
            self._ids.add(named)
        example_id, uri = image_id(self._storage, self._params, file, understood.image)
        if example_id is None:
            example_id = exchange_id(understood.id, again, file, number[1])
        unit = (number[0], at.extent if file.is_parquet else at.at)
        together = id_text(understood.group) or example_id
        if understood.system is not None:
            # It is said before the image, which only those share that begin alike.
            example_id = f"{example_id} ({digest('system', understood.system, size=4).hex()})"
        example = self._gathered.example(file.split, example_id, together, unit)
        self._gathered.add(example, Mark(number[0], at, number[1], again))
        if uri is not None:
            self._uris.setdefault(uri, set()).add(example)

    def _hold_out(self, files: Sequence[DataFile]) -> None:
        if not self._params.validation_share:
            return
        if any(file.split == VALIDATION for file in files):
            raise ConfigError(
                f"data.validation_share: {self._params.path!r} has files of its own for validation. Set it to 0, or "
                "leave those files out of data.path."
            )
        self._gathered.hold_out(self._params.validation_share, "train", VALIDATION)

    def _without_image(self, files: Sequence[DataFile]) -> set[int]:
        """The examples whose image cannot be used; their rows are counted."""
        found = unusable(self._storage, list(self._uris))
        why = {example: unfit for uri, unfit in found.items() for example in self._uris[uri]}
        for example, file, number in self._gathered.rows_of(set(why)):
            self._left_out.add(where(files[file], number), why[example])
        return set(why)


def where(file: DataFile, number: int) -> str:
    """A row for people: rows count from 1, in JSON Lines without the empty lines."""
    return f"{file.uri!r}, row {number:,}"


def image_id(
    storage: Storage, params: FileParams, file: DataFile, image: str | bytes | None
) -> tuple[str | None, str | None]:
    """(the id that rows about this image share, its address): a path below the source's, or a hash. Raises Unfit."""
    if image is None:
        return None, None
    if isinstance(image, bytes):
        return hashlib.sha256(image).hexdigest()[:32], None
    root = params.root or file.uri.rpartition("/")[0]
    name, uri = address_of(image, storage.absolute(root))
    if name == uri or params.root is not None:
        return name, uri
    return posixpath.join(posixpath.dirname(file.name), name), uri


def exchange_id(given: Any, repeated: bool, file: DataFile, number: int) -> str:
    """The row's own id; with its place where the id came before, or the place alone where it has none."""
    named, at = id_text(given), f"{file.name}:{number}"
    if named is None:
        return at
    return f"{named} ({at})" if repeated else named


def id_text(given: Any) -> str | None:
    """An id as text, None for none, or for what names nothing."""
    if isinstance(given, bool) or not isinstance(given, str | int) or given == "":
        return None
    return str(given).encode("utf-8", "backslashreplace").decode()
