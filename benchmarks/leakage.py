"""Claim: the leakage gate finds a benchmark's picture under every disguise, and takes no other study for it.

    python -m benchmarks.leakage --save

Asked of the real images that $MHT_REFERENCE_DATA or ../shared/data holds (MedPix, VQA-RAD, the DICOM files): each is
looked for among all of them in seventeen disguises, and undisguised among the disguised where something was cut off.
False alarms: each image against all that belong to another study, and phantoms of one anatomy, drawn with one seed,
against those of another. Time is CPU time of one image's search among the real images, and among 20,000 pictures of
which each is three parts one MedPix image and one part another, none of them the image that is looked for.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.machine import ROOT, describe
from benchmarks.report import markdown, page, save
from mht.imaging.decode import normalise
from mht.imaging.hashes import NEAR_DUPLICATE_BITS, hamming
from mht.imaging.leakage import BOXES, LeakageParams, LeakIndex, codes_of
from mht.imaging.likeness import compare
from mht.imaging.params import ImagingParams
from mht.phantoms.draw import render
from mht.phantoms.scene import draw_scene
from mht.records import NormalisedImage
from tests.imaging.radiographs import DISGUISES

PARAMS = ImagingParams(frames="middle", burned_in="accept")
COPY_BITS = 4
"""Files of two collections that lie no further apart are one picture."""
LEAST_SIDE_PX = 128
"""Of a smaller picture nothing is left at a third of its size."""
CUT = ("rim", "left", "top", "right", "bottom", "corner")
AT_LEAST = LeakageParams().likeness
MANY = 20_000
Row = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded image and the study that it belongs to; of two pictures of one study either may be called the other."""

    image: NormalisedImage
    study: str


def decoded(image: Image.Image) -> NormalisedImage:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    result = normalise(buffer.getvalue(), PARAMS)
    assert isinstance(result, NormalisedImage), result
    return result


def real(data: Path, step: int) -> Iterator[Picture]:
    """The real images, in the size and the form that a build keeps. A MedPix case, a DICOM folder is one study."""
    files = [*sorted(data.glob("medpix/images/*")), *sorted(data.glob("vqa_rad/images/*"))]
    files += sorted(path for path in data.glob("dicom/**/*") if path.is_file())
    for path in files[::step]:
        result = normalise(path.read_bytes(), PARAMS)
        if isinstance(result, NormalisedImage) and min(result.width_px, result.height_px) >= LEAST_SIDE_PX:
            case = re.match(r"MPX\d+", path.name)
            yield Picture(result, case.group() if case else "dicom" if "dicom" in path.parts else path.name)


def index_of(images: Sequence[NormalisedImage]) -> LeakIndex:
    squares = _squares(images)
    return LeakIndex(["" for _ in images], squares, codes_of(squares))


def disguised(
    pictures: Sequence[Picture], disguise: Callable[[Image.Image], Image.Image]
) -> list[NormalisedImage]:
    opened = (Image.open(io.BytesIO(picture.image.data)).convert("L") for picture in pictures)
    return [decoded(disguise(image)) for image in opened]


def recall(
    pictures: Sequence[Picture], asked: Sequence[NormalisedImage], index: LeakIndex
) -> tuple[int, str]:
    """(how many were found, the likeness of the least like)."""
    found, likenesses = 0, []
    for number, match in enumerate(index.find(asked, AT_LEAST)):
        if match is None:
            continue
        named, meant = pictures[match.row], pictures[number]
        near = hamming(named.image.pixel_hash, meant.image.pixel_hash) <= NEAR_DUPLICATE_BITS
        if match.row == number or near or named.study == meant.study:
            found += 1
            likenesses.append(match.likeness if match.likeness is not None else 1.0)
    return found, f"{min(likenesses):.3f}" if likenesses else ""


def finding(pictures: Sequence[Picture]) -> Iterator[Row]:
    """How many are found in each disguise, and how many where the benchmark's picture is the one that was cut."""
    whole = index_of([picture.image for picture in pictures])
    for name, disguise in DISGUISES.items():
        copies = disguised(pictures, disguise)
        found, least = recall(pictures, copies, whole)
        yield f"found: {name}", f"{len(copies):,}", _share(found, len(copies)), f"least likeness {least}"
        if name in CUT:
            found, least = recall(pictures, [p.image for p in pictures], index_of(copies))
            yield (
                f"found: whole among cut, {name}",
                f"{len(copies):,}",
                _share(found, len(copies)),
                f"least likeness {least}",
            )


def strangers(pictures: Sequence[Picture]) -> Iterator[Row]:
    """Which images are taken for one of another study: neither of the same case nor a copy by the hash."""
    index = index_of([picture.image for picture in pictures])
    squares = _squares([picture.image for picture in pictures])
    likest: dict[bool, list[float]] = {True: [], False: []}
    for number, picture in enumerate(pictures):
        near = [(row, BOXES[box]) for row, box in index.candidates(picture.image.pixel_hash) if row != number]
        rows = [row for row, _ in near]
        mine = np.repeat(squares[number : number + 1], len(near), axis=0)
        alike = compare(squares[rows], mine, np.array([box for _, box in near])) if near else []
        best = {True: 0.0, False: 0.0}
        for row, likeness in zip(rows, alike, strict=True):
            copy = hamming(pictures[row].image.pixel_hash, picture.image.pixel_hash) <= COPY_BITS
            kin = copy or pictures[row].study == picture.study
            best[kin] = max(best[kin], likeness.value or 0)
        for kin, value in best.items():
            likest[kin].append(value)
    for kin, name in (
        (False, "false alarms: another real study"),
        (True, "another picture of the same real study"),
    ):
        taken = sum(value >= AT_LEAST for value in likest[kin])
        yield name, f"{len(pictures):,}", _share(taken, len(pictures)), f"likest {max(likest[kin]):.3f}"


def phantoms(count: int) -> Iterator[Row]:
    """Phantoms of one anatomy against those of another seed."""
    sets = [[decoded(Image.fromarray(render(draw_scene("chest_xray", i, seed), 336)).convert("L"))
             for i in range(count)] for seed in (1, 2)]  # fmt: skip
    index = index_of(sets[0])
    for at_least in (AT_LEAST, 0.95, 0.98):
        found = sum(match is not None for match in index.find(sets[1], at_least))
        head = f"false alarms: chest phantoms of another seed, likeness {at_least}"
        yield head, f"{count:,}", _share(found, count), f"against {count:,}"


def speed(pictures: Sequence[Picture]) -> Iterator[Row]:
    """CPU time of an image's search, first by the hashes alone, then with every comparison."""
    few = [p.image for p in pictures if not p.study.startswith("MPX")][:200]
    held = [p.image for p in pictures if p.study.startswith("MPX")]
    for name, squares in (("the MedPix images", _squares(held)), (f"{MANY:,} blends", _blends(held))):
        index = LeakIndex(["" for _ in squares], squares, codes_of(squares))
        began = time.process_time()
        asked = sum(len(index.candidates(image.pixel_hash)) for image in few)
        hashes_s = time.process_time() - began
        began = time.process_time()
        index.find(few, AT_LEAST)
        all_s = time.process_time() - began
        each = [f"{1000 * s / len(few):.2f} ms" for s in (hashes_s, all_s)]
        told = f"{each[0]} by the hashes; {asked / len(few):.1f} pictures laid over an image"
        yield f"time of an image among {name}", f"{len(few):,}", each[1], told


def _squares(images: Sequence[NormalisedImage]) -> Any:
    return np.frombuffer(b"".join(i.thumbnail or b"" for i in images), np.uint8).reshape(-1, 64, 64)


def _blends(images: Sequence[NormalisedImage]) -> Any:
    rng = np.random.default_rng(0)
    squares = _squares(images).astype(np.uint16)
    one, other = rng.integers(0, len(squares), (2, MANY))
    return np.concatenate(
        [
            ((3 * squares[one[i : i + 500]] + squares[other[i : i + 500]]) // 4).astype(np.uint8)
            for i in range(0, MANY, 500)
        ]
    )


def _share(n: int, of: int) -> str:
    return f"{n:,} ({100 * n / max(1, of):.1f} %)"


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument(
        "--data", type=Path, default=os.environ.get("MHT_REFERENCE_DATA") or ROOT.parent / "shared" / "data"
    )
    given.add_argument("--step", type=int, default=1, help="only every so many-th real image")
    given.add_argument("--phantoms", type=int, default=1000, help="of each of two seeds")
    given.add_argument("--save", action="store_true")
    words = given.parse_args()
    facts = describe()
    pictures = list(real(words.data, words.step))
    rows: list[Row] = []
    for part in (finding(pictures), strangers(pictures), speed(pictures), phantoms(words.phantoms)):
        for row in part:
            rows.append(row)
            print(*row, sep="  ", flush=True)
    table = markdown(("what", "asked", "answer", "beside"), rows)
    facts |= {"real images": f"{len(pictures):,}", "likeness asked for": f"{AT_LEAST}"}
    print(table)
    if words.save:
        print(save("leakage", page("Leakage gate", facts, table)))


if __name__ == "__main__":
    main()
