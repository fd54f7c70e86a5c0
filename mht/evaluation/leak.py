"""What a benchmark's own splits share, told from the pictures: the same name, the same file, or the same picture.

A benchmark's notes compare names; here the images are read, so that a copy under another name is found, too. Of up to
a thousand all are decoded and compared by look as well; of more only those files are read that have the size of one in
the other split.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from mht.imaging.guard import DecoderGuard
from mht.imaging.hashes import near_duplicates
from mht.imaging.params import ImagingParams
from mht.questions import Benchmark, SplitImage
from mht.records import NormalisedImage

_BATCH = 64
_EXAMPLES = 5
_LOOKED_AT = 1_000
"""Images of all splits: decoding so many takes seconds."""
Pulse = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Shared:
    """Of `n` readable images of a split, how many stand in another: by name, by the file's bytes, by perceptual hash.

    The three overlap, and `by_any` counts an image once; the same name may hold another picture. `by_look` is a hash
    within 24 of 256 bits (`imaging.hashes`), where crops are not found; None where nothing was decoded. `examples` are
    pairs (image, its copy in the other split) whose image's name the other split does not have; `unread` are images of
    either split that could not be read.
    """

    split: str
    other: str
    n: int
    by_name: int
    by_bytes: int
    by_look: int | None
    by_any: int
    unread: int
    examples: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        named = "".join(f"; {one} is {two}" for one, two in self.examples)
        look = "not compared by look" if self.by_look is None else f"by look {self.by_look:,}"
        unread = f"; {self.unread:,} could not be read" if self.unread else ""
        return (
            f"leakage, measured on this copy: {self.by_any:,} of the {self.n:,} images of {self.split} also stand in "
            f"{self.other} (by name {self.by_name:,}, by bytes {self.by_bytes:,}, {look}{unread}){named}"
        )


@dataclass(frozen=True, slots=True)
class _Seen:
    split: str
    image_id: str
    sha256: str | None = None
    """None where no file of the other splits has its size."""
    pixel_hash: bytes | None = None


def between_splits(
    benchmark: Benchmark, params: ImagingParams, pulse: Pulse = lambda: None, most: int = _LOOKED_AT
) -> list[Shared]:
    """Each two splits that the benchmark compares and that both have images here, in the copy's order.

    Of more than `most` images nothing is decoded, and tables are left to the notes: their images go by their bytes.
    """
    pairs = benchmark.compared()
    wanted = {split for pair in pairs for split in pair}
    pictures = [picture for picture in benchmark.pictures() if picture.split in wanted]
    held = {picture.split for picture in pictures if picture.image is not None}
    pairs = [pair for pair in pairs if held.issuperset(pair)]
    if not pairs:
        return []
    if len(pictures) <= most:
        seen = list(_seen(benchmark, pictures, params, pulse))
    elif all(picture.size_bytes is not None for picture in pictures if picture.image is not None):
        seen = list(_seen_of_one_size(benchmark, pictures, pulse))
    else:
        return []
    looks = _looks(seen)
    unread = {
        split: sum(p.split == split for p in pictures) - sum(s.split == split for s in seen) for split in held
    }
    return [_shared(seen, looks, split, other, unread[split] + unread[other]) for split, other in pairs]


def _seen(
    benchmark: Benchmark, pictures: Sequence[SplitImage], params: ImagingParams, pulse: Pulse
) -> Iterator[_Seen]:
    """The images that can be read and decoded."""
    with DecoderGuard(params) as guard:
        for whole in _read(benchmark, pictures, pulse):
            decoded = guard.normalise([body for _, body in whole])
            for (picture, _), one in zip(whole, decoded, strict=True):
                if isinstance(one.result, NormalisedImage):
                    found = one.result
                    yield _Seen(picture.split, picture.image_id, found.source_sha256, found.pixel_hash)


def _seen_of_one_size(benchmark: Benchmark, pictures: Sequence[SplitImage], pulse: Pulse) -> Iterator[_Seen]:
    """All that are there; those are read whose size a file of another split has."""
    splits: dict[int | None, set[str]] = {}
    for picture in pictures:
        splits.setdefault(picture.size_bytes, set()).add(picture.split)
    there = [picture for picture in pictures if picture.image is not None]
    yield from (_Seen(p.split, p.image_id) for p in there if len(splits[p.size_bytes]) == 1)
    for whole in _read(benchmark, [p for p in there if len(splits[p.size_bytes]) > 1], pulse):
        yield from (_Seen(p.split, p.image_id, hashlib.sha256(body).hexdigest()) for p, body in whole)


def _read(
    benchmark: Benchmark, pictures: Sequence[SplitImage], pulse: Pulse
) -> Iterator[list[tuple[SplitImage, bytes]]]:
    """Some at a time, with their bytes; those that cannot be read are left out."""
    for at in range(0, len(pictures), _BATCH):
        batch = pictures[at : at + _BATCH]
        bodies = benchmark.read([picture.image for picture in batch])
        yield [(p, body) for p, body in zip(batch, bodies, strict=True) if isinstance(body, bytes)]
        pulse()


def _looks(seen: Sequence[_Seen]) -> dict[bytes, set[bytes]]:
    """The hashes that are near each hash, itself included."""
    hashes = list(_told(image.pixel_hash for image in seen))
    near = {pixel_hash: {pixel_hash} for pixel_hash in hashes}
    for one, two, _ in near_duplicates(hashes).pairs:
        near[hashes[one]].add(hashes[two])
        near[hashes[two]].add(hashes[one])
    return near


def _told(values: Iterable[bytes | None]) -> dict[bytes, None]:
    return dict.fromkeys(value for value in values if value is not None)


def _shared(
    seen: Sequence[_Seen], looks: dict[bytes, set[bytes]], split: str, other: str, unread: int
) -> Shared:
    mine = [image for image in seen if image.split == split]
    theirs = [image for image in seen if image.split == other]
    names = {image.image_id for image in theirs}
    by_bytes = {image.sha256: image.image_id for image in reversed(theirs) if image.sha256 is not None}
    by_look = {i.pixel_hash: i.image_id for i in reversed(theirs) if i.pixel_hash is not None}
    same = {i.image_id: by_bytes[i.sha256] for i in mine if i.sha256 in by_bytes}
    alike = {
        i.image_id: by_look[near[0]]
        for i in mine
        if i.pixel_hash is not None and (near := [h for h in sorted(looks[i.pixel_hash]) if h in by_look])
    }
    named = {image.image_id for image in mine if image.image_id in names}
    examples = [(name, copy) for name, copy in (alike | same).items() if name not in names]
    return Shared(
        split, other, len(mine), len(named), len(same), len(alike) if looks else None,
        len(named | same.keys() | alike.keys()), unread, tuple(examples[:_EXAMPLES]),
    )  # fmt: skip
