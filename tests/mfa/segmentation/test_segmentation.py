"""Regions of hand-made poses; masks of drawn people; broken and foreign files."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mfa.cli import COMMANDS, run
from mfa.datasets import load_dataset
from mfa.errors import InputError
from mfa.records import ReidDataset, Sample
from mfa.segmentation import MODEL, LandmarkModel, Pose, read_masks, regions_of, write_masks
from mfa.segmentation.landmarks import framed
from mfa.segmentation.store import masks_folder
from mfa.synthetic import PARTS, SyntheticConfig, load_mask, write
from mfa.synthetic.masks import ARMS, BACKGROUND, HEAD, SHINS, THIGHS, TORSO


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> ReidDataset:
    root = tmp_path_factory.mktemp("masks")
    write(root, SyntheticConfig(train_ids=1, test_ids=8, seed=0))
    return load_dataset("synthetic", root)


def standing() -> Pose:
    """Somebody who stands upright in the middle of a picture of 100 x 50."""
    points = np.full((33, 2), (25.0, 10.0))  # the head
    places = {
        11: (20, 22), 12: (30, 22), 13: (14, 32), 14: (36, 32), 15: (12, 42), 16: (38, 42),
        19: (12, 45), 20: (38, 45), 23: (21, 48), 24: (29, 48), 25: (21, 68), 26: (29, 68),
        27: (21, 88), 28: (29, 88), 31: (21, 92), 32: (29, 92),
    }  # fmt: skip
    for number, place in places.items():
        points[number] = place
    return Pose(1.0, np.ones((100, 50), np.float32), points, np.ones(33))


def test_each_limb_takes_the_pixels_around_it() -> None:
    found = regions_of(standing())
    wanted = {(10, 25): HEAD, (35, 25): TORSO, (36, 13): ARMS, (60, 21): THIGHS, (85, 29): SHINS}
    assert {place: found[place] for place in wanted} == wanted


def test_what_is_not_the_person_is_background() -> None:
    pose = standing()
    pose.person[:, :20] = 0.49
    assert (regions_of(pose)[:, :20] == BACKGROUND).all()
    assert (regions_of(pose)[:, 20:] != BACKGROUND).all()


@pytest.mark.parametrize("size", [(64, 128), (128, 64), (200, 40)])
def test_a_picture_keeps_its_proportions_in_the_square(size: tuple[int, int]) -> None:
    square, (left, top, width, height) = framed(Image.new("RGB", size, (255, 0, 0)))
    pixels = np.asarray(square)
    assert (pixels[top + height // 2, left + width // 2] == (255, 0, 0)).all()
    assert (pixels[0, 0] == 128).all()
    if width < 256:
        assert width / height == pytest.approx(size[0] / size[1], abs=0.01)


def test_masks_of_drawn_people_find_them(data: ReidDataset) -> None:
    pytest.importorskip("ai_edge_litert")
    write_masks(data, ("query",))
    masks = read_masks(data)
    truth = np.stack([load_mask(sample.path, 128, 64) for sample in data.query])
    person = (truth > 0) & (truth <= PARTS.index("bag"))
    found = masks.parts > 0
    overlap = (person & found).sum((1, 2)) / (person | found).sum((1, 2))
    assert np.median(overlap) > 0.75
    assert masks.trusted.mean() > 0.5
    assert masks.resized([0, 3], 64, 32).shape == (2, 64, 32)
    assert (masks.resized([3], 128, 64)[0] == masks.parts[3]).all()


def test_a_second_run_goes_on_where_the_first_stopped(data: ReidDataset, tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    write_masks(data, ("query",), cache=tmp_path)
    first = read_masks(data, cache=tmp_path)
    (piece,) = masks_folder(data, tmp_path).glob("query-*.npz")
    before = piece.stat().st_mtime_ns
    write_masks(data, ("query",), cache=tmp_path)
    assert piece.stat().st_mtime_ns == before
    piece.unlink()
    write_masks(data, ("query",), cache=tmp_path)
    assert (read_masks(data, cache=tmp_path).parts == first.parts).all()


def test_a_picture_that_cannot_be_read_is_not_trusted(data: ReidDataset, tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    text, damaged = tmp_path / "0001_c1s1_000001_00.jpg", tmp_path / "0001_c1s1_000002_00.png"
    text.write_bytes(b"no picture")
    Image.effect_noise((64, 128), 80).save(damaged)
    png = damaged.read_bytes()
    damaged.write_bytes(png[:33] + b"\0\0\0\5" + png[37:])  # Pillow: SyntaxError
    one = replace(data, query=(Sample(text, 1, 1), Sample(damaged, 1, 1), data.query[0]))
    write_masks(one, ("query",), cache=tmp_path)
    assert (read_masks(one, cache=tmp_path).presence[:2] == 0).all()


def test_masks_follow_the_picture_cache(
    data: ReidDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``--cache`` sets it; a shared folder is read, not written."""
    pytest.importorskip("ai_edge_litert")
    two = replace(data, query=data.query[:2], gallery=data.gallery[:1], fingerprint="f" * 32)
    write_masks(two, ("query",), cache=data.root.parent / "cache")  # as its owner did
    command = ["data", "masks", "synthetic", "--data-root", str(data.root), "--cache"]
    monkeypatch.setattr("mfa.datasets.load_dataset", lambda *_: two)
    monkeypatch.setenv("MFA_CACHE", "")
    assert run("mfa", COMMANDS, [*command, "off", "--splits", "query"]) == 0
    assert run("mfa", COMMANDS, [*command, "off", "--splits", "gallery"]) == 2
    assert run("mfa", COMMANDS, [*command, str(tmp_path), "--splits", "query", "gallery"]) == 0
    assert [path.name for path in tmp_path.rglob("*.npz")] == ["gallery-000000.npz"]
    assert len(read_masks(two, "gallery").parts) == 1


def test_masks_that_are_not_there_name_the_command(data: ReidDataset, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="mfa data masks synthetic"):
        read_masks(data, cache=tmp_path)


def test_damaged_and_foreign_masks_are_refused(data: ReidDataset, tmp_path: Path) -> None:
    folder = masks_folder(data, tmp_path)
    folder.mkdir(parents=True)
    piece = folder / "query-000000.npz"
    piece.write_bytes(b"PK damaged")
    with pytest.raises(InputError, match="damaged"):
        read_masks(data, cache=tmp_path)
    np.savez(piece, parts=np.zeros((3, 128, 64), np.uint8), presence=np.ones(3), visible=np.ones(3))
    with pytest.raises(InputError, match="other pictures"):
        read_masks(data, cache=tmp_path)


def test_a_missing_or_other_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no mask model"):
        LandmarkModel(tmp_path / "none.tflite")
    cut = tmp_path / "cut.tflite"
    shutil.copy(MODEL, cut)
    cut.write_bytes(cut.read_bytes()[:1000])
    with pytest.raises(InputError, match="truncated or another"):
        LandmarkModel(cut)
