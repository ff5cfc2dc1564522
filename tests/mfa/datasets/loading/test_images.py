from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mfa.datasets.loading import cache as cache_module
from mfa.datasets.loading.cache import cache_folder
from mfa.datasets.loading.images import load_images
from mfa.errors import InputError
from mfa.records import Sample

SIZE = {"height": 48, "width": 24}


def make(folder: Path, count: int = 7) -> list[Sample]:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    samples = []
    for i in range(count):
        array = rng.integers(0, 255, (40 + i, 20, 3)).astype(np.uint8)
        path = folder / f"{i:03}.png"
        Image.fromarray(array).save(path)
        samples.append(Sample(path, i, 1))
    return samples


@pytest.mark.parametrize("cached", [False, True])
def test_pictures_equal_a_plain_resize(tmp_path: Path, cached: bool) -> None:
    samples = make(tmp_path / "a")
    pictures = load_images(samples, **SIZE, cache=tmp_path / "cache" if cached else None)
    assert len(pictures) == 7
    for i, sample in enumerate(samples):
        plain = Image.open(sample.path).resize((24, 48), Image.Resampling.BILINEAR)
        expected = torch.from_numpy(np.array(plain)).permute(2, 0, 1)
        assert torch.equal(pictures[i], expected)
    batch = pictures.batch([4, 0, 4])
    assert batch.shape == (3, 3, 48, 24)
    assert batch.dtype == torch.uint8
    assert torch.equal(batch[0], pictures[4])
    assert torch.equal(batch[1], pictures[0])
    assert pictures.batch([]).shape == (0, 3, 48, 24)


@pytest.mark.parametrize("cached", [False, True])
def test_broken_files_are_left_out_and_the_rest_keeps_its_order(
    tmp_path: Path, cached: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    samples = make(tmp_path / "a")
    samples[0].path.write_bytes(b"")
    samples[4].path.write_text("nonsense")
    folder = tmp_path / "cache" if cached else None
    for _ in range(2):  # built, then opened
        pictures = load_images(samples, **SIZE, cache=folder)
        assert [s.pid for s in pictures.samples] == [1, 2, 3, 5, 6]
        assert [s.pid for s, _ in pictures.left_out] == [0, 4]
        assert "0 bytes" in pictures.left_out[0][1]
        plain = Image.open(samples[6].path).resize((24, 48), Image.Resampling.BILINEAR)
        assert np.array_equal(pictures[4].permute(1, 2, 0).numpy(), np.array(plain))
        assert "left out 2 of 7 pictures" in capsys.readouterr().err


@pytest.mark.parametrize("cached", [False, True])
def test_nothing_readable_is_refused(tmp_path: Path, cached: bool) -> None:
    samples = make(tmp_path / "a", count=2)
    for sample in samples:
        sample.path.write_bytes(b"")
    with pytest.raises(InputError, match="none of the 2 pictures"):
        load_images(samples, **SIZE, cache=tmp_path / "cache" if cached else None)
    assert not list(tmp_path.glob("cache/**/*.npy"))


def test_a_second_opening_decodes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = make(tmp_path / "a")
    first = load_images(samples, **SIZE, cache=tmp_path / "cache")
    monkeypatch.setattr(cache_module, "decode", lambda *_: pytest.fail("decoded again"))
    second = load_images(samples, **SIZE, cache=tmp_path / "cache")
    assert torch.equal(first.batch(range(7)), second.batch(range(7)))


def test_changed_files_and_other_lists_make_other_entries(tmp_path: Path) -> None:
    samples = make(tmp_path / "a")
    before = load_images(samples, **SIZE, cache=tmp_path / "cache")[3]
    Image.new("RGB", (20, 40), (9, 8, 7)).save(samples[3].path)
    after = load_images(samples, **SIZE, cache=tmp_path / "cache")[3]
    assert not torch.equal(before, after)
    assert after[:, 0, 0].tolist() == [9, 8, 7]
    backwards = load_images(samples[::-1], **SIZE, cache=tmp_path / "cache")
    forwards = load_images(samples, **SIZE, cache=tmp_path / "cache")
    assert torch.equal(backwards[0], forwards[6])


def test_lists_whose_names_differ_high_up_alone_are_kept_apart(tmp_path: Path) -> None:
    """Occluded-REID's query and gallery: both are 001/001_01.tif, 001/001_02.tif ..."""
    whole, occluded = make(tmp_path / "whole/001"), make(tmp_path / "occluded/001")
    Image.new("RGB", (20, 40), (9, 8, 7)).save(occluded[0].path)
    load_images(whole, **SIZE, cache=tmp_path / "cache")
    other = load_images(occluded, **SIZE, cache=tmp_path / "cache")
    assert other[0][:, 0, 0].tolist() == [9, 8, 7]


def test_a_moved_data_root_keeps_its_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "root"
    load_images(make(root / "a"), **SIZE, cache=root / "cache")
    moved = root.rename(tmp_path / "moved")
    samples = [Sample(path, 1, 1) for path in sorted((moved / "a").iterdir())]
    monkeypatch.setattr(cache_module, "decode", lambda *_: pytest.fail("decoded again"))
    load_images(samples, **SIZE, cache=moved / "cache")


def test_a_damaged_entry_is_built_again(tmp_path: Path) -> None:
    samples = make(tmp_path / "a")
    expected = load_images(samples, **SIZE, cache=tmp_path / "cache").batch(range(7))
    (file,) = tmp_path.glob("cache/*/pictures.npy")
    file.write_bytes(file.read_bytes()[:5000])
    again = load_images(samples, **SIZE, cache=tmp_path / "cache")
    assert torch.equal(again.batch(range(7)), expected)


def test_a_picture_that_can_be_read_again_is_taken_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its permissions were mended, which changes neither its time nor its length."""
    samples = make(tmp_path / "a")
    shut, opened = samples[2].path, Image.open
    with monkeypatch.context() as patch:

        def refuse(path: Path) -> Image.Image:
            if Path(path) == shut:
                raise PermissionError(13, "Permission denied")
            return opened(path)

        patch.setattr(Image, "open", refuse)
        assert len(load_images(samples, **SIZE, cache=tmp_path / "cache")) == 6
    assert len(load_images(samples, **SIZE, cache=tmp_path / "cache")) == 7


def test_no_room_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = make(tmp_path / "a")
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(InputError, match="switch the cache off"):
        load_images(samples, **SIZE, cache=tmp_path / "cache")
    assert not list(tmp_path.glob("cache/**/*.npy"))


def test_a_worker_opens_the_memory_map_again(tmp_path: Path) -> None:
    images = load_images(make(tmp_path / "a", count=60), **SIZE, cache=tmp_path / "cache")
    sent = pickle.dumps(images)
    pixels = images.batch(range(60))
    assert len(sent) < pixels.numel() / 10
    assert torch.equal(pickle.loads(sent).batch(range(60)), pixels)


def test_the_folder_of_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data/market1501"
    data.mkdir(parents=True)
    monkeypatch.delenv("MFA_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    assert cache_folder(data) == tmp_path / "data/cache"
    monkeypatch.setattr(cache_module.os, "access", lambda *_: False)  # root may write anywhere
    assert cache_folder(data) == tmp_path / "home/mfa"
    monkeypatch.setenv("MFA_CACHE", str(tmp_path / "elsewhere"))
    assert cache_folder(data) == tmp_path / "elsewhere"
    monkeypatch.setenv("MFA_CACHE", "off")
    assert cache_folder(data) is None


BUILD = """
import sys, time
from pathlib import Path

from mfa.datasets.loading.cache import cached_images
from mfa.records import Sample

folder, mine, other = map(Path, sys.argv[1:])
samples = [Sample(path, i, 1) for i, path in enumerate(sorted((folder / "a").glob("*.png")))]
mine.touch()
end = time.monotonic() + 60
while not other.exists() and time.monotonic() < end:
    time.sleep(0.001)
print(int(cached_images(samples, 48, 24, folder / "cache").pixels.sum()))
"""


def test_two_processes_may_build_at_once(tmp_path: Path) -> None:
    samples = make(tmp_path / "a", count=60)
    flags = [tmp_path / "first", tmp_path / "second"]
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", BUILD, str(tmp_path), str(mine), str(other)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for mine, other in (flags, flags[::-1])
    ]
    try:
        said = [worker.communicate(timeout=120) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    assert [worker.returncode for worker in workers] == [0, 0], said
    expected = load_images(samples, **SIZE, cache=None).batch(range(60)).sum()
    assert {int(out) for out, _ in said} == {int(expected)}
    assert len(list(tmp_path.glob("cache/*/pictures.npy"))) == 1
    assert not list(tmp_path.glob("cache/.*"))
