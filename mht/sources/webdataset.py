"""Images in tar archives as WebDataset packs them: `a.jpg`, `a.txt` and `a.json` are one sample.

Each archive is walked once, header by header, and every image becomes a range of bytes in it: nothing is unpacked,
and a member's name never becomes a path.
"""

from __future__ import annotations

import json
import posixpath
import tarfile
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict, Field

from mht.errors import InputError
from mht.records import Fetched, Reason, Refusal, SourceItem
from mht.sources._captions import MAX_CAPTION_BYTES, carried, decoded, read_captions, refused, text_of
from mht.sources._reading import fetch_objects
from mht.storage import Listing, Storage, split_wildcard

_BLOCK = 512
_TAIL_BYTES = 64 << 10
_COMPRESSED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")


class Params(BaseModel):
    """Where the archives are, which members are images, and where captions and groups stand.

    `group_key` and `licence_key` are keys of the sample's `.json` member. `threads` archives are walked at a time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    path: str = Field(min_length=1)
    image_extensions: tuple[str, ...] = Field(
        default=("jpg", "jpeg", "png", "tif", "tiff", "dcm"), min_length=1
    )
    caption_extensions: tuple[str, ...] = ("txt", "json")
    caption_keys: tuple[str, ...] = Field(default=("caption", "text", "findings", "report"), min_length=1)
    group_key: str | None = None
    licence_key: str | None = None
    threads: int = Field(default=4, ge=1, le=64)


@dataclass(slots=True)
class _Sample:
    """What the side members of a sample say; `caption_rank` is the place of its extension in the settings."""

    caption: str | None = None
    caption_uri: str | None = None
    caption_rank: int = 1 << 30
    group: str | None = None
    licence: str | None = None


@dataclass(slots=True)
class _Contents:
    """An archive's image members and its samples by stem."""

    images: list[tarfile.TarInfo] = field(default_factory=list)
    samples: dict[str, _Sample] = field(default_factory=dict)


class Source:
    """Lists the members of archives, then reads them as ranges."""

    def __init__(self, params: Params, storage: Storage) -> None:
        self._params = params
        self._storage = storage
        self._images = tuple("." + extension.lower().lstrip(".") for extension in params.image_extensions)

    def check(self) -> None:
        """Raises a storage error when the archives cannot be read."""
        self._storage.check_readable(split_wildcard(self._params.path)[0])

    def items(self) -> Iterator[SourceItem]:
        """Every image member of every archive, in the order of the archives. Raises InputError for a damaged one."""
        archives = self._archives()
        with ThreadPoolExecutor(self._params.threads, "tar") as pool:
            ahead: deque[Future[list[SourceItem]]] = deque()
            for archive in archives:
                ahead.append(pool.submit(self._walk, archive))
                if len(ahead) > self._params.threads:
                    yield from ahead.popleft().result()
            while ahead:
                yield from ahead.popleft().result()

    def fetch(self, items: Sequence[SourceItem], max_bytes: int) -> list[Fetched]:
        """The bytes of each member, as a ranged read of its archive."""
        return fetch_objects(self._storage, items, max_bytes)

    def captions(self, items: Sequence[SourceItem]) -> list[str | Refusal | None]:
        """The captions that the walk has found."""
        return read_captions(self._storage, items, self._params.caption_keys)

    def _archives(self) -> list[Listing]:
        found = list(self._storage.glob(self._params.path))
        for listing in found:
            if listing.name.lower().endswith(_COMPRESSED):
                raise InputError(
                    f"{listing.uri!r}: a compressed archive cannot be read by ranges. Unpack it to a .tar "
                    "(images are compressed already)."
                )
        archives = [listing for listing in found if listing.name.lower().endswith(".tar")]
        if not archives:
            raise InputError(f"{self._params.path!r}: no .tar among {len(found):,} files. Check source.path.")
        return archives

    def _walk(self, archive: Listing) -> list[SourceItem]:
        with self._storage.open_input(archive.uri, whole_bytes=0) as file:
            contents = self._contents(archive, file)
        items = [self._item(archive, member, contents.samples) for member in contents.images]
        seen: set[str] = set()
        for item in items:
            if item.name in seen:
                raise InputError(
                    f"{archive.uri!r}: two members are called {item.name!r}. Pack the archive again."
                )
            seen.add(item.name)
        return items

    def _contents(self, archive: Listing, file: BinaryIO) -> _Contents:
        contents = _Contents()
        try:
            with tarfile.open(fileobj=file, mode="r:", errors="surrogateescape") as tar:
                end = 0
                for member in tar:
                    end = _end_of(member, archive)
                    if member.isreg():
                        self._take(member, tar, contents)
        except (tarfile.TarError, ValueError, OverflowError) as error:
            raise InputError(f"{archive.uri!r}: not a whole tar ({error}). Pack or copy it again.") from error
        _check_end(file, end, archive)
        return contents

    def _take(self, member: tarfile.TarInfo, tar: tarfile.TarFile, contents: _Contents) -> None:
        lower = member.name.lower()
        if lower.endswith(self._images):
            contents.images.append(member)
            return
        extension = lower.rpartition(".")[2]
        wanted = extension in self._params.caption_extensions or extension == "json"
        if not wanted or "." not in lower:
            return
        sample = contents.samples.setdefault(member.name[: -len(extension) - 1], _Sample())
        data = b""
        if member.size <= MAX_CAPTION_BYTES:
            stream = tar.extractfile(member)
            data = b"" if stream is None else stream.read()
        self._describe(sample, extension, data, member.size)

    def _describe(self, sample: _Sample, extension: str, data: bytes, size_bytes: int) -> None:
        if extension == "json" and size_bytes <= MAX_CAPTION_BYTES:
            self._note_keys(sample, data)
        if extension not in self._params.caption_extensions:
            return
        rank = self._params.caption_extensions.index(extension)
        if rank >= sample.caption_rank:
            return
        too_long = Refusal(Reason.CAPTION_TOO_LONG, "")
        caption = (
            too_long
            if size_bytes > MAX_CAPTION_BYTES
            else decoded(data, extension, self._params.caption_keys)
        )
        if caption is None:
            return
        sample.caption_rank = rank
        if isinstance(caption, Refusal):
            sample.caption, sample.caption_uri = None, refused(caption.reason)
        else:
            sample.caption, sample.caption_uri = carried(caption)

    def _note_keys(self, sample: _Sample, data: bytes) -> None:
        try:
            record = json.loads(data)
        except (ValueError, RecursionError):
            return  # the caption's refusal says so, where the caption is in it
        if self._params.group_key is not None:
            sample.group = text_of(record, [self._params.group_key])
        if self._params.licence_key is not None:
            sample.licence = text_of(record, [self._params.licence_key])

    def _item(self, archive: Listing, member: tarfile.TarInfo, samples: dict[str, _Sample]) -> SourceItem:
        sample = self._sample_of(member.name, samples)
        return SourceItem(
            name=f"{archive.name}/{_printable(member.name)}",
            uri=archive.uri,
            offset_bytes=member.offset_data,
            length_bytes=member.size,
            size_bytes=member.size,
            version=archive.version,
            group=sample.group,
            licence=sample.licence,
            caption=sample.caption,
            caption_uri=sample.caption_uri,
        )

    def _sample_of(self, name: str, samples: dict[str, _Sample]) -> _Sample:
        """By the whole stem (a DICOM UID has dots in it), otherwise by what stands before the first dot."""
        stem = posixpath.splitext(name)[0]
        folder, _, last = name.rpartition("/")
        key = f"{folder}/{last.split('.', 1)[0]}" if folder else last.split(".", 1)[0]
        return samples.get(stem) or samples.get(key) or _Sample()


def _printable(name: str) -> str:
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _end_of(member: tarfile.TarInfo, archive: Listing) -> int:
    """Where the next header stands. Raises InputError for a member that the archive does not hold whole."""
    if member.issparse():
        raise InputError(
            f"{archive.uri!r}: member {member.name!r} is sparse. Pack the archive without --sparse."
        )
    size = member.size if member.isreg() else 0
    if archive.size_bytes is not None and member.offset_data + size > archive.size_bytes:
        raise InputError(
            f"{archive.uri!r}: cut in member {member.name!r} (it ends at byte {member.offset_data + size:,}, the "
            f"archive at {archive.size_bytes:,}). Copy the archive again."
        )
    return member.offset_data + -(-size // _BLOCK) * _BLOCK


def _check_end(file: BinaryIO, end: int, archive: Listing) -> None:
    """Raises InputError unless an end marker follows the last member: a cut or joined archive loses members."""
    file.seek(end)
    tail = file.read(_TAIL_BYTES)
    if len(tail) < _BLOCK:
        raise InputError(
            f"{archive.uri!r}: no end marker at byte {end:,}, so it was cut there. Copy it again."
        )
    if any(tail):
        raise InputError(
            f"{archive.uri!r}: what follows byte {end:,} is no member: damaged, or archives joined into one. "
            "Pack the archive again."
        )
