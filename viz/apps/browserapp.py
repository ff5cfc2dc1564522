"""Dataset browser: people, cameras, the doctor's findings, and the pictures behind each count."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import ipywidgets
import pandas as pd

from mfa.datasets import data_root as root_of
from mfa.datasets import load_dataset
from mfa.datasets.doctor import Report, examine
from mfa.errors import InputError
from mfa.records import DISTRACTOR, JUNK, NO_CAMERA, ReidDataset, Sample
from viz.apps import base, markup
from viz.apps.images import thumbnail
from viz.apps.widgets import Cards, Item
from viz.apps.worker import Job

PAGE = 30
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
        start: first picture shown.
        doctor: let the doctor read every picture, too; else only names.
    """

    split: str = "all"
    kind: str = "all"
    pid: int | None = None
    camera: int | None = None
    start: int = 0
    doctor: bool = False


@dataclass(frozen=True)
class Shown:
    """Counts by list and camera, the doctor's report, and the pictures chosen."""

    counts: pd.DataFrame
    report: Report
    chosen: list[tuple[str, Sample]]
    total: int


class Browser(base.App[BrowserState, Shown]):
    """See ``viz.apps.browser``."""

    name = "browser"
    heading = "Dataset browser: who is in here?"

    def __init__(self, data: ReidDataset, state: BrowserState) -> None:
        super().__init__(state)
        self.data = data
        self._reports: dict[bool, Report] = {}
        self._all = [(split, sample) for split in LISTS[1:] for sample in getattr(data, split)]
        known = sorted({s.camid for _, s in self._all if s.camid != NO_CAMERA})
        self.split = base.choice("List", LISTS)
        self.kind = base.choice("Who", KINDS)
        self.pid = ipywidgets.Text(
            description="Person", placeholder="id, empty for all", continuous_update=False
        )
        self.camera = base.choice("Camera", [("all", None), *((f"{c}", c) for c in known)])
        self.before = base.button("◀ earlier", "The pictures before these")
        self.after = base.button("later ▶", "The pictures after these")
        self.people = base.button("Next person", "The next identity of this list")
        self.doctor = base.tick("read every picture for the doctor (slow)")
        self.counts, self.findings, self.place = (ipywidgets.HTML() for _ in range(3))
        self.cards = Cards(clickable=True, height=110)
        for field in ("split", "kind", "camera"):
            self.on(getattr(self, field), lambda change, f=field: self._first(f, change))  # type: ignore[misc]
        self.bind("doctor", self.doctor)
        self.on(self.pid, lambda change: self.set(pid=_person(change["new"]), start=0))
        self.on(self.cards, lambda _: self._choose(), "clicks")
        self.click(self.before, lambda: self._turn(-PAGE))
        self.click(self.after, lambda: self._turn(PAGE))
        self.click(self.people, self._next_person)
        self._shown: list[tuple[str, Sample]] = []
        self.start(
            self.counts,
            base.row([self.split, self.kind, self.camera, self.pid, self.people]),
            base.row([self.before, self.place, self.after]),
            self.cards,
            self.doctor,
            self.findings,
        )

    def render(self, state: BrowserState, job: Job) -> Shown:
        """Choose pictures; ask the doctor once."""
        chosen = self.chosen(state)
        if not chosen:
            raise InputError("no picture fits these choices; set one of them back to all")
        if state.doctor not in self._reports:
            job.progress(0.05, "the doctor examines the folder")
            self._reports[state.doctor] = examine(
                self.data.name, self.data.root.parent, decode=state.doctor
            )
        page = chosen[state.start : state.start + PAGE]
        return Shown(self._counts(), self._reports[state.doctor], page, len(chosen))

    def show(self, state: BrowserState, shown: Shown) -> None:
        """Fill the widgets."""
        self.split.value, self.kind.value = state.split, state.kind
        self.camera.value = state.camera
        self.pid.value = "" if state.pid is None else str(state.pid)
        table = shown.counts
        rows = [[str(name), *(f"{n:,}" for n in row)] for name, row in table.iterrows()]
        headings = ("list", *map(str, table.columns))
        self.counts.value = markup.table(headings, rows, f"{self.data.name} at {self.data.root}")
        end = min(state.start + PAGE, shown.total)
        self.place.value = f"{state.start + 1:,} to {end:,} of {shown.total:,}"
        self._shown = shown.chosen
        items = [
            Item(
                kind="ignored" if sample.pid == JUNK else "plain",
                title=_name(sample.pid),
                sub=f"{split}, cam {sample.camid}",
                alt=f"{sample.path.name} of {split}",
            )
            for split, sample in shown.chosen
        ]
        self.cards.put([thumbnail(s.path) for _, s in shown.chosen], items, label="Pictures")
        self.findings.value = _findings(shown.report)

    def chosen(self, state: BrowserState) -> list[tuple[str, Sample]]:
        """(list, sample) of every picture a state chooses."""
        return [
            (split, sample)
            for split, sample in self._all
            if state.split in ("all", split)
            and (state.kind == "all" or _kind(sample.pid) == state.kind)
            and state.pid in (None, sample.pid)
            and state.camera in (None, sample.camid)
        ]

    def code(self) -> str:
        """See ``App.code``."""
        state = self.state
        people = None if state.pid is None else [state.pid]
        return (
            "from pathlib import Path\n\nimport mfa\nimport viz\n\n"
            f"data = mfa.load_dataset({self.data.name!r}, Path({str(self.data.root.parent)!r}))\n"
            "from viz.apps.browserapp import Browser, BrowserState\n\n"
            f"chosen = Browser(data, BrowserState()).chosen({state!r})\n"
            "print(len(chosen), 'pictures, first', chosen[0][1].path.name)\n"
            f"figure = viz.identity_sheet(data, {people!r})\n"
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

    def _first(self, field: str, change: Any) -> None:
        self.set(**{field: change["new"], "start": 0})

    def _turn(self, step: int) -> None:
        last = max(0, len(self.chosen(self.state)) - 1) // PAGE * PAGE
        self.set(start=min(max(0, self.state.start + step), last))

    def _choose(self) -> None:
        self.set(pid=self._shown[self.cards.selected][1].pid, start=0)

    def _next_person(self) -> None:
        pids = sorted({s.pid for split, s in self._all if self.state.split in ("all", split)}
                      - {JUNK, DISTRACTOR})  # fmt: skip
        here = self.state.pid
        after = [pid for pid in pids if here is None or pid > here]
        self.set(pid=(after or pids)[0], start=0, kind="all", camera=None)


def _person(words: str) -> int | None:
    text = words.strip()
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise InputError(f"a person is a number, got {words!r}") from None


def _kind(pid: int) -> str:
    return {JUNK: "junk", DISTRACTOR: "distractor"}.get(pid, "people")


@lru_cache(maxsize=4096)
def _name(pid: int) -> str:
    kind = _kind(pid)
    return f"id {pid}" if kind == "people" else kind


def _findings(report: Report) -> str:
    rows = []
    for found in report.findings:
        examples = ", ".join(found.examples[:3])
        name, count = f"{found.severity}: {found.code}", f"{found.count or ''}"
        rows.append((name, count, found.what, found.fix or "–", examples))
    if not rows:
        return "<p>The doctor found nothing.</p>"
    words = "The doctor's findings"
    headings = ("finding", "count", "what", "what to do", "for example")
    return markup.table(headings, rows, words, prose=True)


def browser(
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
