"""Training monitor: start, watch, pause, stop and resume a run, and see its branches learn."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets
import pandas as pd

from mfa import presets
from mfa.datasets import data_root as root_of
from mfa.datasets import load_dataset
from mfa.datasets.image_list import ImageList
from mfa.datasets.readers.listing import counted
from mfa.errors import InputError
from mfa.explain.probes import measure_probes
from mfa.records import ListPosition, ReidDataset
from mfa.runs.run import Run, open_run
from viz import theme
from viz.apps.core import app, controls, html
from viz.apps.core.code import dataset_code
from viz.apps.core.images import SHOWN, laid_over, saved
from viz.apps.core.worker import Job
from viz.apps.training.process import CAN_PAUSE, TrainingProcess
from viz.apps.training.state import TrainingState
from viz.apps.widgets import Cards, Item, Picture
from viz.charts.training import draw_training

EVERY = 1.0
"""Seconds between two looks at the run folder."""


@dataclass(frozen=True)
class Shown:
    """Curves, the last epoch's numbers, and of each epoch a card per probe."""

    chart: bytes
    numbers: str
    warnings: str
    frames: list[list[tuple[bytes, Item]]]


class TrainingMonitor(app.App[TrainingState, Shown]):
    """See ``viz.training_monitor``."""

    name = "training"
    heading = "Training monitor"

    def __init__(self, data: ReidDataset, state: TrainingState, arguments: tuple[str, ...]) -> None:
        super().__init__(state)
        self.data, self.arguments = data, arguments
        self.training = TrainingProcess(Path(state.folder))
        self.state = replace(state, epoch=self.training.epochs)
        self._frames: dict[int, list[tuple[bytes, Item]]] = {}
        self._ending = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True, name="mfa-app-watch")
        self.preset = controls.choice("Preset", list(presets.PRESETS))
        variants = [("as the preset", ""), *((name, name) for name in presets.VARIANTS)]
        self.variant = controls.choice("Variant", variants)
        self.epochs = controls.number("Epochs", 1, 1000)
        self.seed = controls.number("Seed", 0, 10**6)
        self.go = controls.button("Start or resume", "Train; goes on after the last finished epoch")
        self.pause = controls.button("Pause", "Stand still at once, or go on")
        self.pause.disabled = not CAN_PAUSE
        self.halt = controls.button("Stop training", "End the training; finished epochs are kept")
        self.status, self.numbers, self.warnings = (ipywidgets.HTML() for _ in range(3))
        self.chart = Picture(height=0, label="Curves of the training so far")
        self.strips = [Cards(height=110) for _ in state.probes]
        for field in ("preset", "variant", "epochs", "seed"):
            self.bind(field, getattr(self, field))
        self.click(self.go, self.begin)
        self.click(self.pause, self.toggle)
        self.click(self.halt, self.end)
        fields = [self.preset, self.variant, self.epochs, self.seed]
        buttons = controls.row([self.go, self.pause, self.halt])
        panel = [controls.title("Training"), *fields, buttons]
        words = self.status, self.numbers, self.warnings
        self.start(panel, *words, self.chart, *self.strips)
        self._tell_status()
        self._watch.start()

    def begin(self) -> None:
        """Start the training, or go on with it."""
        state = self.state
        variant = ("--variant", state.variant) if state.variant else ()
        root = ("--data", self.data.name, "--data-root", str(self.data.root.parent.resolve()))
        fields = ("--optim.epochs", str(state.epochs), "--seed", str(state.seed))
        self.training.start((state.preset, *variant, *root, *fields, *self.arguments))
        self.say("")
        self._tell_status()

    def toggle(self) -> None:
        """Pause, or go on."""
        self._needs_one(self.training.running)
        (self.training.go_on if self.training.paused else self.training.pause)()
        self._tell_status()

    def end(self) -> None:
        """Stop; finished epochs are kept."""
        elsewhere = self.training.elsewhere
        self._needs_one(self.training.running or elsewhere)
        if elsewhere:
            self.training.stop_elsewhere()
        self.training.stop()
        self._tell_status()

    def _needs_one(self, there: bool) -> None:
        if not there:
            raise InputError("no training runs here; press Start or resume")

    def ended(self) -> None:
        """Stop the training and the watch."""
        self._ending.set()
        self.training.stop()
        self._watch.join(5)

    def render(self, state: TrainingState, job: Job) -> Shown:
        """Draw the history, and add this epoch to the filmstrip."""
        history = self.training.history()
        if history.empty or not state.epoch:
            return Shown(b"", "", "", [])
        with theme.theme():
            chart = saved(draw_training(history), "png", dots=110)
        job.check()
        if state.epoch not in self._frames:
            job.progress(0.5, f"maps after epoch {state.epoch}")
            run = open_run(self.training.folder)
            self._frames[run.checkpoint.epoch] = _frame(run, self.data, state.probes)
        last = history.iloc[-1]
        words = str(last.get("warnings", "") or "")
        return Shown(chart, _numbers(last), words, [self._frames[n] for n in sorted(self._frames)])

    def show(self, state: TrainingState, shown: Shown) -> None:
        """Fill the widgets."""
        self.chart.image = shown.chart
        self.chart.layout.display = "" if shown.chart else "none"
        self.numbers.value = shown.numbers
        self.warnings.value = html.message(shown.warnings, error=True) if shown.warnings else ""
        for place, (widget, probe) in enumerate(zip(self.strips, state.probes, strict=True)):
            strip = [frame[place] for frame in shown.frames]
            label = (
                f"Probe {self.data.query[probe].path.name}: fused map by epoch (red for, blue "
                "against), and the rank of its first match among some gallery pictures"
            )
            images, items = [image for image, _ in strip], [item for _, item in strip]
            widget.put(images, items, label=label if strip else "")

    def code(self) -> str:
        """See ``App.code``."""
        state = self.state
        variant = f'config = mfa.presets.variant(config, "{state.variant}")\n'
        return (
            "from dataclasses import replace\n\nimport mfa\nimport viz\n\n"
            f"{dataset_code(self.data)}"
            f'config = mfa.presets.get("{state.preset}")\n{variant if state.variant else ""}'
            f"optim = replace(config.optim, epochs={state.epochs})\n"
            f"config = replace(config, seed={state.seed}, optim=optim)\n"
            f"for record in mfa.fit(config, data, run={state.folder!r}, resume=True):\n"
            '    print(record.epoch, record.losses["total"])\n'
            f"viz.draw_training(mfa.open_run({state.folder!r}).history)\n"
        )

    def _look(self) -> None:
        """Watch the run folder until the app closes; an error is shown, and the watch goes on."""
        while not self._ending.wait(EVERY):
            try:
                self._tell_status()
                epochs = self.training.epochs
                if epochs != self.state.epoch:
                    self.set(epoch=epochs)
                failed = self.training.failed()
                if failed and failed != self.error:
                    self._cause = self.go
                    self.say(failed, error=True)
            except Exception as error:  # e.g. a file in the making
                words = f"The run folder cannot be read just now: {error}"
                if words != self.error and not self._ending.is_set():
                    self.say(words, error=True)

    def _tell_status(self) -> None:
        training, epochs = self.training, self.training.epochs
        text = (
            f"<div role='status'><strong>{self._doing()}</strong>, {counted(epochs, 'epoch')} "
            f"finished in {escape(str(training.folder))}</div>"
        )
        if training.running:  # outside of what is read out, since it changes all the time
            seconds = time.monotonic() - training.started
            line = training.line() or f"loading PyTorch and the pictures, {seconds:.0f} s"
            text += f"<code>{escape(line[:160])}</code>"
        if not epochs:
            text += (
                f"<div class='mfa-note'>Start trains on {escape(self.data.name)} in a process of "
                "its own, so that this page stays free. After every epoch you see: losses by "
                "branch, learning rate, images per second, and a filmstrip of what the branches "
                f"look at in {len(self.state.probes)} query pictures, each ranked again.</div>"
            )
        self.status.value = text
        self.pause.description = "Go on" if training.paused else "Pause"

    def _doing(self) -> str:
        training = self.training
        if training.elsewhere:
            return "training in another window"
        if not training.running:
            return "not running"
        return "stopping" if training.stopping else "paused" if training.paused else "training"


def _frame(run: Run, data: ReidDataset, probes: Sequence[int]) -> list[tuple[bytes, Item]]:
    """What each probe looks like to the weights of a run, as a card."""
    images, title = ImageList.of(data, "query"), f"epoch {run.checkpoint.epoch}"
    frame = []
    for probe in measure_probes(run, data, probes):
        picture = images.at(ListPosition(probe.position)).pixels(*SHOWN)
        image = laid_over(picture, probe.heat, probe.limit, grid=probe.grid)
        rank = f"rank {probe.rank} of {probe.crowd}" if probe.rank else "no match here"
        words = f"map of probe {probe.position}, {title}"
        frame.append((image, Item(kind="plain", title=title, sub=rank, alt=words)))
    return frame


def _numbers(last: pd.Series[Any]) -> str:
    names = ("total", "id", "triplet", "center", "gla")
    values = {name: f"{last[name]:.3f}" for name in names if name in last}
    values["learning rate"] = f"{last['lr']:.2g}"
    values["images per second"] = f"{last['images_per_second']:.0f}"
    branches = sorted({str(key).split("/")[0] for key in last.index if str(key).endswith("/id")})
    terms = [t for t in ("id", "triplet", "center", "gla") if f"{branches[0]}/{t}" in last]
    rows = [[b, *(f"{last[f'{b}/{t}']:.3f}" for t in terms)] for b in branches]
    words = f"<div class='mfa-note'>Means over epoch {last['epoch']:.0f}:</div>"
    table = html.table(("branch", *terms), rows, "Loss terms by branch")
    return words + html.figures(values) + table


def training_monitor(
    folder: Path | str = "runs/monitor",
    *,
    data: ReidDataset | str = "synthetic",
    data_root: Path | str | None = None,
    arguments: tuple[str, ...] = (),
    **state: Any,
) -> TrainingMonitor:
    """Train in a process of its own, and watch it from here.

    Closing the app stops the training; ``Start or resume`` goes on after the last finished epoch.

    Args:
        folder: of the run.
        data: a dataset with training, query and gallery pictures, or its name.
        data_root: where datasets lie, for a name.
        arguments: further ones of ``mfa train``, e.g. ``("--threads", "1")``.
        **state: fields of ``TrainingState`` to begin with.

    Raises:
        InputError: no such dataset, or it has no training or query pictures.
    """
    if not isinstance(data, ReidDataset):
        data = load_dataset(data, root_of(None if data_root is None else Path(data_root)))
    if not data.train or not data.query:
        raise InputError(f"{data.name} has no training or no query pictures to watch")
    firsts = {sample.pid: place for place, sample in reversed(list(enumerate(data.query)))}
    probes = state.setdefault("probes", tuple(sorted(firsts.values())[:3]))
    if not probes or min(probes) < 0 or max(probes) >= len(data.query):
        raise InputError(f"probes are positions 0 to {len(data.query) - 1} of the query list")
    return TrainingMonitor(data, TrainingState(str(folder), **state), arguments)
