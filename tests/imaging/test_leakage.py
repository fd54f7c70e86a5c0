"""Which benchmark's picture an image shows: found under every disguise, not taken for its look-alikes."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from mht.imaging.decode import normalise
from mht.imaging.leakage import BOXES, LeakageParams, LeakIndex, codes_of
from mht.imaging.params import ImagingParams
from mht.records import NormalisedImage
from tests.imaging.hostile import save
from tests.imaging.radiographs import DISGUISES, radiograph

HERE = 45
AT_LEAST = LeakageParams().likeness


def decoded(image: Image.Image) -> NormalisedImage:
    result = normalise(save(image, "PNG"), ImagingParams())
    assert isinstance(result, NormalisedImage)
    return result


def index_of(images: list[NormalisedImage]) -> LeakIndex:
    small = b"".join(image.thumbnail or b"" for image in images)
    squares = np.frombuffer(small, np.uint8).reshape(-1, 64, 64)
    return LeakIndex([image.source_sha256 for image in images], squares, codes_of(squares))


@pytest.fixture(scope="module")
def benchmark() -> LeakIndex:
    return index_of([decoded(radiograph(number)) for number in range(HERE)])


@pytest.mark.parametrize("name", DISGUISES)
def test_a_disguised_picture_is_found(name: str, benchmark: LeakIndex) -> None:
    numbers = range(0, HERE, 15)
    found = benchmark.find([decoded(DISGUISES[name](radiograph(n))) for n in numbers], AT_LEAST)
    assert [match and match.row for match in found] == list(numbers)
    how = {match.found_by for match in found if match is not None}
    assert how <= ({"bytes"} if name == "none" else {"hash", "detail"})


def test_what_was_cut_off_is_told(benchmark: LeakIndex) -> None:
    (match,) = benchmark.find([decoded(DISGUISES["corner"](radiograph(8)))], AT_LEAST)
    assert match is not None
    assert match.found_by == "detail"
    assert match.box == pytest.approx((0.05, 0.05, 1, 1), abs=0.008)
    assert match.distance_bits > 24


def test_look_alikes_are_not_found(benchmark: LeakIndex) -> None:
    strangers = [decoded(radiograph(number)) for number in range(1000, 1020)]
    assert benchmark.find(strangers, AT_LEAST) == [None] * len(strangers)
    assert all(len(benchmark.candidates(image.pixel_hash)) <= 24 for image in strangers)


def test_a_stricter_likeness_finds_fewer(benchmark: LeakIndex) -> None:
    copies = [
        decoded(DISGUISES[name](radiograph(2)))
        for name in ("none", "half, jpeg, darker", "rim, jpeg, brighter")
    ]
    assert [match is not None for match in benchmark.find(copies, 0.9)] == [True, True, True]
    assert [match is not None for match in benchmark.find(copies, 1.0)] == [True, False, False]


def test_the_likest_of_several_is_named(benchmark: LeakIndex) -> None:
    original = radiograph(3)
    several = index_of([decoded(DISGUISES["third"](original)), decoded(original), decoded(radiograph(4))])
    (match,) = several.find([decoded(DISGUISES["darker"](original))], AT_LEAST)
    assert match is not None
    assert match.row == 1


def test_a_blank_picture_is_only_the_same_by_its_bytes_or_its_hash() -> None:
    blank = decoded(Image.new("L", (64, 64), 8))
    index = index_of([blank])
    assert [m and m.found_by for m in index.find([blank], AT_LEAST)] == ["bytes"]
    assert index.find([decoded(radiograph(1))], AT_LEAST) == [None]


def test_no_benchmark_finds_nothing() -> None:
    assert index_of([]).find([decoded(radiograph(1))], AT_LEAST) == [None]


def test_the_first_code_is_the_images_own_hash_and_the_others_of_its_parts() -> None:
    image = decoded(radiograph(2))
    codes = codes_of(np.frombuffer(image.thumbnail or b"", np.uint8).reshape(1, 64, 64))
    assert codes.shape == (1, len(BOXES), 32)
    assert bytes(codes[0, 0]) == image.pixel_hash
    assert len({bytes(code) for code in codes[0]}) == len(BOXES)


def test_an_address_is_a_source_whose_kind_shows() -> None:
    given = [
        "s3://b/images",
        "/x/rows.parquet",
        "t.CSV",
        "/x/shards-{00..09}.tar",
        {"kind": "phantoms", "count": 3},
    ]
    params = LeakageParams.model_validate({"benchmarks": given})
    assert [b.kind for b in params.benchmarks] == ["folder", "table", "table", "webdataset", "phantoms"]
    assert [path for _, path in params.addresses()] == given[:4]
    assert LeakageParams.model_validate({"benchmarks": "here"}).benchmarks[0].kind == "folder"
    for wrong in ({"benchmarks": [3]}, {"benchmarks": [{}]}, {"action": "drop"}, {"likeness": 0.2}):
        with pytest.raises(ValidationError):
            LeakageParams.model_validate(wrong)


def read(folder: Path) -> dict[str, Image.Image]:
    """Pictures by the number in their name, which the collections share."""
    pictures = {}
    for path in sorted((folder / "images").iterdir()):
        with Image.open(io.BytesIO(path.read_bytes())) as image:
            pictures[path.stem.rpartition("synpic")[2]] = image.convert("L")
    return pictures


def test_pictures_that_stand_in_two_real_collections_are_found(reference_data: Path) -> None:
    medpix, vqa_rad = read(reference_data / "medpix"), read(reference_data / "vqa_rad")
    # One picture stands in both at another extent, a third of it cut away: that is more than the gate looks for.
    shared = [
        name
        for name in sorted(set(medpix) & set(vqa_rad))
        if medpix[name].width / medpix[name].height
        == pytest.approx(vqa_rad[name].width / vqa_rad[name].height, rel=0.02)
    ]
    held = shared + sorted(set(vqa_rad) - set(medpix))[:40]
    index = index_of([decoded(vqa_rad[name]) for name in held])
    others = sorted(set(medpix) - set(vqa_rad))[:30]
    found = index.find([decoded(medpix[name]) for name in shared + others], AT_LEAST)
    assert len(shared) >= 4
    assert [match and held[match.row] for match in found] == shared + [None] * len(others)
