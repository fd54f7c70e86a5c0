"""What a file is by its first bytes; its name is never asked."""

from __future__ import annotations

ALLOWED = ("JPEG", "PNG", "TIFF", "DICOM")

# (offset, magic, name). Only the first four are decoded; the others are here so that a refusal can name them.
_MAGIC = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (0, b"II*\x00", "TIFF"),
    (0, b"MM\x00*", "TIFF"),
    (0, b"II+\x00", "TIFF"),
    (0, b"MM\x00+", "TIFF"),
    (0, b"GIF8", "GIF"),
    (0, b"BM", "BMP"),
    (8, b"WEBP", "WebP"),
    (0, b"8BPS", "PSD"),
    (0, b"%!PS", "EPS"),
    (0, b"\xc5\xd0\xd3\xc6", "EPS"),
    (0, b"%PDF", "PDF"),
    (0, b"\x00\x00\x01\x00", "ICO"),
    (0, b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (4, b"ftypavif", "AVIF"),
    (4, b"ftypheic", "HEIC"),
    (4, b"ftypmif1", "HEIF"),
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (0, b"PK\x03\x04", "ZIP"),
    (0, b"\x1f\x8b", "gzip"),
)
_MARKUP = (b"<?xml", b"<!doctype", b"<html", b"<error", b"<svg")
_EARLY_VRS = frozenset((b"UL", b"OB", b"UI", b"CS", b"SH", b"DA", b"TM", b"LO", b"DT", b"PN", b"ST", b"SQ"))


def sniff(data: bytes) -> str | None:
    """The format's name, "markup" for HTML or XML, None for what is not recognised.

    A DICOM file is one with `DICM` at byte 128, whatever its preamble says (a TIFF's header may stand there),
    or one without preamble that opens with an element of group 0002 or 0008.
    """
    if data[128:132] == b"DICM":
        return "DICOM"
    for offset, magic, name in _MAGIC:
        if data.startswith(magic, offset) and not (name == "WebP" and not data.startswith(b"RIFF")):
            return name
    if _opens_like_dicom(data):
        return "DICOM"
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(_MARKUP):
        return "SVG" if b"<svg" in head else "markup"
    return None


def _opens_like_dicom(data: bytes) -> bool:
    """Whether bare bytes begin with an early element, in any of the three uncompressed encodings."""
    if len(data) < 12:
        return False
    for order in ("little", "big"):
        group = int.from_bytes(data[0:2], order)
        element = int.from_bytes(data[2:4], order)
        if group not in (0x0002, 0x0008) or element > 0x00FF:
            continue
        if data[4:6] in _EARLY_VRS:
            return True
        # implicit VR exists in little endian only; a length that fits tells it from chance
        if order == "little" and int.from_bytes(data[4:8], order) <= len(data) - 8:
            return True
    return False
