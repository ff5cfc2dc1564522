from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from mfa.config import Config
from mfa.datasets import load_dataset
from mfa.errors import InputError
from mfa.inference.evaluate import (
    check_scorable,
    evaluate,
    extract_features,
    measure_separation,
    resolve,
)
from mfa.models.separation import separation
from mfa.records import ReidDataset
from mfa.runs.run import Run, open_run, untrained


@pytest.fixture
def run(tiny_run: Path, tmp_path: Path) -> Run:
    """A copy of the tiny run, without features."""
    ignore = shutil.ignore_patterns("features", "results")
    return open_run(Path(shutil.copytree(tiny_run, tmp_path / "tiny", ignore=ignore)))


def no_embedding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Run, "embed", lambda *_, **__: pytest.fail("computed again"))


def slow_map(run: Run, data: ReidDataset) -> float:
    """Mean AP from the pictures themselves, by loops."""

    def descriptor(path: Path) -> np.ndarray:
        pixels = torch.from_numpy(np.array(Image.open(path))).permute(2, 0, 1)
        with torch.no_grad():
            return run.model(pixels[None] / 255).descriptor[0].double().numpy()

    gallery = [(s.pid, s.camid, descriptor(s.path)) for s in data.gallery if s.pid != -1]
    precisions = []
    for query in data.query:
        own = descriptor(query.path)
        ranked = sorted(
            (1 - float(own @ other), pid)
            for pid, camid, other in gallery
            if not (pid == query.pid and camid == query.camid)
        )
        hits, total = 0, 0.0
        for rank, (_, pid) in enumerate(ranked, start=1):
            if pid == query.pid:
                hits += 1
                total += hits / rank
        precisions.append(total / hits)
    return sum(precisions) / len(precisions)


def test_the_score_is_that_of_a_slow_loop(run: Run, tiny_data: ReidDataset) -> None:
    result = evaluate(run, tiny_data)
    assert 0.2 < result.mAP < 0.95  # at 1 any order of the matches would do
    assert result.mAP == pytest.approx(slow_map(run, tiny_data), abs=1e-9)
    assert len(result.counted) == 4
    assert result.gallery == len(tiny_data.gallery)


def test_the_card_tells_what_was_scored(
    run: Run, tiny_data: ReidDataset, tiny_config: Config
) -> None:
    card = evaluate(run, tiny_data).card
    expected = {
        "dataset": "synthetic",
        "fingerprint": tiny_data.fingerprint,
        "flip": False,
        "input_size": "64x32",
        "seed": tiny_config.seed,
        "checkpoint": run.hash,
        "model": "tiny",
        "epochs": 2,
        "trained_on": "synthetic",
        "left_out": [],
        "junk": 1,
        "branches": ["branch1", "branch2"],
    }
    assert {name: card[name] for name in expected} == expected


def test_a_second_call_reads_the_file(
    run: Run, tiny_data: ReidDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = evaluate(run, tiny_data)
    no_embedding(monkeypatch)
    second = evaluate(run, tiny_data)
    assert second.card == first.card
    assert second.per_query.equals(first.per_query)
    assert evaluate(run, tiny_data, distance="euclidean").card != first.card


def test_other_weights_data_or_flips_do_not(
    run: Run, tiny_data: ReidDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = extract_features(run, tiny_data)
    tensors = dict(run.checkpoint.tensors)
    tensors["model.heads.branch1.neck.bias"] = tensors["model.heads.branch1.neck.bias"] + 1
    other = Run(run.path, replace(run.checkpoint, tensors=tensors))
    after = extract_features(other, tiny_data)
    shift = after.query.features - before.query.features
    width = run.model.widths["branch1"]
    np.testing.assert_allclose(shift[:, :width], 1, atol=1e-4)
    np.testing.assert_allclose(shift[:, width:], 0, atol=1e-4)

    mirrored = extract_features(run, tiny_data, flip=True)
    assert not np.allclose(mirrored.query.features, before.query.features, atol=1e-3)
    assert mirrored.origin["flip"] is True
    renamed = replace(tiny_data, fingerprint="f" * 32)
    assert extract_features(run, renamed).origin["fingerprint"] == "f" * 32
    assert run.path is not None
    assert len(list((run.path / "features").iterdir())) == 4
    no_embedding(monkeypatch)
    kept = extract_features(run, tiny_data)
    assert np.array_equal(kept.query.features, before.query.features)
    assert kept.branches == tuple(run.model.widths.items())


def test_random_weights_are_scored_and_leave_no_file(
    tiny_config: Config, draw: Any, tmp_path: Path
) -> None:
    root = draw(tmp_path / "data")
    data = load_dataset("synthetic", root)
    result = evaluate(untrained(tiny_config), data)
    assert 0 < result.mAP <= 1
    assert result.card["trained_on"] == "nothing"
    assert {file.name for file in root.iterdir()} == {"synthetic", "cache"}
    assert {file.name for file in tmp_path.iterdir()} == {"data"}


def test_odd_pictures_are_read_and_broken_ones_left_out_and_counted(
    run: Run, draw: Any, tmp_path: Path
) -> None:
    root = draw(tmp_path / "data")
    gallery = root / "synthetic/bounding_box_test"
    grey = gallery / "0011_c2s1_000002_00.jpg"
    Image.open(grey).convert("L").save(grey)
    cut = gallery / "0012_c2s1_000002_00.jpg"
    cut.write_bytes(cut.read_bytes()[:400])
    query = root / "synthetic/query/0014_c1s1_000001_00.jpg"
    query.write_bytes(b"")
    data = load_dataset("synthetic", root)
    for _ in range(2):  # computed, then read
        result = evaluate(run, data)
        assert result.gallery == len(data.gallery) - 1
        assert len(result.per_query) == 3
        left_out = result.card["left_out"]
        assert len(left_out) == 2
        assert left_out[0].startswith(query.name)
        assert left_out[1].startswith(cut.name)
        names = result.ranking(0, k=20)["name"].tolist()
        assert grey.name in names
        assert cut.name not in names


def test_positives_all_on_the_querys_camera(run: Run, draw: Any, tmp_path: Path) -> None:
    names = [f"{pid:04}_c1s1_000002_00.jpg" for pid in range(11, 15)]
    data = load_dataset("synthetic", draw(tmp_path / "data", gallery=names))
    words = r"none of 4 queries .*all by the query's own camera"
    with pytest.raises(InputError, match=words) as error:
        evaluate(run, data)
    assert "camera_filter=False" in str(error.value)
    assert len(evaluate(run, data, camera_filter=False).counted) == 4


def test_a_query_without_other_cameras_is_dropped_with_its_reason(
    run: Run, draw: Any, tmp_path: Path
) -> None:
    names = [f"{pid:04}_c2s1_000002_00.jpg" for pid in (11, 12)] + ["0013_c1s1_000002_00.jpg"]
    data = load_dataset("synthetic", draw(tmp_path / "data", gallery=names))
    result = evaluate(run, data)
    assert result.counted["pid"].tolist() == [11, 12]
    reasons = dict(zip(result.dropped["pid"], result.dropped["status"], strict=True))
    assert reasons.keys() == {13, 14}
    assert "camera" in reasons[13]
    assert reasons[13] != reasons[14]


def test_which_dataset_is_meant(
    run: Run, tiny_data: ReidDataset, tiny_root: Path, tiny_config: Config
) -> None:
    assert resolve(run, tiny_data) is tiny_data
    assert resolve(run, None, tiny_root) == tiny_data  # what it was trained on
    assert resolve(untrained(tiny_config), "synthetic", tiny_root) == tiny_data
    with pytest.raises(InputError, match="say which dataset to score on"):
        resolve(untrained(tiny_config), None, tiny_root)


def test_a_dataset_without_queries_is_refused(run: Run, tiny_data: ReidDataset) -> None:
    says = r"synthetic at .* has no query pictures, so .*; score on another dataset \(--data NAME\)"
    with pytest.raises(InputError, match=says):
        evaluate(run, replace(tiny_data, query=()))
    with pytest.raises(InputError, match="has no query and no gallery pictures"):
        evaluate(run, replace(tiny_data, query=(), gallery=()))


def test_whether_data_can_be_scored_is_known_before_a_training(
    tiny_config: Config, draw: Any, tmp_path: Path
) -> None:
    data = load_dataset("synthetic", draw(tmp_path))
    check_scorable(tiny_config, data)
    with pytest.raises(InputError, match="has no gallery pictures"):
        check_scorable(tiny_config, replace(data, gallery=()))
    strangers = tuple(replace(sample, pid=sample.pid + 100) for sample in data.query)
    with pytest.raises(InputError, match=r"synthetic at .*: none of 4 queries can be scored"):
        check_scorable(tiny_config, replace(data, query=strangers))
    near = tuple(sample for sample in data.gallery if sample.camid == 1)
    with pytest.raises(InputError, match=r"none of 4 queries .* all by the query's own camera"):
        check_scorable(tiny_config, replace(data, gallery=near))
    for sample in data.query:
        sample.path.write_bytes(b"")
    altered = load_dataset("synthetic", tmp_path)
    with pytest.raises(InputError, match="none of the 4 pictures can be read"):
        check_scorable(tiny_config, altered)


def test_separation_is_that_of_the_queries_in_eval_mode(run: Run, tiny_data: ReidDataset) -> None:
    pixels = [torch.from_numpy(np.array(Image.open(s.path))) for s in tiny_data.query]
    with torch.no_grad():
        expected = separation(run.model(torch.stack(pixels).permute(0, 3, 1, 2) / 255))
    made = measure_separation(run, tiny_data)
    assert made.keys() == expected.keys()
    for name, value in expected.items():
        assert made[name] == pytest.approx(value, rel=1e-3, abs=1e-4), name
