"""The buffers' layout, and what a child may not get away with."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from mht.imaging import wire
from mht.imaging.decode import normalise
from mht.imaging.params import ImagingParams
from mht.records import NormalisedImage, Reason, Refusal
from tests.imaging.hostile import save, scene

PARAMS = ImagingParams(side_px=64)
SLOT = wire.slot_bytes(PARAMS)


@pytest.fixture
def buffer() -> Iterator[int]:
    fd = wire.open_buffer("test")
    os.ftruncate(fd, 3 * SLOT)
    yield fd
    os.close(fd)


@pytest.fixture(scope="module")
def image() -> NormalisedImage:
    result = normalise(save(scene(), "JPEG"), PARAMS)
    assert isinstance(result, NormalisedImage)
    return result


def test_a_batch_is_read_as_it_was_written(buffer: int) -> None:
    batch = [b"", b"a", b"", b"bc" * 5000, *(b"%d" % i for i in range(1200))]
    wire.write_batch(buffer, batch)
    assert [wire.read_source(buffer, i) for i in range(len(batch))] == batch


def test_results_are_read_as_they_were_written(buffer: int, image: NormalisedImage) -> None:
    for index, result in enumerate([image, Refusal(Reason.CORRUPT, "broken. Leave it out."), image]):
        line = wire.write_result(buffer, index, SLOT, result)
        assert wire.read_result(buffer, wire.read_line(line), SLOT, PARAMS) == result


def test_an_image_too_large_for_its_slot_is_a_refusal(buffer: int, image: NormalisedImage) -> None:
    line = wire.write_result(buffer, 0, wire.IMAGE_AT + 10, image)
    refusal = wire.read_result(buffer, wire.read_line(line), SLOT, PARAMS)
    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.TOO_MANY_BYTES


@pytest.mark.parametrize(
    "line", [b"", b"[1,2]", b"[1,2,3.0]", b"[1,2,true]", b'"ready"', b"{}", b"[1,2,3", b"\xff"]
)
def test_a_line_must_be_three_whole_numbers(line: bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.read_line(line)


@pytest.mark.parametrize(
    "line", [(0, 0, 5), (0, -1, 5), (0, 5000, 5), (0, 10, -1), (0, 10, SLOT), (0, 10, 1 << 60)]
)
def test_lengths_must_lie_within_the_slot(buffer: int, line: tuple[int, int, int]) -> None:
    with pytest.raises(wire.WireError):
        wire.read_result(buffer, line, SLOT, PARAMS)


@pytest.mark.parametrize(
    "change",
    [
        {"width_px": 65},
        {"width_px": 0},
        {"width_px": "64"},
        {"source_format": "gif"},
        {"source_sha256": "0" * 63},
        {"pixel_hash": "g" * 64},
        {"modality": "doe^jane"},
        {"body_part": "X" * 17},
        {"extra": 1},
    ],
)
def test_a_header_must_validate(buffer: int, image: NormalisedImage, change: dict[str, object]) -> None:
    line = wire.read_line(wire.write_result(buffer, 0, SLOT, image))
    header = json.loads(os.pread(buffer, line[1], 0)) | change
    said = json.dumps(header).encode()
    os.pwrite(buffer, said, 0)
    with pytest.raises(wire.WireError):
        wire.read_result(buffer, (0, len(said), line[2]), SLOT, PARAMS)


def test_bytes_must_begin_like_the_encoding(buffer: int, image: NormalisedImage) -> None:
    line = wire.read_line(wire.write_result(buffer, 0, SLOT, image))
    os.pwrite(buffer, b"PK", wire.IMAGE_AT)
    with pytest.raises(wire.WireError):
        wire.read_result(buffer, line, SLOT, PARAMS)


def test_a_buffer_that_the_child_cut_is_noticed(buffer: int, image: NormalisedImage) -> None:
    line = wire.read_line(wire.write_result(buffer, 0, SLOT, image))
    os.ftruncate(buffer, wire.HEADER_BYTES + 8)
    with pytest.raises(wire.WireError):
        wire.read_result(buffer, line, SLOT, PARAMS)
