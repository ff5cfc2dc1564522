from __future__ import annotations

import shutil
from dataclasses import replace
from math import isfinite, log
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from mfa.config import Config, derive
from mfa.datasets import load_dataset
from mfa.errors import InputError
from mfa.records import EpochRecord, ReidDataset
from mfa.runs.checkpoint import CHECKPOINT, load_checkpoint
from mfa.runs.history import HISTORY, read_history
from mfa.training.fit import fit

CLOCK = ["seconds", "images_per_second"]


def train(config: Config, data: ReidDataset, run: Path | None, **keys: Any) -> list[EpochRecord]:
    return list(fit(config, data, run, device="cpu", progress=False, **keys))


def assert_same_run(first: Path, second: Path) -> None:
    """Weights, centers, optimiser and history, to the last bit."""
    assert load_checkpoint(first / CHECKPOINT).equals(load_checkpoint(second / CHECKPOINT))
    pd.testing.assert_frame_equal(
        read_history(first).drop(columns=CLOCK),
        read_history(second).drop(columns=CLOCK),
        check_exact=True,
    )


def test_one_seed_gives_one_run_bit_for_bit(
    tiny_run: Path, tiny_config: Config, tiny_data: ReidDataset, tmp_path: Path
) -> None:
    torch.manual_seed(12345)  # the surroundings must not matter
    state = torch.get_rng_state()
    train(tiny_config, tiny_data, tmp_path / "again")
    assert torch.equal(torch.get_rng_state(), state)
    assert_same_run(tiny_run, tmp_path / "again")


def test_a_resumed_run_equals_an_uninterrupted_one(
    tiny_run: Path, tiny_config: Config, tiny_data: ReidDataset, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    for record in fit(tiny_config, tiny_data, run, device="cpu", progress=False):
        assert record.epoch == 1
        break
    # Breaking out leaves a whole run of one epoch.
    assert load_checkpoint(run / CHECKPOINT).epoch == 1
    assert read_history(run)["epoch"].tolist() == [1]
    assert {f.name for f in run.iterdir()} == {CHECKPOINT, HISTORY, "config.json"}
    records = train(tiny_config, tiny_data, run, resume=True)
    assert [record.epoch for record in records] == [2]
    assert_same_run(tiny_run, run)


def test_another_seed_gives_another_run(
    tiny_run: Path, tiny_config: Config, tiny_data: ReidDataset
) -> None:
    (record,) = train(one_epoch(replace(tiny_config, seed=4)), tiny_data, None)
    assert record.losses["total"] != read_history(tiny_run)["total"][0]


def one_epoch(config: Config, **data: Any) -> Config:
    return replace(config, data=replace(config.data, **data), optim=replace(config.optim, epochs=1))


@pytest.mark.parametrize("data", [{"cache": False}, {"workers": 1}])
def test_how_pictures_are_read_changes_no_number(
    tiny_config: Config, tiny_data: ReidDataset, data: dict[str, Any]
) -> None:
    (expected,) = train(one_epoch(tiny_config), tiny_data, None)
    (record,) = train(one_epoch(tiny_config, **data), tiny_data, None)
    clock = dict.fromkeys(CLOCK, 0.0)
    assert replace(record, **clock) == replace(expected, **clock)


def test_the_record_tells_all_terms_and_history_keeps_it(
    tiny_config: Config, tiny_data: ReidDataset, tmp_path: Path
) -> None:
    (record,) = train(one_epoch(tiny_config), tiny_data, tmp_path)
    whole = {"total", "id", "triplet", "center", "gla"}
    each = {f"branch{n}/{term}" for n in (1, 2) for term in ("id", "triplet", "center", "gla")}
    assert record.losses.keys() == whole | each
    mean = (record.losses["branch1/id"] + record.losses["branch2/id"]) / 2
    assert record.losses["id"] == pytest.approx(mean)
    assert record.losses["id"] == pytest.approx(log(6), rel=0.5)  # six people, hardly trained
    each = {f"{figure}/branch{n}" for figure in ("centroid", "r2") for n in (1, 2)}
    assert record.separation.keys() == {"map_cosine", "in_order"} | each
    assert record.feature_norm > 0
    # Three or four batches of six, as the draw allows.
    assert record.images_per_second * record.seconds in (pytest.approx(18), pytest.approx(24))
    row = read_history(tmp_path).iloc[0]
    for name, value in {**record.losses, **record.separation, "lr": record.lr}.items():
        assert row[name] == value


def test_the_loss_falls(tiny_config: Config, tiny_data: ReidDataset) -> None:
    config = derive(tiny_config, {"optim.epochs": 5, "optim.warmup_epochs": 0})
    records = train(config, tiny_data, None)
    assert records[-1].losses["id"] < 0.92 * records[0].losses["id"]
    assert records[-1].losses["triplet"] < records[0].losses["triplet"]
    assert not any(record.warnings for record in records)


def test_without_a_folder_nothing_is_written(
    tiny_config: Config, tiny_data: ReidDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    next(fit(tiny_config, tiny_data, device="cpu", progress=False, cache=tmp_path / "cache"))
    assert {file.name for file in tmp_path.iterdir()} == {"cache"}


def test_broken_pictures_are_left_out_and_counted(
    draw: Any, tiny_config: Config, tmp_path: Path
) -> None:
    root = draw(tmp_path / "root")
    folder = root / "synthetic/bounding_box_train"
    cut = folder / "0002_c1s1_000001_00.jpg"
    cut.write_bytes(cut.read_bytes()[:300])
    for file in folder.glob("0005_*"):  # all pictures of a person
        file.write_bytes(b"")
    data = load_dataset("synthetic", root)
    config = one_epoch(tiny_config, pids=5)
    (record,) = train(config, data, tmp_path / "run")
    assert isfinite(record.losses["total"])
    checkpoint = load_checkpoint(tmp_path / "run" / CHECKPOINT)
    assert checkpoint.identities == 5
    assert checkpoint.facts["training_pictures"] == 19
    left_out = checkpoint.facts["left_out"]
    assert len(left_out) == 5
    assert left_out[0].startswith("0002_c1s1_000001_00.jpg: ")
    assert "truncated" in left_out[0]
    assert all("0 bytes" in sentence for sentence in left_out[1:])


def test_people_with_one_picture_are_counted(
    tiny_config: Config, tiny_data: ReidDataset, capsys: pytest.CaptureFixture[str]
) -> None:
    first = tiny_data.train[0]
    others = [sample for sample in tiny_data.train if sample.pid != first.pid]
    train(one_epoch(tiny_config), replace(tiny_data, train=(first, *others)), None)
    assert "1 of 6 identities have one training picture" in capsys.readouterr().err
    train(one_epoch(tiny_config), tiny_data, None)
    assert "one training picture" not in capsys.readouterr().err


def test_progress_rises_to_the_end_of_the_training_and_can_stop_it(
    tiny_config: Config, tiny_data: ReidDataset, tmp_path: Path
) -> None:
    seen: list[float] = []
    list(fit(tiny_config, tiny_data, device="cpu", progress=seen.append))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert 0.5 in seen

    def stop(fraction: float) -> None:
        if fraction > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(fit(tiny_config, tiny_data, tmp_path, device="cpu", progress=stop))
    assert load_checkpoint(tmp_path / CHECKPOINT).epoch == 1
    assert not (tmp_path / ".lock").exists()


def test_data_that_cannot_be_trained_on(
    tiny_config: Config, tiny_data: ReidDataset, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="synthetic has no training pictures"):
        train(tiny_config, replace(tiny_data, train=()), None)
    many = derive(tiny_config, {"data.pids": 7})
    with pytest.raises(InputError, match=r"takes 7 identities .* has 6; lower data\.pids"):
        train(many, tiny_data, tmp_path / "run")
    # The refused run is not in the way of the mended one.
    assert next(fit(tiny_config, tiny_data, tmp_path / "run", device="cpu", progress=False))


def test_resuming_with_other_data_is_refused(
    tiny_run: Path, tiny_config: Config, tiny_data: ReidDataset, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(tiny_run, tmp_path / "run"))
    before = (run / CHECKPOINT).read_bytes()
    other = replace(tiny_data, fingerprint="0123")
    with pytest.raises(InputError, match=r"fingerprint .*, these data have 0123; resume with"):
        train(tiny_config, other, run, resume=True)
    assert (run / CHECKPOINT).read_bytes() == before


def test_a_finished_run_has_nothing_to_resume(
    tiny_run: Path, tiny_config: Config, tiny_data: ReidDataset, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(tiny_run, tmp_path / "run"))
    with pytest.raises(InputError, match="already holds a run"):
        train(tiny_config, tiny_data, run)
    assert train(tiny_config, tiny_data, run, resume=True) == []
    assert_same_run(tiny_run, run)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="mixed precision needs a GPU")
def test_mixed_precision_trains_and_resumes_on_a_gpu(
    tiny_config: Config, tiny_data: ReidDataset, tmp_path: Path
) -> None:
    for resume in (False, True):
        for record in fit(
            tiny_config, tiny_data, tmp_path, device="cuda", progress=False, resume=resume
        ):
            assert all(isfinite(value) for value in record.losses.values())
            break
    checkpoint = load_checkpoint(tmp_path / CHECKPOINT)
    assert checkpoint.epoch == 2
    assert checkpoint.facts["scaler"]["scale"] > 0
    weights = checkpoint.part("model")
    assert {value.dtype for value in weights.values()} == {torch.float32, torch.int64}
