"""Dataset browser: people, cameras, the doctor's findings, and the pictures behind each count."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import ipywidgets
import pandas as pd

from mfa.datasets import data_root as root_of
from mfa.datasets import load_dataset
from mfa.datasets.doctor import Finding, Report, examine
from mfa.errors import InputError
from mfa.records import DISTRACTOR, JUNK, NO_CAMERA, ReidDataset, Sample
from viz.apps.core import app, controls
from viz.apps.core.images import thumbnail
from viz.apps.core.labels import person
from viz.apps.core.search import camera_of, cameras, choice_of
from viz.apps.core.worker import Job
from viz.apps.widgets import Cards, Item, Table

PAGE = 30
SHEET = 6
"""People drawn by the code, the first ones of the pictures chosen."""

LISTS = ("all", "train", "query", "gallery")
KINDS = {"everybody": "all", "people": "people", "distractors": "distractor", "junk": "junk"}


@dataclass(frozen=True)
class BrowserState:
    """Which pictures are shown.

    Attributes:
        split: list: ``all``, ``train``, ``query`` or ``gallery``.
        kind: ``all``, ``people``, ``distractor`` or ``junk``.
        pid: one person; ``None`` for all.
        camera: one camera; ``None`` for all.
        names: only files of these names, e.g. those a finding of the doctor's names; empty: all.
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


@dataclass(frozen=True)
class Shown:
    """Counts by list and camera, the doctor's report, and the pictures chosen."""

    counts: pd.DataFrame
    report: Report
    chosen: list[tuple[str, Sample]]
    total: int


class Browser(app.App[BrowserState, Shown]):
    """See ``viz.apps.browser``."""

    name = "dataset"
    heading = "Dataset browser: who is in here?"

    def __init__(self, data: ReidDataset, state: BrowserState) -> None:
        super().__init__(state)
        self.data = data
        self._reports: dict[bool, Report] = {}
        self._all = listed(data)
        self.split = controls.choice("List", LISTS)
        self.kind = controls.choice("Who", KINDS)
        self.pid = controls.field("Person", "id, empty for all")
        self.camera = controls.choice("Camera", cameras(sample for _, sample in self._all))
        self.before = controls.button("◀ earlier", "The pictures before these")
        self.after = controls.button("later ▶", "The pictures after these")
        self.people = controls.button("Next person", "The next identity of this list")
        self.doctor = controls.tick("read every picture for the doctor (slow)")
        self.counts, self.findings, self.place = Table(), Table(prose=True), ipywidgets.HTML()
        self.clean = ipywidgets.HTML()
        self.cards = Cards(clickable=True, height=110)
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
        self._shown: list[tuple[str, Sample]] = []
        self._report: Report | None = None
        self.start(
            self.counts,
            controls.row([self.split, self.kind, self.camera, self.pid, self.people]),
            controls.row([self.before, self.place, self.after]),
            self.cards,
            self.doctor,
            self.findings,
            self.clean,
        )

    def render(self, state: BrowserState, job: Job) -> Shown:
        """Choose pictures; ask the doctor once."""
        chosen = pictures_of(self.data, state)
        if not chosen:
            words = "no picture fits these choices; set one of them back to all"
            if state.names:
                words = f"no list has a picture named {', '.join(state.names)}: nothing to show"
            raise InputError(words)
        if state.doctor not in self._reports:
            job.progress(0.05, "the doctor examines the folder")
            self._reports[state.doctor] = examine(
                self.data.name, self.data.root.parent, decode=state.doctor
            )
        page = chosen[state.start : state.start + PAGE]
        return Shown(self._counts(), self._reports[state.doctor], page, len(chosen))

    def show(self, state: BrowserState, shown: Shown) -> None:
        """Fill the widgets."""
        table = shown.counts
        rows = [[str(name), *(f"{n:,}" for n in row)] for name, row in table.iterrows()]
        headings = ("list", *map(str, table.columns))
        where = f"{self.data.name} at {self.data.root}; press a number to see its pictures"
        self.counts.put(headings, rows, where, active=range(1, len(headings)))
        end = min(state.start + PAGE, shown.total)
        self.place.value = f"{state.start + 1:,} to {end:,} of {shown.total:,}"
        self._shown = shown.chosen
        items = [
            Item(
                kind="ignored" if sample.pid == JUNK else "plain",
                title=person(sample.pid),
                sub=f"{split}, cam {sample.camid}",
                alt=f"{sample.path.name} of {split}",
            )
            for split, sample in shown.chosen
        ]
        self.cards.put([thumbnail(s.path) for _, s in shown.chosen], items, label="Pictures")
        self._report = shown.report
        self.findings.put(*_findings(shown.report), active=[1])
        read = "" if state.doctor else "; the pictures themselves were not read"
        clean = f"<div class='mfa-note'>The doctor found nothing{read}.</div>"
        self.clean.value = "" if shown.report.findings else clean

    def code(self) -> str:
        """See ``App.code``."""
        chosen = pictures_of(self.data, self.state)
        people = list(dict.fromkeys(s.pid for _, s in chosen if _kind(s.pid) == "people"))[:SHEET]
        sheet = f"figure = viz.draw_identities(data, {people!r})\n" if people else ""
        return (
            "from pathlib import Path\n\nimport mfa\nimport viz\n"
            "from viz.apps.dataset import BrowserState, pictures_of\n\n"
            f"data = mfa.load_dataset({self.data.name!r}, Path({str(self.data.root.parent)!r}))\n"
            f"chosen = pictures_of(data, {self.state!r})\n"
            f"print(len(chosen), 'pictures, from', chosen[{self.state.start}][1].path.name)\n"
            + sheet
        )

    def _counts(self) -> pd.DataFrame:
        rows = {}
        for split in LISTS[1:]:
            samples = [sample for name, sample in self._all if name == split]
            people = {s.pid for s in samples} - {JUNK, DISTRACTOR}
            by_camera = pd.Series([s.camid for s in samples]).value_counts()
            rows[split] = {
                "pictures": len(samples),
                "people": len(people),
                "distractors": sum(s.pid == DISTRACTOR for s in samples),
                "junk": sum(s.pid == JUNK for s in samples),
                **{
                    f"cam {camid}": int(by_camera.get(camid, 0))
                    for camid in sorted({s.camid for _, s in self._all} - {NO_CAMERA})
                },
            }
        return pd.DataFrame.from_dict(rows, orient="index")

    def _count(self, row: int, column: int) -> None:
        """The pictures behind a number of the first table."""
        heading = self.counts.headings[column]
        kind = {"people": "people", "distractors": "distractor", "junk": "junk"}.get(heading, "all")
        camera = int(heading.removeprefix("cam ")) if heading.startswith("cam ") else None
        self.set(split=self.counts.rows[row][0], kind=kind, camera=camera, pid=None, names=(),
                 start=0)  # fmt: skip

    def _finding(self, row: int) -> None:
        """The pictures that a finding names."""
        assert self._report is not None
        self.set(**{**asdict(BrowserState(doctor=self.state.doctor)),
                    "names": _named(self._report.findings[row])})  # fmt: skip

    def _turn(self, step: int) -> None:
        last = max(0, len(pictures_of(self.data, self.state)) - 1) // PAGE * PAGE
        self.set(start=min(max(0, self.state.start + step), last))

    def _choose(self) -> None:
        self.set(pid=self._shown[self.cards.selected][1].pid, start=0, names=())

    def _next_person(self) -> None:
        pids = sorted({s.pid for split, s in self._all if self.state.split in ("all", split)}
                      - {JUNK, DISTRACTOR})  # fmt: skip
        here = self.state.pid
        after = [pid for pid in pids if here is None or pid > here]
        self.set(pid=(after or pids)[0], start=0, kind="all", camera=None, names=())


def listed(data: ReidDataset) -> list[tuple[str, Sample]]:
    """(list, sample) of every picture of a dataset."""
    return [(split, sample) for split in LISTS[1:] for sample in getattr(data, split)]


def pictures_of(data: ReidDataset, state: BrowserState) -> list[tuple[str, Sample]]:
    """(list, sample) of every picture a state chooses."""
    return [
        (split, sample)
        for split, sample in listed(data)
        if state.split in ("all", split)
        and (state.kind == "all" or _kind(sample.pid) == state.kind)
        and state.pid in (None, sample.pid)
        and state.camera in (None, sample.camid)
        and (not state.names or sample.path.name in state.names)
    ]


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


def _kind(pid: int) -> str:
    return {JUNK: "junk", DISTRACTOR: "distractor"}.get(pid, "people")


def _findings(report: Report) -> tuple[tuple[str, ...], list[tuple[str, ...]], str]:
    """Headings, rows and caption of the doctor's table."""
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
        return (), [], ""
    headings: tuple[str, ...] = ("finding", "count", "what", "what to do", "for example")
    return headings, rows, "The doctor's findings; press a count to see the pictures it names"


def dataset_browser(
    data: ReidDataset | str = "synthetic", *, data_root: Path | None = None, **state: Any
) -> Browser:
    """Browse a dataset's pictures by list, person and camera, with the doctor's findings.

    Args:
        data: a dataset or its name.
        data_root: where datasets lie, for a name.
        **state: fields of ``BrowserState`` to begin with, e.g. ``split="query"``.

    Raises:
        InputError: no such dataset.
    """
    if not isinstance(data, ReidDataset):
        data = load_dataset(data, root_of(data_root))
    return Browser(data, BrowserState(**state))
