"""Training monitor: a training in another process, watched, paused, stopped and resumed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import mfa
import viz
from mfa.errors import InputError
from mfa.explain.probes import measure_probes
from mfa.runs.checkpoint import CHECKPOINT, load_checkpoint, save_checkpoint
from viz.apps.training import app as monitor
from viz.apps.training import process as module
from viz.apps.training.process import CAN_PAUSE, TrainingProcess

COUNT = """
import sys, time
from pathlib import Path
out = Path(sys.argv[sys.argv.index("--run") + 1]) / "count"
for number in range(10_000):
    out.write_text(str(number))
    print("step", number, flush=True)
    time.sleep(0.01)
"""
HISTORY = (
    "epoch,lr,images_per_second,feature_norm,total,id,triplet,center,gla,branch1/id,warnings\n"
    "1,0.1,9,2,3,1,1,1,1,0.75,\n2,0.1,9,2,2,1,1,1,1,0.5,\n3,0.1,9,2,1,1,1,1,1,0.25,\n"
)
TINY = ("--data.pids", "2", "--data.images", "2", "--model.width", "8", "--threads", "1",
        "--data.height", "64", "--data.width", "32")  # fmt: skip


def until(holds: Callable[[], Any], seconds: float = 150) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_pause_stands_still_and_stop_ends(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "COMMAND", (sys.executable, "-c", COUNT))
    training = TrainingProcess(tmp_path / "run")
    training.start([])
    count = tmp_path / "run" / "count"
    try:
        until(lambda: count.is_file() and count.read_text())
        assert "step" in training.line()
        with pytest.raises(InputError, match="runs already"):
            training.start([])
        if CAN_PAUSE:
            training.pause()
            time.sleep(0.1)
            before = count.read_text()
            time.sleep(0.2)
            assert count.read_text() == before
            assert training.paused
            assert training.running
            training.go_on()
            until(lambda: count.read_text() != before)
            training.pause()  # a paused one can be stopped
    finally:
        training.close()
    assert not training.running
    assert training.failed() == ""


def test_stop_returns_at_once_also_where_the_training_does_not_listen(
    tmp_path: Path, monkeypatch: Any
) -> None:
    deaf = COUNT.replace(
        "import sys", "import signal; signal.signal(15, signal.SIG_IGN)\nimport sys"
    )
    monkeypatch.setattr(module, "COMMAND", (sys.executable, "-c", deaf))
    monkeypatch.setattr(module, "PATIENCE", 1.0)
    training = TrainingProcess(tmp_path / "run")
    training.start([])
    until(lambda: training.line())
    started = time.monotonic()
    training.stop()
    assert time.monotonic() - started < 0.5
    assert training.stopping
    until(lambda: not training.running)
    until(lambda: not training.stopping)
    assert training.failed() == ""


@pytest.mark.skipif(not CAN_PAUSE, reason="this system has no such locks")
def test_two_windows_do_not_train_in_one_folder(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "COMMAND", (sys.executable, "-c", COUNT))
    one, two = TrainingProcess(tmp_path / "run"), TrainingProcess(tmp_path / "run")
    assert not two.elsewhere
    one.start([])
    try:
        assert two.elsewhere
        assert not one.elsewhere
        with pytest.raises(InputError, match="another window trains in"):
            two.start([])
        two.stop()  # as when its window closes: the other's training goes on
        assert one.running
        two.stop_elsewhere()
        until(lambda: not one.running)
    finally:
        one.close()
    assert one.failed() == ""
    assert not two.elsewhere
    two.start([])
    two.close()


def test_a_training_that_fails_says_why(
    world: Any, keep: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    script = "import sys; print('error: the disk is full', file=sys.stderr); sys.exit(2)"
    monkeypatch.setattr(module, "COMMAND", (sys.executable, "-c", script))
    monkeypatch.setattr(monitor, "EVERY", 0.05)
    app = keep(viz.training_monitor(tmp_path / "run", data=world.data, probes=(0,)))
    app.go.click()
    until(lambda: app.error)
    assert app.error == "the disk is full"


def finish(epochs: int, folder: Path, world: Any) -> None:
    """Leave what a training leaves; its history is one epoch ahead of the checkpoint."""
    made = load_checkpoint(world.anchored / CHECKPOINT)
    (folder / "history.csv").write_text(HISTORY)
    save_checkpoint(replace(made, epoch=epochs), folder / CHECKPOINT)


def test_an_epoch_counts_once_its_checkpoint_is_there(world: Any, tmp_path: Path) -> None:
    assert TrainingProcess(tmp_path).epochs == 0
    finish(2, tmp_path, world)
    assert TrainingProcess(tmp_path).epochs == 2


def test_a_run_that_is_there_is_shown_at_once(world: Any, keep: Any, tmp_path: Path) -> None:
    finish(3, tmp_path, world)
    app = keep(viz.training_monitor(tmp_path, data=world.data, probes=(0,)))
    assert [item["title"] for item in app.strips[0].items] == ["epoch 3"]
    assert "0.250" in app.numbers.value
    for button in (app.pause, app.halt):  # of what does not run
        button.click()
        assert "no training runs here" in app.error


@pytest.mark.slow
def test_a_real_training_is_watched(world: Any, keep: Any, tmp_path: Path) -> None:
    app = keep(
        viz.training_monitor(
            tmp_path / "run", data=world.data, epochs=1, probes=(0,), arguments=TINY
        )
    )
    assert "not running" in app.status.value
    app.go.click()
    assert app.error == ""
    until(lambda: app.training.epochs >= 1 or app.error)
    assert app.error == ""
    until(lambda: app.strips[0].items)
    app.wait()
    assert app.strips[0].items[0]["title"] == "epoch 1"
    assert "branch1" in app.numbers.value
    assert app.chart.image.startswith(b"\x89PNG")
    until(lambda: not app.training.running)
    compile(app.code(), "code", "exec")


def test_closing_stops_the_watch_and_the_training(
    world: Any, tmp_path: Path, monkeypatch: Any, left_over: Any
) -> None:
    monkeypatch.setattr(module, "COMMAND", (sys.executable, "-c", COUNT))
    before = left_over()
    app = viz.training_monitor(tmp_path / "run", data=world.data)
    app.go.click()
    assert app.training.running
    app.pause.click()
    assert "paused" in app.status.value or not CAN_PAUSE
    app.close()
    until(lambda: not app.training.running)
    until(lambda: left_over() == before)


def test_the_watch_survives_an_error(
    world: Any, keep: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    """It died after the first one, e.g. of a file in the making."""
    monkeypatch.setattr(monitor, "EVERY", 0.05)
    app = keep(viz.training_monitor(tmp_path, data=world.data, probes=(0,)))
    broken = property(lambda self: 1 // 0)
    with monkeypatch.context() as patched:
        patched.setattr(TrainingProcess, "epochs", broken)
        until(lambda: "cannot be read just now" in app.error)
    finish(3, tmp_path, world)
    until(lambda: app.strips[0].items)
    app.wait()
    assert app.error == ""


def test_probes_are_embedded_in_batches(world: Any, monkeypatch: Any) -> None:
    run = mfa.open_run(world.anchored)
    sizes: list[int] = []
    run.model.register_forward_pre_hook(lambda _, given: sizes.append(len(given[0])))
    found = measure_probes(run, world.data, (0, 3))
    people = {world.data.query[place].pid for place in (0, 3)}
    crowd = [s for s in world.data.gallery if s.pid > 0]
    assert found[0].crowd == len(crowd)
    assert len(sizes) < 8 + len(crowd) // 32
    assert all(probe.rank > 0 for probe in found)
    assert len(people) == 2


def test_bad_probes_are_refused(world: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="probes"):
        viz.training_monitor(tmp_path, data=world.data, probes=(10_000,))
