from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mfa import presets
from mfa.cli import COMMANDS, run
from mfa.cli.train import find_teacher, parse
from mfa.datasets import load_dataset
from mfa.runs.run import open_run

REAL = Path(__file__).resolve().parents[3].parent / "shared" / "data"

TINY = [
    *("demo", "--variant", "baseline"),
    *("--model.width", "8", "--optim.epochs", "1", "--device", "cpu"),
    *("--data.height", "64", "--data.width", "32", "--data.pids", "3", "--data.images", "2"),
]


def mfa(*argv: object) -> int:
    return run("mfa", COMMANDS, [str(word) for word in argv])


@pytest.fixture
def features(tiny_root: Path, tmp_path: Path) -> Path:
    data = load_dataset("synthetic", tiny_root)
    rows = np.random.default_rng(0).standard_normal((len(data.train), 5))
    file = tmp_path / "teacher.npz"
    np.savez(file, name=np.array([s.path.name for s in data.train]), feature=rows)
    return file


def test_the_schedule_is_that_of_distillation_unless_labels_are_kept() -> None:
    cpu = presets.variant(presets.cpu(), "baseline")
    words = ["cpu", "--teacher", "t.npz", "--variant", "baseline"]
    assert parse(words).config == presets.distilled(cpu)
    assert parse([*words, "--labels"]).config == cpu
    changed = parse([*words, "--optim.lr", "0.125", "--distill.by-branch"]).config
    assert (changed.optim.lr, changed.distill.by_branch) == (0.125, True)
    assert changed.loss.id_weight == 0


def test_distil_export_and_go_on(
    tiny_root: Path, features: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, file = tmp_path / "student", tmp_path / "small.safetensors"
    argv = [*TINY, "--data-root", tiny_root, "--run", folder]
    assert mfa("train", *argv, "--teacher", features) == 0
    said = capsys.readouterr().out
    assert "teacher " in said
    assert f"run {folder}; score it with" in said

    assert mfa("export", folder, file) == 0
    assert "parameters" in capsys.readouterr().out
    first = file.read_bytes()
    assert mfa("export", folder, file) == 0  # it is there already, as one that was just written
    assert file.read_bytes() == first
    assert mfa("export", folder, file, "--name", "other") == 2
    assert "exists already" in capsys.readouterr().err
    assert mfa("export", folder, tmp_path / "x.pt") == 2
    assert "end it in .safetensors" in capsys.readouterr().err

    onward = ["demo", *TINY[3:], "--data-root", tiny_root, "--run", tmp_path / "onward"]
    assert mfa("train", *onward, "--init", file) == 0
    assert "started from small" in capsys.readouterr().err
    assert open_run(tmp_path / "onward").checkpoint.facts["init"].startswith("small (")


def test_without_its_teacher_nothing_begins(
    tiny_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = [*TINY, "--data-root", tiny_root, "--run", tmp_path / "run"]
    assert mfa("train", *argv, "--teacher", "absent.npz") == 2
    assert "no teacher file absent.npz" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_teacher_of_another_split_is_named(
    tiny_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "other.npz"
    np.savez(file, name=np.array(["9999_c1s1_000001_00.jpg"]), feature=np.ones((1, 4)))
    argv = [*TINY, "--data-root", tiny_root, "--run", tmp_path / "run"]
    assert mfa("train", *argv, "--teacher", file) == 2
    assert "another split or another dataset" in capsys.readouterr().err


def test_a_model_is_asked_once_however_many_ask_and_its_answers_are_kept(
    tiny_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "made_teacher.py").write_text(
        "CALLS = []\n"
        "def means(pictures):\n"
        "    CALLS.append(len(pictures))\n"
        "    return pictures.mean(axis=(2, 3)) + 1\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "data").mkdir()
    data = replace(load_dataset("synthetic", tiny_root), root=tmp_path / "data" / "synthetic")
    with ThreadPoolExecutor(2) as pool:
        teachers = list(pool.map(find_teacher, ["made_teacher:means"] * 2, [data] * 2))
    for teacher in [*teachers, find_teacher("made_teacher:means", data)]:
        assert teacher.targets(data.train).shape == (len(data.train), 3)
    import made_teacher  # type: ignore[import-not-found]

    assert sum(made_teacher.CALLS) == len(data.train)
    assert [f.name[:13] for f in (tmp_path / "data/cache").glob("*.npz")] == ["teacher-means"]


@pytest.mark.real
def test_a_public_model_is_a_teacher(tiny_root: Path, tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    model = REAL / "models/person-reidentification-retail-0288.xml"
    if not model.is_file():
        pytest.skip("the public models are not here")
    data = load_dataset("synthetic", tiny_root)
    few = replace(data, root=tmp_path / "data" / "synthetic", train=data.train[:3])
    assert find_teacher(str(model), few).targets(few.train).shape == (3, 256)
