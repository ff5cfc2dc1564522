from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mfa.datasets import read_image
from mfa.errors import InputError


def colours(height: int = 40, width: int = 20) -> np.ndarray:
    """Red above, blue below, so that a rotation or a swapped channel shows."""
    array = np.zeros((height, width, 3), np.uint8)
    array[: height // 2, :, 0] = 255
    array[height // 2 :, :, 2] = 255
    return array


def test_rgb_is_returned_unchanged(tmp_path: Path) -> None:
    Image.fromarray(colours()).save(tmp_path / "a.png")
    assert np.array_equal(np.asarray(read_image(tmp_path / "a.png")), colours())


def test_greyscale_has_three_equal_channels(tmp_path: Path) -> None:
    grey = np.arange(200, dtype=np.uint8).reshape(20, 10)
    Image.fromarray(grey).save(tmp_path / "a.png")
    array = np.asarray(read_image(tmp_path / "a.png"))
    assert array.shape == (20, 10, 3)
    assert (array == grey[..., None]).all()


def test_sixteen_bits_keep_the_upper_byte(tmp_path: Path) -> None:
    wide = np.array([[0, 256, 32768, 65535]], np.uint16)
    Image.fromarray(wide).save(tmp_path / "a.png")
    assert np.asarray(read_image(tmp_path / "a.png"))[0, :, 0].tolist() == [0, 1, 128, 255]


def test_cmyk_comes_out_red_above_and_blue_below(tmp_path: Path) -> None:
    Image.fromarray(colours()).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    array = np.asarray(read_image(tmp_path / "a.jpg")).astype(int)
    assert array.shape == (40, 20, 3)
    assert array[5, 10, 0] > 200 > 60 > array[5, 10, 2]
    assert array[35, 10, 2] > 200 > 60 > array[35, 10, 0]


def test_transparency_is_laid_over_white(tmp_path: Path) -> None:
    layer = np.dstack([colours(), np.zeros((40, 20), np.uint8)])
    layer[30:, :, 3] = 255
    Image.fromarray(layer).save(tmp_path / "a.png")
    array = np.asarray(read_image(tmp_path / "a.png"))
    assert array[0, 0].tolist() == [255, 255, 255]
    assert array[39, 0].tolist() == [0, 0, 255]


def test_palette_gives_its_colours(tmp_path: Path) -> None:
    Image.fromarray(colours()).quantize(4).save(tmp_path / "a.png")
    assert np.array_equal(np.asarray(read_image(tmp_path / "a.png")), colours())


def test_exif_rotation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    Image.fromarray(colours()).save(tmp_path / "a.jpg", exif=exif, quality=95)
    array = np.asarray(read_image(tmp_path / "a.jpg")).astype(int)
    assert array[5, 10, 2] > 200 > array[5, 10, 0]
    exif[0x0112] = 6  # lying on its side: height and width change places
    Image.fromarray(colours()).save(tmp_path / "b.jpg", exif=exif)
    assert read_image(tmp_path / "b.jpg").size == (40, 20)


def broken(kind: str, folder: Path) -> Path:
    path = folder / "person.jpg"
    noise = np.random.default_rng(0).integers(0, 255, (128, 64, 3)).astype(np.uint8)
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("not a picture at all")
    elif kind == "page":
        path.write_text("<!DOCTYPE html><html>404</html>")
    elif kind == "pointer":
        path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    elif kind == "folder":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "dangling":
        path.symlink_to(folder / "nowhere.jpg")
    elif kind in ("truncated", "png"):
        Image.fromarray(noise).save(path, format="JPEG" if kind == "truncated" else "PNG")
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif kind == "damaged":
        Image.fromarray(noise).save(path, format="PNG")
        data = bytearray(path.read_bytes())
        data[60:80] = b"\0" * 20
        path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("empty", "empty (0 bytes)"),
        ("text", "is not a picture"),
        ("page", "a web page"),
        ("pointer", "git lfs pull"),
        ("folder", "is a folder"),
        ("loop", "leads back to itself"),
        ("dangling", "does not exist"),
        ("absent", "does not exist"),
        ("truncated", "truncated"),
        ("png", "truncated"),
        ("damaged", "damaged"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, kind: str, says: str) -> None:
    path = broken(kind, tmp_path)
    with pytest.raises(InputError) as caught:
        read_image(path)
    assert str(path) in str(caught.value)
    assert says in str(caught.value)
