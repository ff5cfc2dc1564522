"""Training cockpit: start, watch, pause, stop and resume a run, and see its branches learn."""

from __future__ import annotations

import threading
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
from mfa.datasets.readers.listing import counted
from mfa.errors import InputError
from mfa.records import ReidDataset
from mfa.runs.run import open_run
from viz import theme
from viz.apps.core import app, controls, html
from viz.apps.core.images import saved
from viz.apps.core.session import Subject
from viz.apps.core.worker import Job
from viz.apps.training import filmstrip
from viz.apps.training.process import CAN_PAUSE, Training
from viz.apps.widgets import Cards, Item, Picture
from viz.charts.training import draw_training

EVERY = 1.0
"""Seconds between two looks at the run folder."""


@dataclass(frozen=True)
class CockpitState:
    """What is trained and watched.

    Attributes:
        folder: of the run.
        preset, variant, epochs, seed: of the training; ``variant`` empty for the preset's own.
        probes: positions in the query list whose maps make the film; by default the first
            pictures of three people.
        epoch: finished epochs shown.
    """

    folder: str
    preset: str = "demo"
    variant: str = ""
    epochs: int = 16
    seed: int = 0
    probes: tuple[int, ...] = (0, 1, 2)
    epoch: int = 0


@dataclass(frozen=True)
class Shown:
    """Curves, the last epoch's numbers, and a strip of maps a probe."""

    chart: bytes
    numbers: str
    warnings: str
    film: list[tuple[list[bytes], list[Item], str]]


class Cockpit(app.App[CockpitState, Shown]):
    """See ``viz.apps.cockpit``."""

    name = "training"
    heading = "Training cockpit"

    def __init__(self, data: ReidDataset, state: CockpitState, arguments: tuple[str, ...]) -> None:
        super().__init__(state)
        self.data, self.arguments = data, arguments
        self.training = Training(Path(state.folder))
        self.state = replace(state, epoch=self.training.epochs)
        self._film: dict[tuple[int, int], tuple[bytes, Item]] = {}
        self._closing = threading.Event()
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
        self.film = [Cards(height=110) for _ in state.probes]
        for field in ("preset", "variant", "epochs", "seed"):
            self.bind(field, getattr(self, field))
        self.click(self.go, self.begin)
        self.click(self.pause, self.toggle)
        self.click(self.halt, self.end)
        self.start(
            controls.row([self.preset, self.variant, self.epochs, self.seed]),
            controls.row([self.go, self.pause, self.halt]),
            self.status,
            self.numbers,
            self.warnings,
            self.chart,
            *self.film,
        )
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
        if self.training.paused:
            self.training.go_on()
        else:
            self.training.pause()
        self._tell_status()

    def end(self) -> None:
        """Stop; finished epochs are kept."""
        self._needs_one(self.training.running or self.training.elsewhere)
        if self.training.elsewhere:
            self.training.stop_elsewhere()
        self.training.stop()
        self._tell_status()

    def _needs_one(self, there: bool) -> None:
        if not there:
            raise InputError("no training runs here; press Start or resume")

    def ended(self) -> None:
        """Stop the training and the watch."""
        self._closing.set()
        self.training.stop()
        self._watch.join(5)

    def render(self, state: CockpitState, job: Job) -> Shown:
        """Draw the history; add this epoch to the film."""
        history = self.training.history()
        if history.empty or not state.epoch:
            return Shown(b"", "", "", [([], [], "") for _ in state.probes])
        with theme.theme():
            chart = saved(draw_training(history), "png", dots=110)
        job.check()
        if (state.epoch, state.probes[0]) not in self._film:
            job.progress(0.5, f"maps after epoch {state.epoch}")
            self._shoot(state.probes)
        last = history.iloc[-1]
        words = str(last.get("warnings", "") or "")
        return Shown(chart, _numbers(last), words, [self._strip(probe) for probe in state.probes])

    def show(self, state: CockpitState, shown: Shown) -> None:
        """Fill the widgets."""
        self.chart.image = shown.chart
        self.chart.layout.display = "" if shown.chart else "none"
        self.numbers.value = shown.numbers
        self.warnings.value = html.message(shown.warnings, error=True) if shown.warnings else ""
        for strip, (images, items, label) in zip(self.film, shown.film, strict=True):
            strip.put(images, items, label=label)

    def code(self) -> str:
        """See ``App.code``."""
        state = self.state
        variant = (
            f"config = mfa.presets.variant(config, {state.variant!r})\n" if state.variant else ""
        )
        return (
            "from dataclasses import replace\nfrom pathlib import Path\n\n"
            "import mfa\nimport viz\n\n"
            f"data = mfa.load_dataset({self.data.name!r}, Path({str(self.data.root.parent)!r}))\n"
            f"config = mfa.presets.get({state.preset!r})\n{variant}"
            f"config = replace(config, seed={state.seed}, "
            f"optim=replace(config.optim, epochs={state.epochs}))\n"
            f"for record in mfa.fit(config, data, run={state.folder!r}, resume=True):\n"
            "    print(record.epoch, record.losses['total'])\n"
            f"figure = viz.draw_training(mfa.open_run({state.folder!r}).history)\n"
        )

    def _look(self) -> None:
        """Watch the run folder until the app closes."""
        while not self._closing.wait(EVERY):
            try:
                self._tell_status()
                epochs = self.training.epochs
                if epochs != self.state.epoch:
                    self.set(epoch=epochs)
                failed = self.training.failed()
                if failed and failed != self.error:
                    self.say(failed, error=True)
            except Exception as error:  # the watch must not die of a file in the making
                self._fail(error)
                return

    def _tell_status(self) -> None:
        training, epochs = self.training, self.training.epochs
        doing = "paused" if training.paused else "training" if training.running else "not running"
        if training.elsewhere:
            doing = "training in another window"
        text = (
            f"<div role='status'><strong>{doing}</strong>, {counted(epochs, 'epoch')} finished in "
            f"{escape(str(training.folder))}</div>"
        )
        if training.running:  # outside of what is read out, since it changes all the time
            text += f"<code>{escape(training.line()[:160])}</code>"
        if not epochs:
            text += (
                f"<div class='mfa-note'>Start trains on {escape(self.data.name)} in a process of "
                "its own, so that this page stays free. After every epoch: losses by branch, "
                "learning rate, images a second, and a film of what the branches look at in "
                f"{len(self.state.probes)} query pictures, each ranked again.</div>"
            )
        if text != self.status.value:
            self.status.value = text
        label = "Go on" if training.paused else "Pause"
        if self.pause.description != label:
            self.pause.description = label

    def _shoot(self, probes: Sequence[int]) -> None:
        """Keep what the newest weights make of the probes."""
        subject = Subject(open_run(self.training.folder), self.data)
        epoch = subject.run.checkpoint.epoch
        for probe, image, item in filmstrip.shots(subject, self.data, probes, epoch):
            self._film[(epoch, probe)] = (image, item)

    def _strip(self, probe: int) -> tuple[list[bytes], list[Item], str]:
        shots = [self._film[key] for key in sorted(self._film) if key[1] == probe]
        name = self.data.query[probe].path.name
        label = (
            f"Probe {name}: fused map by epoch (red for, blue against), and the rank of its first "
            "match among some gallery pictures"
        )
        return [image for image, _ in shots], [item for _, item in shots], label


def _numbers(last: pd.Series[Any]) -> str:
    names = ("total", "id", "triplet", "center", "gla")
    values = {name: f"{last[name]:.3f}" for name in names if name in last}
    values["learning rate"] = f"{last['lr']:.2g}"
    values["images a second"] = f"{last['images_per_second']:.0f}"
    branches = sorted({str(key).split("/")[0] for key in last.index if str(key).endswith("/id")})
    terms = [t for t in ("id", "triplet", "center", "gla") if f"{branches[0]}/{t}" in last]
    rows = [[b, *(f"{last[f'{b}/{t}']:.3f}" for t in terms)] for b in branches]
    words = f"<div class='mfa-note'>Means over epoch {last['epoch']:.0f}:</div>"
    table = html.table(("branch", *terms), rows, "Loss terms by branch")
    return words + html.figures(values) + table


def training_monitor(
    folder: Path | str = "runs/cockpit",
    *,
    data: ReidDataset | str = "synthetic",
    data_root: Path | None = None,
    arguments: tuple[str, ...] = (),
    **state: Any,
) -> Cockpit:
    """Train in a process of its own, and watch it from here.

    Closing the app stops the training; ``Start or resume`` goes on after the last finished epoch.

    Args:
        folder: of the run.
        data: a dataset with training, query and gallery pictures, or its name.
        data_root: where datasets lie, for a name.
        arguments: further ones of ``mfa train``, e.g. ``("--threads", "1")``.
        **state: fields of ``CockpitState`` to begin with.

    Raises:
        InputError: no such dataset, or it has no training or query pictures.
    """
    if not isinstance(data, ReidDataset):
        data = load_dataset(data, root_of(data_root))
    if not data.train or not data.query:
        raise InputError(f"{data.name} has no training or no query pictures to watch")
    firsts = {sample.pid: place for place, sample in reversed(list(enumerate(data.query)))}
    probes = state.setdefault("probes", tuple(sorted(firsts.values())[:3]))
    if not probes or max(probes) >= len(data.query):
        raise InputError(f"probes are positions 0 to {len(data.query) - 1} of the query list")
    return Cockpit(data, CockpitState(str(folder), **state), arguments)
