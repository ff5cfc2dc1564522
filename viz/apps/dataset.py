"""Dataset browser: people, cameras, the doctor's findings, and the pictures behind each count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import ipywidgets

from mfa.datasets import data_root as root_of
from mfa.datasets import load_dataset
from mfa.datasets.doctor import Finding, Report, examine
from mfa.datasets.image_list import ListedImage
from mfa.datasets.selection import SPLITS, count_images, kind_of, select_images
from mfa.errors import InputError
from mfa.records import DISTRACTOR, JUNK, ReidDataset
from viz.apps.core import app, controls
from viz.apps.core.code import dataset_code
from viz.apps.core.labels import camera_of, cameras, choice_of, person
from viz.apps.core.rank_row import small
from viz.apps.core.worker import Job
from viz.apps.widgets import Cards, Item, Table

PAGE = 30
SHEET = 6
"""People drawn by the code, the first ones of the pictures chosen."""

KINDS = {"everybody": "all", "people": "people", "distractors": "distractor", "junk": "junk"}


@dataclass(frozen=True)
class DatasetState:
    """Which pictures are shown.

    Attributes:
        split: list: ``all``, ``train``, ``query`` or ``gallery``.
        kind: ``all``, ``people``, ``distractor`` or ``junk``.
        pid: one person; ``None`` for all.
        camera: one camera; ``None`` for all.
        names: only files of these names, e.g. those that a finding of the doctor names; empty: all.
        start: first picture shown.
        doctor: let the doctor read every picture, too; else only names.
    """

    split: str = "all"
    kind: str = "all"
    pid: int | None = None
    camera: int | None = None
    names: tuple[str, ...] = ()
    start: int = 0
    doctor: bool = False

    def options(self) -> dict[str, Any]:
        """What is chosen, as ``mfa.select_images`` takes it."""
        default = asdict(DatasetState())
        return {
            name: value
            for name, value in asdict(self).items()
            if value != default[name] and name not in ("start", "doctor")
        }


@dataclass(frozen=True)
class Shown:
    """The doctor's report, the pictures chosen, and those of the page."""

    report: Report
    chosen: list[ListedImage]
    page: list[ListedImage]


class DatasetBrowser(app.App[DatasetState, Shown]):
    """See ``viz.dataset_browser``."""

    name = "dataset"
    heading = "Dataset browser: who is in here?"

    def __init__(self, data: ReidDataset, state: DatasetState) -> None:
        super().__init__(state)
        self.data = data
        self._reports: dict[bool, Report] = {}
        self.split = controls.choice("List", ("all", *SPLITS))
        self.kind = controls.choice("Who", KINDS)
        self.pid = controls.field("Person", "id, empty for all")
        self.camera = controls.choice("Camera", cameras((*data.train, *data.query, *data.gallery)))
        self.before = controls.button("◀ Previous", "The pictures before these")
        self.after = controls.button("Next ▶", "The pictures after these")
        self.people = controls.button("Next person", "The next identity of this list")
        self.doctor = controls.tick("Read every picture for the doctor (slow)")
        self.counts, self.findings, self.place = Table(), Table(prose=True), ipywidgets.HTML()
        self.cards = Cards(clickable=True, height=110)
        counts = count_images(data)
        rows = [[str(name), *(f"{n:,}" for n in row)] for name, row in counts.iterrows()]
        headings = ("list", *map(str, counts.columns))
        where = f"{data.name} at {data.root}; press a number to see its pictures"
        self.counts.put(headings, rows, where, active=range(1, len(headings)))
        anew: dict[str, Any] = {"names": (), "start": 0}
        self.bind("split", self.split, **anew)
        self.bind("kind", self.kind, **anew)
        self.bind("camera", self.camera, read=camera_of, write=choice_of, **anew)
        self.bind("pid", self.pid, read=_person, write=_digits, **anew)
        self.bind("doctor", self.doctor)
        self.on(self.counts, lambda _: self._count(*self.counts.cell), "clicks")
        self.on(self.findings, lambda _: self._finding(self.findings.cell[0]), "clicks")
        self.on(self.cards, lambda _: self._choose(), "clicks")
        self.click(self.before, lambda: self._turn(-PAGE))
        self.click(self.after, lambda: self._turn(PAGE))
        self.click(self.people, self._next_person)
        pictures = [self.split, self.kind, self.camera, self.pid, self.people]
        panel = [controls.title("Pictures"), *pictures, controls.title("Doctor"), self.doctor]
        turn = controls.row([self.before, self.place, self.after])
        self.start(panel, self.counts, turn, self.cards, self.findings)

    def render(self, state: DatasetState, job: Job) -> Shown:
        """Choose pictures; ask the doctor once."""
        chosen = select_images(self.data, **state.options())
        if not chosen:
            words = "no picture fits these choices; set one of them back to all"
            if state.names:
                words = f"no list has a picture named {', '.join(state.names)}: nothing to show"
            raise InputError(words)
        if state.doctor not in self._reports:
            job.progress(0.05, "the doctor examines the folder")
            report = examine(self.data.name, self.data.root, decode=state.doctor)
            self._reports[state.doctor] = report
        start = max(state.start, 0)
        return Shown(self._reports[state.doctor], chosen, chosen[start : start + PAGE])

    def show(self, state: DatasetState, shown: Shown) -> None:
        """Fill the widgets."""
        total = len(shown.chosen)
        end = min(state.start + PAGE, total)
        self.place.value = f"{state.start + 1:,} to {end:,} of {total:,}"
        items = [
            Item(
                kind="ignored" if image.pid == JUNK else "plain",
                title=person(image.pid),
                sub=f"{image.split}, cam {image.camid}",
                alt=f"{image.name} of {image.split}",
            )
            for image in shown.page
        ]
        self.cards.put([small(image) for image in shown.page], items, label="Pictures")
        self.findings.put(*_findings(shown.report, state.doctor), active=[1])

    def code(self) -> str:
        """See ``App.code``."""
        chosen = self.shown.chosen if self.shown else []
        people = list(dict.fromkeys(i.pid for i in chosen if kind_of(i.pid) == "people"))[:SHEET]
        options = "".join(f", {name}={value!r}" for name, value in self.state.options().items())
        sheet = f"viz.draw_identities(data, {people!r})\n" if people else ""
        return (
            f"import mfa\nimport viz\n\n{dataset_code(self.data)}"
            f"images = mfa.select_images(data{options})\n{sheet}"
        )

    def _count(self, row: int, column: int) -> None:
        """The pictures behind a number of the first table."""
        heading = self.counts.headings[column]
        camera = int(heading.removeprefix("cam ")) if heading.startswith("cam ") else None
        chosen = {"split": self.counts.rows[row][0], "kind": KINDS.get(heading, "all")}
        self.set(**chosen, camera=camera, pid=None, names=(), start=0)

    def _finding(self, row: int) -> None:
        """The pictures that a finding names."""
        if self.shown is not None:
            names = _named(self.shown.report.findings[row])
            self.set(**asdict(DatasetState(doctor=self.state.doctor, names=names)))

    def _turn(self, step: int) -> None:
        total = len(self.shown.chosen) if self.shown else 0
        last = max(0, total - 1) // PAGE * PAGE
        self.set(start=min(max(0, self.state.start + step), last))

    def _choose(self) -> None:
        if self.shown is not None:
            self.set(pid=self.shown.page[self.cards.selected].pid, start=0, names=())

    def _next_person(self) -> None:
        images = select_images(self.data, split=self.state.split)
        pids = sorted({image.pid for image in images} - {JUNK, DISTRACTOR})
        here = self.state.pid
        after = [pid for pid in pids if here is None or pid > here]
        self.set(pid=(after or pids)[0], start=0, kind="all", camera=None, names=())


def _person(words: str) -> int | None:
    text = words.strip()
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise InputError(f"a person is a number, got {words!r}") from None


def _digits(pid: int | None) -> str:
    return "" if pid is None else str(pid)


def _named(finding: Finding) -> tuple[str, ...]:
    """File names in a finding's examples, which may be ``folder/one.jpg = folder/two.jpg``."""
    parts = (part for example in finding.examples for part in example.split(" = "))
    return tuple(Path(part).name for part in parts)


def _findings(report: Report, read: bool) -> tuple[Sequence[str], list[tuple[str, ...]], str]:
    """Headings, rows and caption of the doctor's table; ``read``: it has read the pictures."""
    rows: list[tuple[str, ...]] = [
        (
            f"{found.severity}: {found.code}",
            f"{found.count or ''}" if found.examples else "",
            found.what,
            found.fix or "–",
            ", ".join(found.examples[:3]),
        )
        for found in report.findings
    ]
    if not rows:
        unread = "" if read else "; it has not read the pictures themselves"
        return (), [], f"The doctor found nothing{unread}."
    headings = ("finding", "count", "what", "what to do", "for example")
    return headings, rows, "The doctor's findings; press a count to see the pictures it names"


def dataset_browser(
    data: ReidDataset | str = "synthetic", *, data_root: Path | str | None = None, **state: Any
) -> DatasetBrowser:
    """Browse a dataset's pictures by list, person and camera, with the doctor's findings.

    Args:
        data: a dataset or its name.
        data_root: where datasets lie, for a name.
        **state: fields of ``DatasetState`` to begin with, e.g. ``split="query"``.

    Raises:
        InputError: no such dataset.
    """
    if not isinstance(data, ReidDataset):
        data = load_dataset(data, root_of(None if data_root is None else Path(data_root)))
    return DatasetBrowser(data, DatasetState(**state))
