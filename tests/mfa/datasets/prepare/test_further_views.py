"""Further views: whole folders, equal for equal arguments, read back as a dataset."""

import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mfa.datasets import load_dataset
from mfa.datasets.prepare.further_views import view, write_views
from mfa.errors import InputError
from mfa.records import ReidDataset


@pytest.fixture
def data(market: Path) -> ReidDataset:
    return load_dataset("market1501", market)


def test_the_folder_is_read_as_a_dataset_to_train_on(data: ReidDataset, tmp_path: Path) -> None:
    folder = write_views(data, tmp_path / "views", copies=2)
    views = load_dataset("folder", folder)
    assert len(views.train) == 3 * len(data.train)
    assert not views.query
    assert not views.gallery
    by_name = {sample.path.name: sample for sample in views.train}
    for sample in data.train:
        assert by_name[sample.path.name].path.read_bytes() == sample.path.read_bytes()
        for copy in (1, 2):
            made = by_name[f"{sample.path.stem}_view{copy}.jpg"]
            assert (made.pid, made.camid) == (sample.pid, sample.camid)
            assert Image.open(made.path).size == Image.open(sample.path).size


def test_equal_arguments_give_equal_files_and_another_seed_others(
    data: ReidDataset, tmp_path: Path
) -> None:
    first, second, other = (
        load_dataset("folder", write_views(data, tmp_path / name, copies=1, seed=seed))
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert first.fingerprint == second.fingerprint != other.fingerprint


def test_a_joined_view_has_one_picture_above_the_other() -> None:
    red, blue = (Image.new("RGB", (64, 128), colour) for colour in ((250, 0, 0), (0, 0, 250)))
    for seed in range(20):
        pixels = np.asarray(view(red, blue, np.random.default_rng(seed)), dtype=int)
        above, below = pixels[24, 32], pixels[104, 32]
        assert above[0] > above[2]
        assert below[2] > below[0]
        alone = np.asarray(view(red, None, np.random.default_rng(seed)), dtype=int)
        assert (alone[..., 0] > alone[..., 2]).all()


def test_views_differ_from_each_other() -> None:
    picture = Image.effect_noise((64, 128), 80).convert("RGB")
    made = [np.asarray(view(picture, None, np.random.default_rng(seed))) for seed in range(5)]
    for number, one in enumerate(made):
        assert all((one != other).any() for other in made[number + 1 :])


def test_a_broken_picture_is_named_and_left_out(
    data: ReidDataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = data.train[0].path
    broken.write_bytes(b"")
    views = load_dataset("folder", write_views(data, tmp_path / "views", copies=1))
    assert len(views.train) == 2 * (len(data.train) - 1)
    assert f"left out: {broken} is empty" in capsys.readouterr().err


def test_what_cannot_be_done_is_said_and_leaves_nothing(
    data: ReidDataset, tmp_path: Path, tree: Callable[[Path, dict[str, Iterable[str]]], Path]
) -> None:
    there = tmp_path / "there"
    there.mkdir()
    with pytest.raises(InputError, match="exists already"):
        write_views(data, there, copies=1)
    with pytest.raises(InputError, match="copies must be 1 or more"):
        write_views(data, tmp_path / "none", copies=0)
    with pytest.raises(InputError, match="no training pictures"):
        write_views(replace(data, train=()), tmp_path / "none", copies=1)
    twin = replace(data.train[0], path=tmp_path / "elsewhere" / data.train[0].path.name)
    with pytest.raises(InputError, match="2 names of training pictures or of their views"):
        write_views(replace(data, train=(*data.train, twin)), tmp_path / "none", copies=1)
    for place in (there / "file", data.train[0].path / "below"):
        (there / "file").touch()
        with pytest.raises(InputError, match=rf"(exists already|cannot be written to {place})"):
            write_views(data, place, copies=1)
    (there / "file").unlink()
    with pytest.raises(InputError, match="0 or more, got -1"):
        write_views(data, tmp_path / "none", copies=1, seed=-1)
    for sample in data.train:
        sample.path.write_bytes(b"")
    with pytest.raises(InputError, match="none of the 12 training pictures can be read"):
        write_views(data, tmp_path / "none", copies=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["root", "there"]


def test_the_disk_it_takes_is_said_first(
    data: ReidDataset,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for sample in data.train:
        Image.effect_noise((128, 256), 60).convert("RGB").save(sample.path, quality=95)
    folder = write_views(data, tmp_path / "views", copies=3)
    said = re.match(
        r"12 pictures and 36 views of them take about (\S+) MiB in ", capsys.readouterr().err
    )
    assert said is not None
    taken = sum(path.stat().st_size for path in folder.glob("*.jpg")) / 2**20
    assert float(said[1]) == pytest.approx(taken, rel=0.25)
    assert taken > 1

    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 8, 2**20))
    with pytest.raises(InputError, match=r"the views need about .* and .* has 1 MiB free; free"):
        write_views(data, tmp_path / "full", copies=3)
    assert not (tmp_path / "full").exists()


def test_pictures_that_differ_by_their_ending_alone_keep_their_views_apart(
    data: ReidDataset, tmp_path: Path
) -> None:
    first, second = data.train[0], data.train[4]
    twin = replace(second, path=second.path.with_name(f"{first.path.stem}.png"))
    Image.open(second.path).save(twin.path)
    folder = write_views(replace(data, train=(first, twin)), tmp_path / "views", copies=1)
    views = load_dataset("folder", folder)
    assert {sample.path.name: sample.pid for sample in views.train} == {
        first.path.name: first.pid,
        twin.path.name: second.pid,
        f"{first.path.name}_view1.jpg": first.pid,
        f"{twin.path.name}_view1.jpg": second.pid,
    }
    with pytest.raises(InputError, match=r"2 names .*come more than once.* no views of views"):
        write_views(views, tmp_path / "more", copies=1)
