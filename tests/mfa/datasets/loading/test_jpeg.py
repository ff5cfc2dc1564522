from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mfa.datasets import read_image
from mfa.datasets.loading import jpeg
from mfa.datasets.loading.decode import MAX_PIXELS, decode
from mfa.errors import InputError

pytest.importorskip("simplejpeg")


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    jpeg._decoder.cache_clear()
    yield
    jpeg._decoder.cache_clear()


def picture(mode: str = "RGB") -> Image.Image:
    coarse = np.random.default_rng(0).integers(0, 256, (16, 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((51, 101), Image.Resampling.BICUBIC).convert(mode)


def saved(folder: Path, mode: str = "RGB", **options: Any) -> Path:
    picture(mode).save(folder / "a.jpg", **options)
    return folder / "a.jpg"


def by_pillow(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize(
    "options",
    [
        {"subsampling": 0},
        {"subsampling": 1},
        {"subsampling": 2},
        {"progressive": True},
        {"comment": "by camera 3"},
        {"restart_marker_blocks": 4},
    ],
    ids=lambda options: "".join(options),
)
def test_ordinary_files_give_pillows_bytes(
    tmp_path: Path, mode: str, options: dict[str, Any]
) -> None:
    path = saved(tmp_path, mode, **options)
    pixels = jpeg.plain_pixels(path, MAX_PIXELS)
    assert pixels is not None
    assert np.array_equal(pixels, by_pillow(path))
    assert np.array_equal(np.asarray(read_image(path)), pixels)
    assert np.array_equal(decode(path, 101, 51), pixels.transpose(2, 0, 1))


def test_another_size_is_resized_as_pillows_picture(tmp_path: Path) -> None:
    path = saved(tmp_path)
    wanted = Image.open(path).resize((32, 64), Image.Resampling.BILINEAR)
    assert np.array_equal(decode(path, 64, 32), np.asarray(wanted).transpose(2, 0, 1))


def rotated() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif.tobytes()


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("CMYK", {}),
        ("RGB", {"exif": rotated()}),
        ("RGB", {"icc_profile": b"a profile"}),
        ("RGB", {"keep_rgb": True}),
        ("RGB", {"format": "PNG"}),
    ],
    ids=["cmyk", "exif", "profile", "stored as RGB", "png"],
)
def test_what_asks_for_care_is_left_to_pillow(
    tmp_path: Path, mode: str, options: dict[str, Any]
) -> None:
    assert jpeg.plain_pixels(saved(tmp_path, mode, **options), MAX_PIXELS) is None


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def spoilt(data: bytes) -> bytes:
    """With one byte missing in the middle of the scan."""
    return data[: len(data) // 2] + data[len(data) // 2 + 1 :]


def huge(data: bytes) -> bytes:
    """With a header that claims 65500 x 65500 pixels."""
    frame = data.index(b"\xff\xc0") + 5
    return data[:frame] + (65500).to_bytes(2, "big") * 2 + data[frame + 4 :]


def flat(data: bytes) -> bytes:
    """With a header that claims no rows."""
    frame = data.index(b"\xff\xc0") + 5
    return data[:frame] + bytes(2) + data[frame + 2 :]


@pytest.mark.parametrize(
    "damage", [cut, spoilt, huge, flat, lambda data: data[:30], lambda data: b""]
)
def test_damaged_files_end_as_with_pillow_alone(
    tmp_path: Path, damage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path)
    path.write_bytes(damage(path.read_bytes()))

    def outcome() -> object:
        try:
            return read_image(path).tobytes()
        except InputError as error:
            return str(error)

    here = outcome()
    monkeypatch.setattr("mfa.datasets.loading.decode.plain_pixels", lambda *_: None)
    assert outcome() == here


def test_a_picture_above_the_limit_is_not_decoded(tmp_path: Path) -> None:
    assert jpeg.plain_pixels(saved(tmp_path), 51 * 101) is not None
    assert jpeg.plain_pixels(tmp_path / "a.jpg", 51 * 101 - 1) is None


def test_no_file_is_left_to_pillow(tmp_path: Path) -> None:
    assert jpeg.plain_pixels(tmp_path, MAX_PIXELS) is None
    assert jpeg.plain_pixels(tmp_path / "nowhere.jpg", MAX_PIXELS) is None


def test_pillow_reads_all_without_simplejpeg(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path)
    monkeypatch.setitem(sys.modules, "simplejpeg", None)
    assert jpeg.plain_pixels(path, MAX_PIXELS) is None
    assert np.array_equal(np.asarray(read_image(path)), by_pillow(path))


def test_pillow_reads_all_where_the_bytes_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import simplejpeg

    right = simplejpeg.decode_jpeg
    path = saved(tmp_path)
    monkeypatch.setattr(
        simplejpeg, "decode_jpeg", lambda *args, **options: right(*args, **options) ^ 1
    )
    assert jpeg.plain_pixels(path, MAX_PIXELS) is None
