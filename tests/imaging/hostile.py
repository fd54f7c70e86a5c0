"""Files that must be refused with the right reason, or survived with the right pixels: made here, byte by byte.

`corpus()` is the list of RELIABILITY's images and DICOM files. None comes from elsewhere and none is large;
the two slowest (13,000 px and 300 MB of zeros, deflated) take about a second each to make.
"""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mht.records import NormalisedImage, Reason

OK = "ok"
# what no output may hold, whatever the input held
CANARIES = ("CANARYPATIENT", "CANARYMRN", "CANARYGPS")

Check = Callable[[NormalisedImage], None]


@dataclass(frozen=True, slots=True)
class HostileCase:
    """A file, what must become of it (OK or a Reason), and what must hold of an image that is OK."""

    name: str
    data: bytes
    outcome: str
    check: Check | None = None


@lru_cache(maxsize=1)
def corpus() -> tuple[HostileCase, ...]:
    """Every case, in a fixed order; made once a process."""
    from tests.imaging.hostile_dicom import dicom_cases

    cases = (*no_images(), *jpegs(), *pngs(), *tiffs(), *other_formats(), *dicom_cases())
    assert len({case.name for case in cases}) == len(cases)
    return cases


def pixels(image: NormalisedImage) -> np.ndarray:
    """The pixels of a result."""
    return np.asarray(Image.open(io.BytesIO(image.data)))


def scene(width: int = 320, height: int = 240) -> Image.Image:
    """A smooth grey image with noise, darker at the top left: upright and sideways can be told apart."""
    y, x = np.mgrid[:height, :width]
    noise = np.random.default_rng(7).normal(0, 2, (height, width))
    values = 40 + 150 * (x / width * 0.4 + y / height * 0.6) + 20 * np.sin(x / 30) + noise
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


def save(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def sized(width: int, height: int, mode: str | None = None) -> Check:
    """Holds where the output has this size and, if given, this mode (L or RGB)."""

    def check(image: NormalisedImage) -> None:
        assert (image.width_px, image.height_px) == (width, height)
        with Image.open(io.BytesIO(image.data)) as decoded:
            assert decoded.size == (width, height)
            assert mode is None or decoded.mode == mode

    return check


def alike(expected: Image.Image, tolerance: float = 4.0) -> Check:
    """Holds where the output shows `expected`, by the mean difference in grey levels."""

    def check(image: NormalisedImage) -> None:
        with Image.open(io.BytesIO(image.data)) as decoded:
            assert decoded.mode == expected.mode
            wanted = expected.resize(decoded.size, Image.Resampling.BICUBIC)
            difference = np.abs(np.asarray(decoded, np.float64) - np.asarray(wanted, np.float64)).mean()
            assert difference < tolerance, difference

    return check


def no_images() -> list[HostileCase]:
    html = b"<!DOCTYPE html><html><body><h1>503 Slow Down</h1></body></html>"
    s3 = b'<?xml version="1.0"?>\n<Error><Code>NoSuchKey</Code></Error>'
    return [
        HostileCase("empty", b"", Reason.EMPTY_FILE),
        HostileCase("one_byte", b"\xff", Reason.NOT_AN_IMAGE),
        HostileCase("html_body", html, Reason.NOT_AN_IMAGE),
        HostileCase("object_store_error", s3, Reason.NOT_AN_IMAGE),
        HostileCase("text", b"the quick brown fox " * 50, Reason.NOT_AN_IMAGE),
        HostileCase("random", random.Random(3).randbytes(4096), Reason.NOT_AN_IMAGE),
        HostileCase("zeros", bytes(4096), Reason.NOT_AN_IMAGE),
    ]


def jpegs() -> list[HostileCase]:
    grey = scene()
    whole = save(grey, "JPEG", quality=90)
    progressive = save(grey, "JPEG", quality=90, progressive=True)
    scan = whole.index(b"\xff\xda") + 100
    colour = Image.merge("RGB", (grey, grey.transpose(Image.Transpose.ROTATE_180), grey))
    mid_grey = Image.new("L", (320, 240), 128)
    return [
        HostileCase("jpeg_plain", whole, OK, alike(grey)),
        HostileCase("jpeg_progressive", progressive, OK, alike(grey)),
        HostileCase("jpeg_half", whole[: len(whole) // 2], Reason.TRUNCATED),
        HostileCase("jpeg_half_progressive", progressive[: len(progressive) // 2], Reason.TRUNCATED),
        HostileCase("jpeg_half_with_end", whole[: len(whole) // 2] + b"\xff\xd9", Reason.TRUNCATED),
        HostileCase("jpeg_without_last_2", whole[:-2], Reason.TRUNCATED),
        HostileCase("jpeg_header_only", whole[: whole.index(b"\xff\xda")], Reason.TRUNCATED),
        HostileCase("jpeg_signature_only", whole[:4], Reason.TRUNCATED),
        HostileCase("jpeg_no_scan", b"\xff\xd8\xff\xd9", Reason.TRUNCATED),
        HostileCase("jpeg_marker_in_scan", whole[:scan] + b"\xff\x12" + whole[scan + 2 :], Reason.CORRUPT),
        HostileCase("jpeg_flipped_tables", _flip(whole, b"\xff\xc4"), Reason.CORRUPT),
        HostileCase("jpeg_65500", _claim(whole, 65_500, 65_500), Reason.TOO_MANY_PIXELS),
        HostileCase("jpeg_20000_8000", _claim(whole, 20_000, 8_000), Reason.TOO_MANY_PIXELS),
        HostileCase("jpeg_30000_1000", _claim(whole, 30_000, 1_000), Reason.TOO_LONG),
        HostileCase("jpeg_garbage_tail", whole + random.Random(1).randbytes(5000), OK, alike(grey)),
        HostileCase("jpeg_zip_polyglot", whole + _zip(), OK, alike(grey)),
        HostileCase(
            "jpeg_cmyk", save(colour.convert("CMYK"), "JPEG", quality=95), OK, sized(320, 240, "RGB")
        ),
        HostileCase("jpeg_rotated", _exif_jpeg(grey), OK, alike(grey.transpose(Image.Transpose.ROTATE_270))),
        HostileCase("jpeg_60kb_exif", _with_app1(whole, _big_exif()), OK, alike(grey)),
        HostileCase("jpeg_broken_exif", _with_app1(whole, b"Exif\x00\x00II*\x00\xff\xff"), OK, alike(grey)),
        HostileCase("jpeg_mid_grey", save(mid_grey, "JPEG"), OK, alike(mid_grey, 0.5)),
    ]


def _claim(jpeg: bytes, width: int, height: int) -> bytes:
    """The same file with another size in its frame header."""
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + struct.pack(">HH", height, width) + jpeg[at + 4 :]


def _flip(jpeg: bytes, marker: bytes) -> bytes:
    """The same file with the bits of the 20 bytes behind a marker's length turned over."""
    at = jpeg.index(marker) + 4
    return jpeg[:at] + bytes(255 - b for b in jpeg[at : at + 20]) + jpeg[at + 20 :]


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("payload.txt", "CANARYMRN")
    return buffer.getvalue()


def _exif_jpeg(image: Image.Image) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    exif.get_ifd(0x8825)[29] = "CANARYGPS"
    return save(image, "JPEG", quality=90, exif=exif)


def _big_exif() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = "CANARYPATIENT " + "x" * 60_000
    exif.get_ifd(0x8825)[29] = "CANARYGPS"
    return exif.tobytes()


def _with_app1(jpeg: bytes, payload: bytes) -> bytes:
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload + jpeg[2:]


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def make_png(width: int, height: int, idat: bytes, depth: int = 8, colour: int = 0) -> bytes:
    """A PNG of the given header (colour 0 is grey) and compressed data, whether or not they fit each other."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + chunk(b"IHDR", header) + chunk(b"IDAT", idat) + chunk(b"IEND", b"")


def zeros(n_bytes: int, **options: int) -> bytes:
    """So many zeros, deflated."""
    squeezer = zlib.compressobj(9, **options)
    block = bytes(1 << 20)
    parts = [squeezer.compress(block) for _ in range(n_bytes >> 20)]
    return b"".join(parts) + squeezer.compress(bytes(n_bytes & 0xFFFFF)) + squeezer.flush()


def _insert(png: bytes, kind: bytes, data: bytes) -> bytes:
    """The same PNG with a chunk behind its header."""
    return png[:33] + chunk(kind, data) + png[33:]


def pngs() -> list[HostileCase]:
    grey = scene()
    whole = save(grey, "PNG")
    named = PngInfo()
    named.add_text("Comment", "CANARYPATIENT")
    bomb = zeros(100 << 20)
    return [
        HostileCase("png_plain", save(grey, "PNG", pnginfo=named), OK, alike(grey)),
        HostileCase("png_13000", make_png(13_000, 13_000, zeros(13_000 * 13_001)), Reason.TOO_MANY_PIXELS),
        HostileCase("png_2_31", make_png(2**31 - 1, 2**31 - 1, b""), Reason.TOO_MANY_PIXELS),
        HostileCase("png_bad_crc", _spoil(whole, whole.index(b"IDAT") + 200), Reason.CORRUPT),
        HostileCase("png_bad_header_crc", _spoil(whole, 30), Reason.CORRUPT),
        HostileCase("png_cut", whole[: len(whole) // 2], Reason.TRUNCATED),
        HostileCase("png_signature_only", whole[:8], Reason.TRUNCATED),
        HostileCase("png_no_pixels", make_png(64, 64, b""), Reason.TRUNCATED),
        HostileCase("png_few_pixels", make_png(64, 64, zeros(65 * 20)), Reason.TRUNCATED),
        HostileCase("png_16_bit", *_sixteen_bit(65_535)),
        HostileCase("png_12_in_16_bit", *_sixteen_bit(4_095)),
        HostileCase("png_palette_alpha", *_palette_alpha()),
        HostileCase("png_grey_alpha", *_grey_alpha()),
        HostileCase("png_ztxt_bomb", _insert(whole, b"zTXt", b"a\x00\x00" + bomb), Reason.CORRUPT),
        HostileCase("png_iccp_bomb", _insert(whole, b"iCCP", b"a\x00\x00" + bomb), Reason.CORRUPT),
        HostileCase("png_1_1", save(Image.new("L", (1, 1)), "PNG"), Reason.TOO_SMALL),
        HostileCase("png_1_50000", save(Image.new("L", (1, 50_000)), "PNG"), Reason.TOO_LONG),
        HostileCase("png_20_19000", save(Image.new("L", (20, 19_000)), "PNG"), Reason.TOO_NARROW),
        HostileCase("png_animated", _animated(grey), Reason.MULTI_FRAME),
    ]


def _spoil(png: bytes, at: int) -> bytes:
    return png[:at] + bytes([png[at] ^ 0x55]) + png[at + 1 :]


def _sixteen_bit(top: int) -> tuple[bytes, str, Check]:
    ramp = np.tile(np.linspace(0, top, 256), (64, 1))

    def check(image: NormalisedImage) -> None:
        row = pixels(image).mean(axis=0)
        assert np.abs(row - np.arange(256)).max() < 4  # a straight line from black to white: nothing clipped

    return save(Image.fromarray(ramp.astype(np.uint16)), "PNG"), OK, check


def _palette_alpha() -> tuple[bytes, str, Check]:
    image = Image.new("P", (64, 64), 0)
    image.putpalette([200, 0, 0, 0, 0, 90])
    image.paste(1, (32, 0, 64, 64))

    def check(result: NormalisedImage) -> None:
        array = pixels(result).astype(int)
        assert np.abs(array[:, :28] - (255, 255, 255)).max() < 12  # clear: the page shows, not the hidden red
        assert np.abs(array[:, 36:] - (0, 0, 90)).max() < 12

    return save(image, "PNG", transparency=b"\x00\xff"), OK, check


def _grey_alpha() -> tuple[bytes, str, Check]:
    image = Image.merge("LA", (Image.new("L", (64, 64), 50), Image.linear_gradient("L").resize((64, 64))))

    def check(result: NormalisedImage) -> None:
        column = pixels(result).mean(axis=1)
        assert column[1] > 240
        assert column[-2] < 65

    return save(image, "PNG"), OK, check


def _animated(first: Image.Image) -> bytes:
    second = first.transpose(Image.Transpose.ROTATE_180)
    return save(first, "PNG", save_all=True, append_images=[second, first])


def tiffs() -> list[HostileCase]:
    grey = scene()
    whole = save(grey, "TIFF", compression="tiff_lzw")
    plain = save(grey, "TIFF")
    pages = [Image.new("L", (16, 16), i % 256) for i in range(499)]
    many = save(Image.new("L", (16, 16)), "TIFF", save_all=True, append_images=pages)
    deep = np.asarray(grey, np.float32) * 7.5 - 300
    broken = deep.copy()
    broken[10, 10] = np.nan
    return [
        HostileCase("tiff_lzw", whole, OK, alike(grey)),
        HostileCase("tiff_lies_30000", _resize_tiff(plain, 30_000, 30_000), Reason.TOO_MANY_PIXELS),
        HostileCase("tiff_lies_3000", _resize_tiff(plain, 3_000, 3_000), Reason.TRUNCATED),
        HostileCase("tiff_cut", plain[: len(plain) // 2], Reason.TRUNCATED),
        HostileCase("tiff_signature_only", plain[:8], Reason.TRUNCATED),
        HostileCase("tiff_500_pages", many, Reason.MULTI_FRAME),
        HostileCase("tiff_loop", _loop_tiff(plain), OK, alike(grey)),
        HostileCase("tiff_float", save(Image.fromarray(deep), "TIFF"), OK, _stretched(grey)),
        HostileCase("tiff_float_nan", save(Image.fromarray(broken), "TIFF"), Reason.NOT_FINITE),
        HostileCase(
            "tiff_rotated", _rotated_tiff(grey), OK, alike(grey.transpose(Image.Transpose.ROTATE_270))
        ),
    ]


def _stretched(grey: Image.Image) -> Check:
    values = np.asarray(grey, np.float64)
    full = (values - values.min()) / (values.max() - values.min()) * 255
    return alike(Image.fromarray(full.round().astype(np.uint8)))


def _rotated_tiff(image: Image.Image) -> bytes:
    return save(image, "TIFF", tiffinfo={0x0112: 6})


def _entries(tiff: bytes) -> dict[int, int]:
    """The offsets of the first directory's entries by tag, and under 0 that of the pointer to the next one."""
    (at,) = struct.unpack_from("<I", tiff, 4)
    (count,) = struct.unpack_from("<H", tiff, at)
    found = {struct.unpack_from("<H", tiff, at + 2 + 12 * i)[0]: at + 2 + 12 * i for i in range(count)}
    return {**found, 0: at + 2 + 12 * count}


def _resize_tiff(tiff: bytes, width: int, height: int) -> bytes:
    changed = bytearray(tiff)
    for tag, value in ((256, width), (257, height), (278, height)):
        struct.pack_into("<HHII", changed, _entries(tiff)[tag], tag, 4, 1, value)
    return bytes(changed)


def _loop_tiff(tiff: bytes) -> bytes:
    changed = bytearray(tiff)
    changed[_entries(tiff)[0] : _entries(tiff)[0] + 4] = tiff[4:8]
    return bytes(changed)


def other_formats() -> list[HostileCase]:
    """Formats that Pillow could open, under whatever name; none may reach it."""
    grey = scene(64, 48)
    postscript = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 48\n(CANARYMRN) = showpage\n%%EOF\n"
    psd = b"8BPS" + struct.pack(">H6xHIIHH", 1, 1, 48, 64, 8, 1) + bytes(2000)
    files = {
        "gif": save(grey, "GIF"),
        "bmp": save(grey, "BMP"),
        "webp": save(grey, "WEBP"),
        "psd": psd,
        "eps": postscript,
        "eps_dos": b"\xc5\xd0\xd3\xc6" + struct.pack("<II", 30, len(postscript)) + bytes(18) + postscript,
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="48"/>',
        "svg_xml": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
        "pdf": b"%PDF-1.7\n%%EOF",
        "jpeg_2000": save(grey, "JPEG2000"),
        "zip": _zip(),
    }
    return [HostileCase(name, data, Reason.FORMAT_NOT_ALLOWED) for name, data in files.items()]
