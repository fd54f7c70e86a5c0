"""What a benchmark's own splits share, told from the pictures: the same name, the same file, or the same picture.

A benchmark's notes compare names; here every image of every split is read and decoded, so that a copy under another
name is found, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mht.imaging.guard import DecoderGuard
from mht.imaging.hashes import near_duplicates
from mht.imaging.params import ImagingParams
from mht.questions import Benchmark, SplitImage
from mht.records import NormalisedImage

_BATCH = 64
_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Shared:
    """Of `n` readable images of a split, how many stand in another: by name, by the file's bytes, by perceptual hash.

    The three overlap, and `by_any` counts an image once; the same name may hold another picture. `by_look` is a hash
    within 24 of 256 bits (`imaging.hashes`), where crops are not found. `examples` are pairs (image, one of the other
    split that looks like it) whose image's name the other split does not have; `unread` are images of either split that
    could not be read.
    """

    split: str
    other: str
    n: int
    by_name: int
    by_bytes: int
    by_look: int
    by_any: int
    unread: int
    examples: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        named = "".join(f"; {one} is {two}" for one, two in self.examples)
        unread = f"; {self.unread:,} could not be read" if self.unread else ""
        return (
            f"leakage: {self.by_any:,} of the {self.n:,} images of {self.split} also stand in {self.other} "
            f"(by name {self.by_name:,}, by bytes {self.by_bytes:,}, by look {self.by_look:,}{unread}){named}"
        )


@dataclass(frozen=True, slots=True)
class _Seen:
    split: str
    image_id: str
    sha256: str
    pixel_hash: bytes


def between_splits(
    benchmark: Benchmark, params: ImagingParams, pulse: Callable[[], None] = lambda: None
) -> list[Shared]:
    """Each split against each other one, in the copy's order; nothing for a copy of one split."""
    pictures = list(benchmark.pictures())
    seen = list(_seen(benchmark, pictures, params, pulse))
    looks = _looks(seen)
    splits = list(dict.fromkeys(picture.split for picture in pictures))
    unread = {
        split: sum(p.split == split for p in pictures) - sum(s.split == split for s in seen)
        for split in splits
    }
    return [
        _shared(seen, looks, split, other, unread[split] + unread[other])
        for split in splits
        for other in splits
        if split != other
    ]


def _seen(
    benchmark: Benchmark, pictures: Sequence[SplitImage], params: ImagingParams, pulse: Callable[[], None]
) -> Iterator[_Seen]:
    """The images that can be read and decoded."""
    with DecoderGuard(params) as guard:
        for at in range(0, len(pictures), _BATCH):
            batch = pictures[at : at + _BATCH]
            bodies = benchmark.read([picture.image for picture in batch])
            whole = [(p, body) for p, body in zip(batch, bodies, strict=True) if isinstance(body, bytes)]
            decoded = guard.normalise([body for _, body in whole])
            for (picture, _), one in zip(whole, decoded, strict=True):
                if isinstance(one.result, NormalisedImage):
                    found = one.result
                    yield _Seen(picture.split, picture.image_id, found.source_sha256, found.pixel_hash)
            pulse()


def _looks(seen: Sequence[_Seen]) -> dict[bytes, set[bytes]]:
    """The hashes that are near each hash, itself included."""
    hashes = list(dict.fromkeys(image.pixel_hash for image in seen))
    near = {pixel_hash: {pixel_hash} for pixel_hash in hashes}
    for one, two, _ in near_duplicates(hashes).pairs:
        near[hashes[one]].add(hashes[two])
        near[hashes[two]].add(hashes[one])
    return near


def _shared(
    seen: Sequence[_Seen], looks: dict[bytes, set[bytes]], split: str, other: str, unread: int
) -> Shared:
    mine = [image for image in seen if image.split == split]
    theirs = [image for image in seen if image.split == other]
    names = {image.image_id for image in theirs}
    files = {image.sha256 for image in theirs}
    by_look = {image.pixel_hash: image.image_id for image in reversed(theirs)}
    like = {
        i.image_id: next((by_look[h] for h in sorted(looks[i.pixel_hash]) if h in by_look), None)
        for i in mine
    }
    examples = [(name, copy) for name, copy in like.items() if copy is not None and name not in names]
    named = {image.image_id for image in mine if image.image_id in names}
    same = {image.image_id for image in mine if image.sha256 in files}
    alike = {name for name, copy in like.items() if copy is not None}
    return Shared(
        split, other, len(mine), len(named), len(same), len(alike), len(named | same | alike), unread,
        tuple(examples[:_EXAMPLES]),
    )  # fmt: skip
