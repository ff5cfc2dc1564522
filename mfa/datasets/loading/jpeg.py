"""Ordinary JPEG files decoded without Pillow, to the same bytes, in less time.

The field's datasets are small JPEG files, and opening one with Pillow takes longer than decoding
it. Only files whose header leaves no question are decoded here; Pillow reads all others.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

_START = b"\xff\xd8\xff\xe0"
_TABLES = frozenset({0xDB, 0xC4, 0xDD, 0xFE})
"""Segments that say nothing of colour or rotation: tables, restart interval, comment."""

_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
"""Huffman-coded frames: baseline, extended, progressive."""

_SCAN = 0xDA


def plain_pixels(file: Path, max_pixels: int) -> np.ndarray | None:
    """The pixels of an ordinary JPEG file, (H, W, 3) uint8; ``None`` where Pillow should read it.

    Ordinary is 8-bit grey or YCbCr in JFIF, whole, without EXIF, colour profile or Adobe's marker.

    Args:
        file: to read.
        max_pixels: the largest picture to decode.
    """
    decode = _decoder()
    try:
        if decode is None or not 0 < file.stat().st_size <= 3 * max_pixels:
            return None
        with file.open("rb") as stream:
            data = stream.read(len(_START))
            if data != _START:
                return None
            data += stream.read()
        return decode(data) if 0 < _plain_area(data) <= max_pixels else None
    except (OSError, ValueError):  # absent, cut short, damaged: Pillow's path says what is wrong
        return None


def _plain_area(data: bytes) -> int:
    """Pixels of the picture by its header; 0 where a segment needs Pillow."""
    place, area = 2, 0
    while place + 4 <= len(data):
        lead, marker, length = struct.unpack_from(">BBH", data, place)
        body = data[place + 4 : place + 2 + length]
        if lead != 0xFF or length < 2:
            return 0
        if marker == _SCAN:
            return area
        if marker in _FRAMES and len(body) > 5:
            bits, height, width, channels = struct.unpack_from(">BHHB", body)
            if bits != 8 or channels not in (1, 3):
                return 0
            area = height * width
        elif not (marker in _TABLES or (marker == 0xE0 and body.startswith(b"JFIF\0"))):
            return 0
        place += 2 + length
    return 0


@cache
def _decoder() -> Callable[[bytes], np.ndarray] | None:
    """The decoder of simplejpeg; ``None`` without it, or where Pillow gives other bytes."""
    try:
        from simplejpeg import decode_jpeg
    except ImportError:
        return None

    def decode(data: bytes) -> np.ndarray:
        return decode_jpeg(data, "RGB", strict=True)

    noise = np.random.default_rng(0).integers(0, 256, (37, 21, 3), dtype=np.uint8)
    colour = Image.fromarray(noise)
    kinds: list[dict[str, Any]] = [{"subsampling": kind} for kind in (0, 1, 2)]
    for image in (colour, colour.convert("L")):
        for options in (*kinds, {"progressive": True}):
            image.save(stream := io.BytesIO(), "JPEG", quality=80, **options)
            by_pillow = np.asarray(Image.open(stream).convert("RGB"))
            if not np.array_equal(decode(stream.getvalue()), by_pillow):
                return None
    return decode
