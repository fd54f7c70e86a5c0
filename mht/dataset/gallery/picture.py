"""An image's bytes as an address that holds them, small enough for a page of hundreds."""

from __future__ import annotations

import base64
import io

_WHOLE_BYTES = 192 << 10
_SIDE_PX = 512
_PNG = b"\x89PNG"


def data_uri(data: bytes) -> tuple[str, bool]:
    """(`data:image/…`, whether it is shown smaller than it is stored). Up to 192 KiB the bytes are as stored."""
    small = len(data) > _WHOLE_BYTES
    if small:
        data = _shrunk(data)
    kind = "png" if data.startswith(_PNG) else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}", small


def _shrunk(data: bytes) -> bytes:
    """A JPEG of 512 px at the most. The bytes are the build's own, already decoded and encoded again once."""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        image.thumbnail((_SIDE_PX, _SIDE_PX))
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
