"""Ranks: a query and what was found for it, by one model or several; click to explain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np

from mfa.records import ReidDataset
from mfa.retrieval.results import RetrievalResult
from mfa.runs.run import Run
from viz.apps.core import app, controls, html
from viz.apps.core.images import SHOWN, thumbnail
from viz.apps.core.pair_cards import Explained, explain
from viz.apps.core.search import (
    ORDERS,
    camera_of,
    cameras,
    choice_of,
    first_errors,
    ordered,
    page_of,
)
from viz.apps.core.session import Setting, Subject, open_subjects, original
from viz.apps.core.upload import BYTES, check_bytes, decode_upload, uploaded
from viz.apps.core.worker import Job
from viz.apps.ranks.code import code_of
from viz.apps.ranks.rows import CardRow, asked, ranked
from viz.apps.widgets import Cards, Item, Slider, Upload

PAGE = 12
"""Queries offered at a time."""


@dataclass(frozen=True)
class RanksState:
    """What the app shows.

    Attributes:
        query: position in the query list; ``None``: the first one offered.
        order, find, at: which queries are offered, see ``viz.apps.core.search.ordered``.
        k: ranks shown.
        flip, rerank, camera_filter, camera: see ``viz.apps.core.session.Setting``.
        junk: also show what was not counted, where it falls.
        card: (model, position in the gallery list) of the card that is explained.
        upload: a picture file of the visitor's, asked instead of the query.
    """

    query: int | None = None
    order: str = "list"
    find: str = ""
    at: int = 1
    k: int = 10
    flip: bool = False
    rerank: bool = False
    camera_filter: bool = True
    camera: int | None = None
    junk: bool = False
    card: tuple[int, int] | None = None
    upload: bytes = b""

    @property
    def setting(self) -> Setting:
        """The switches that change the scores."""
        return Setting(self.flip, self.rerank, self.camera_filter, self.camera)


@dataclass(frozen=True)
class Shown:
    """What the app makes of a state: the query, those offered, a row a model, numbers, why."""

    query: int
    queries: Sequence[int]
    rows: Sequence[CardRow]
    numbers: str
    explained: Explained | None


class Ranks(app.App[RanksState, Shown]):
    """See ``viz.apps.ranks``."""

    name = "ranks"
    heading = "Ranks: who was found?"

    def __init__(self, subjects: Sequence[Subject], state: RanksState) -> None:
        super().__init__(state)
        self.subjects = tuple(subjects)
        first = self.subjects[0]
        self.order = controls.choice("Queries", ORDERS)
        self.at = controls.number("Rank", 1, 50)
        self.find = controls.field("Find", "name, id 7, cam 2")
        self.offers = Cards(label="Query pictures", clickable=True, height=84)
        self.before = controls.button("◀ earlier", "The queries before these")
        self.after = controls.button("later ▶", "The queries after these")
        self.place = ipywidgets.HTML()
        self.k = Slider(label="Ranks", min=1, max=30, step=1, digits=0)
        self.flip = controls.tick("flip test")
        self.rerank = controls.tick("re-ranking")
        self.camera_filter = controls.tick("leave out the same person by the same camera")
        self.junk = controls.tick("show what was left out")
        self.camera = controls.choice("Gallery", cameras(first.data.gallery))
        self.upload = Upload(
            label="Ask with a picture of yours",
            tip="A picture file; it stays in memory and is not kept",
            limit=BYTES,
        )
        self.numbers = ipywidgets.HTML()
        self.rows = [Cards(clickable=True) for _ in self.subjects]
        self.maps = Cards()
        self.bars = ipywidgets.HTML()
        for field in ("flip", "rerank", "camera_filter", "junk"):
            self.bind(field, getattr(self, field))
        for field in ("order", "find", "at"):  # other queries are offered: the first is asked
            self.bind(field, getattr(self, field), query=None, card=None, upload=b"")
        self.bind("camera", self.camera, read=camera_of, write=choice_of)
        self.bind("k", self.k, read=int)
        self.on(self.offers, lambda _: self._choose(self.offers.selected), "clicks")
        for number, row in enumerate(self.rows):
            self.on(row, partial(self._explain, number), "clicks")
        self.click(self.before, lambda: self._turn(-PAGE))
        self.click(self.after, lambda: self._turn(PAGE))
        self.on(self.upload, lambda _: self._take(), "chosen")
        self._queries: Sequence[int] = ()
        self._offered: Sequence[int] = ()
        self._places: dict[int, list[int]] = {}
        self.start(
            controls.row([self.order, self.at, self.find, self.before, self.place, self.after]),
            self.offers,
            controls.row([self.k, self.camera, self.upload]),
            controls.row([self.rerank, self.flip, self.camera_filter, self.junk]),
            self.numbers,
            *self.rows,
            self.maps,
            self.bars,
        )

    def render(self, state: RanksState, job: Job) -> Shown:
        """Score where needed, rank, explain."""
        words = "re-ranking" if state.rerank else "scoring"
        results = []
        for subject in self.subjects:
            progress = partial(job.progress, words=f"{words} {subject.name}")
            results.append(subject.result(state.setting, progress))
        job.check()
        errors = self._errors(state, results[0], job) if state.order == "first_error" else None
        queries = ordered(results[0], state.order, state.find, errors, state.at)
        query = queries[0] if state.query is None else state.query
        rows = []
        for subject, result in zip(self.subjects, results, strict=True):
            job.check()
            rows.append(
                asked(subject, result, state)
                if state.upload
                else ranked(subject, result, state, query)
            )
        explained = None
        if state.card is not None:
            job.progress(0.9, "explaining the pair")
            explained = self._explained(state, query)
        return Shown(query, queries, rows, self._numbers(results), explained)

    def show(self, state: RanksState, shown: Shown) -> None:
        """Fill the cards."""
        self.settle(state, query=shown.query)
        self.at.layout.display = "" if state.order == "first_error" else "none"
        self._offer_queries(shown, asked=not state.upload)
        for number, (row, made) in enumerate(zip(self.rows, shown.rows, strict=True)):
            self._places[number] = made.places
            chosen = -1
            if state.card is not None and state.card[0] == number and state.card[1] in made.places:
                chosen = made.places.index(state.card[1])
            row.put(made.images, made.items, selected=chosen, label=made.label)
        self.numbers.value = shown.numbers
        found = shown.explained
        self.maps.put(found.images if found else [], found.items if found else [],
                      label="Why this picture" if found else "")  # fmt: skip
        self.bars.value = _words(found, state)

    def code(self) -> str:
        """See ``App.code``."""
        return code_of(self.subjects, self.state)

    def _offer_queries(self, shown: Shown, asked: bool) -> None:
        """The queries on offer; the present one is marked where it is the one ``asked``."""
        first = self.subjects[0]
        samples = first.features().query
        self._queries = shown.queries
        self._offered = offered = page_of(shown.queries, shown.query, PAGE)
        items = [
            Item(kind="query", title=f"id {samples.pids[q]}", sub=f"cam {samples.camids[q]}",
                 alt=f"query picture {samples.names[q]}")
            for q in offered
        ]  # fmt: skip
        images = [thumbnail(first.query_path(position)) for position in offered]
        chosen = offered.index(shown.query) if asked and shown.query in offered else -1
        self.offers.put(images, items, selected=chosen)
        place = f"{shown.queries.index(shown.query) + 1}" if shown.query in shown.queries else "–"
        self.place.value = f"{place} of {len(shown.queries)}"

    def _errors(self, state: RanksState, result: RetrievalResult, job: Job) -> np.ndarray:
        progress = partial(job.progress, words="looking for the first errors")
        found: np.ndarray = self.subjects[0].once(
            ("errors", state.setting), lambda: first_errors(result, progress)
        )
        return found

    def _choose(self, place: int) -> None:
        self.set(query=self._offered[place], card=None, upload=b"")

    def _turn(self, step: int) -> None:
        """A page of the queries on or back."""
        queries, query = self._queries, self.state.query
        if queries:
            place = queries.index(query) + step if query in queries else 0
            place = min(max(place, 0), len(queries) - 1)
            self.set(query=queries[place], card=None, upload=b"")

    def _explain(self, number: int, _: Any) -> None:
        place = self._places[number][self.rows[number].selected]
        if place >= 0:
            self.set(card=(number, place))

    def _take(self) -> None:
        content = self.upload.take()
        check_bytes(self.upload.size, self.upload.name)
        decode_upload(content, self.upload.name)
        self.set(upload=content, card=None)

    def _explained(self, state: RanksState, query: int) -> Explained:
        assert state.card is not None
        subject = self.subjects[state.card[0]]
        path = subject.data.gallery[state.card[1]].path
        other = (subject.pixels(path), original(path, SHOWN))
        if state.upload:
            own = (uploaded(state.upload, subject.size), uploaded(state.upload, SHOWN))
        else:
            file = subject.query_path(query)
            own = (subject.pixels(file), original(file, SHOWN))
        return explain(subject, own, other)

    def _numbers(self, results: Sequence[RetrievalResult]) -> str:
        count = len(results[0].counted)
        parts = [f"<div class='mfa-note'>Over all {count:,} counted queries:</div>"]
        for subject, result in zip(self.subjects, results, strict=True):
            plain = subject.result()
            values = {"mAP": result.mAP, "Rank-1": result.rank1, "mINP": result.mINP}
            before = {"mAP": plain.mAP, "Rank-1": plain.rank1, "mINP": plain.mINP}
            shown = {name: f"{100 * value:.1f} %" for name, value in values.items()}
            changes = {
                name: f"{100 * (values[name] - before[name]):+.1f}"
                for name in values
                if result is not plain
            }
            title = f"<strong>{subject.name}</strong>" if len(results) > 1 else ""
            parts.append(title + html.figures(shown, changes))
        return "".join(parts)


def _words(found: Explained | None, state: RanksState) -> str:
    """The explanation of a card, and what it leaves out."""
    if found is None:
        return "Click a picture to see why it was ranked there."
    switched = [word for word, on in (("re-ranking", state.rerank), ("flip", state.flip)) if on]
    if not switched:
        return found.bars
    return found.bars + (
        f"<div class='mfa-note'>This explains the plain cosine; the order above is with "
        f"{' and '.join(switched)}.</div>"
    )


def rank_explorer(
    run: Run | Path | str | Sequence[Any],
    *,
    data: ReidDataset | str | None = None,
    data_root: Path | None = None,
    **state: Any,
) -> Ranks:
    """Browse what was found for each query, by one run or several, and click to explain it.

    Args:
        run: a run, the folder of one, or several of these.
        data: a dataset or its name; by default the one the first run was trained on.
        data_root: where datasets lie, for a name.
        **state: fields of ``RanksState`` to begin with, e.g. ``query=3, order="worst"``.

    Raises:
        InputError: no such run or dataset.
    """
    return Ranks(open_subjects(run, data, data_root), RanksState(**state))
