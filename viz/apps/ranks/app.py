"""Ranks: a query and what was found for it, by one model or several; click to explain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets

from mfa.datasets.image_list import ListedImage
from mfa.errors import InputError
from mfa.records import FeatureRow, ListPosition, ReidDataset
from mfa.retrieval.queries import select_queries
from mfa.retrieval.results import RetrievalResult
from mfa.runs.run import Run
from viz.apps.core import app, controls, html
from viz.apps.core.cache import Cache
from viz.apps.core.keeping import Keeper, Keeps, Marks
from viz.apps.core.labels import camera_of, cameras, choice_of, page_of, person
from viz.apps.core.own_picture import own_picture
from viz.apps.core.pair_cards import Explained, explain, put_explained
from viz.apps.core.rank_row import MOST, RankRow, nearest_row, ranked, small
from viz.apps.core.session import Session, open_sessions
from viz.apps.core.worker import Job
from viz.apps.ranks.code import code_of
from viz.apps.ranks.state import RanksState
from viz.apps.widgets import Cards, Item, Upload

PAGE = 12
"""Queries offered at a time."""

KEPT = 8
"""Rankings kept, so that a click on a card ranks nothing again."""

ORDERS = {
    "in the list's order": "list",
    "worst AP first": "worst",
    "first error at rank": "first_error",
    "best AP first": "best",
}


@dataclass(frozen=True)
class Shown:
    """What the app makes of a state.

    Attributes:
        query: the picture that was searched with.
        queries: positions of all queries on offer.
        offered: cards of one page of them.
        rows: for each model what was found.
        numbers: the scores of each model.
        explained: the chosen card; ``None`` where none is chosen, or it is not in its row.
    """

    query: ListedImage
    queries: Sequence[int]
    offered: tuple[list[bytes], list[Item]]
    rows: Sequence[RankRow]
    numbers: str
    explained: Explained | None = None


class Ranks(app.App[RanksState, Shown], Keeps):
    """See ``viz.rank_explorer``."""

    name = "ranks"
    heading = "Ranks: who was found?"

    def __init__(self, sessions: Sequence[Session], state: RanksState) -> None:
        super().__init__(state)
        self.sessions = tuple(sessions)
        self._ranks = Cache(KEPT)
        self.order = controls.choice("Queries", ORDERS)
        self.at = controls.number("Rank", 1, MOST)
        self.find = controls.field("Find", "name, id 7, cam 2")
        self.offers = Cards(label="Query pictures", clickable=True, height=84)
        self.before = controls.button("◀ Previous", "The queries before these")
        self.after = controls.button("Next ▶", "The queries after these")
        self.place = ipywidgets.HTML()
        self.k = controls.slider("Ranks", 1, MOST, 1)
        self.flip = controls.tick("Flip test")
        self.rerank = controls.tick("Re-ranking")
        self.camera_filter = controls.tick("Ignore same person, same camera (standard)")
        self.ignored = controls.tick("Show what was ignored")
        self.covered = controls.tick("Hide right and wrong")
        self.camera = controls.choice("Gallery", cameras(self.sessions[0].data.gallery))
        self.upload = Upload(label="Search with your own picture")
        self.numbers = ipywidgets.HTML()
        self.rows = [Cards(clickable=True) for _ in self.sessions]
        self.maps = Cards()
        self.bars = ipywidgets.HTML()
        for field in ("flip", "rerank", "camera_filter", "ignored", "covered"):
            self.bind(field, getattr(self, field))
        for field in ("order", "find", "at"):  # other queries are offered: the first is searched
            self.bind(field, getattr(self, field), query=None, card=None, own=None)
        self.bind("camera", self.camera, read=camera_of, write=choice_of)
        self.bind("k", self.k)
        self.on(self.offers, lambda _: self._choose(self.offers.selected), "clicks")
        for number, row in enumerate(self.rows):
            self.on(row, partial(self._explain, number), "clicks")
        self.kept = Keeper(self, self.sessions, self._marks, self._go)
        self.underneath = (self.kept.box,)
        self.click(self.before, lambda: self._turn(-PAGE))
        self.click(self.after, lambda: self._turn(PAGE))
        self.on(self.upload, lambda _: self._take(), "chosen")
        queries = [controls.title("Search with"), self.order, self.at, self.find, self.upload]
        gallery = [controls.title("Search in"), self.camera, self.camera_filter, self.ignored]
        ranks = [controls.title("Rank by"), self.rerank, self.flip, self.k, self.covered]
        pages = controls.row([self.before, self.place, self.after])
        shown = [pages, self.offers, self.numbers, *self.rows, self.maps, self.bars]
        self.start([*queries, *gallery, *ranks], *shown)

    def render(self, state: RanksState, job: Job) -> Shown:
        """Score and rank where needed, and explain the chosen card."""
        ranks: Shown = self._ranks.get(
            replace(state, card=None, covered=False), lambda: self._ranked(state, job)
        )
        if state.card is None:
            return ranks
        model, position = state.card
        row = ranks.rows[model] if 0 <= model < len(ranks.rows) else None
        other = row.found[row.place(position)] if row and row.place(position) >= 0 else None
        if other is None:  # the card is not in its row any more
            return ranks
        job.progress(0.9, "explaining the pair")
        searched = state.own or ranks.query
        return replace(ranks, explained=explain(self.sessions[model], searched, other))

    def show(self, state: RanksState, shown: Shown) -> None:
        """Fill the cards."""
        self.settle(state, query=int(shown.query.position))
        self.at.layout.display = "" if state.order == "first_error" else "none"
        query = int(shown.query.position)
        place = shown.queries.index(query) if query in shown.queries else -1
        chosen = -1 if state.own or place < 0 else place % PAGE
        self.offers.put(*shown.offered, selected=chosen)
        self.place.value = f"{place + 1 or '–'} of {len(shown.queries)}"
        for number, (row, made) in enumerate(zip(self.rows, shown.rows, strict=True)):
            made = made.unmarked() if state.covered else made
            here = state.card is not None and state.card[0] == number
            chosen = made.place(state.card[1]) if here and state.card else -1
            name = f"{self.sessions[number].name}: " if len(self.rows) > 1 else ""
            row.put(made.images, made.items, selected=chosen, label=name + made.label)
        self.numbers.value = shown.numbers
        found = shown.explained
        put_explained(self.maps, found, "Why this picture")
        self.bars.value = _words(found, state)
        self.kept.refresh()

    def code(self) -> str:
        """See ``App.code``."""
        return code_of(self.sessions, self.state, self.shown.query if self.shown else None)

    def _ranked(self, state: RanksState, job: Job) -> Shown:
        words = "re-ranking" if state.rerank else "scoring"
        results = []
        for session in self.sessions:
            progress = partial(job.progress, words=f"{words} {session.name}")
            results.append(session.result(state.setting, progress))
        queries = self._queries(state, results[0], job)
        first = self.sessions[0]
        query = first.query(queries[0] if state.query is None else state.query)
        rows = []
        for session, result in zip(self.sessions, results, strict=True):
            job.check()
            rows.append(self._row(session, result, state, query))
        offered = self._offered(queries, int(query.position))
        return Shown(query, queries, offered, rows, self._numbers(state, results, job))

    def _queries(self, state: RanksState, result: RetrievalResult, job: Job) -> list[int]:
        progress = partial(job.progress, words="looking for the first errors")
        rows = select_queries(result, state.order, state.find, at=state.at, progress=progress)
        images = self.sessions[0].images("query")
        return [int(images.at_row(FeatureRow(row)).position) for row in rows]

    def _row(
        self, session: Session, result: RetrievalResult, state: RanksState, query: ListedImage
    ) -> RankRow:
        if state.own is None:
            own = session.query(int(query.position))
            return ranked(session, result, own, state.k, ignored=state.ignored)
        gallery = session.gallery_of(state.camera, state.flip)
        return nearest_row(session, state.own, state.k, gallery, flip=state.flip)

    def _numbers(self, state: RanksState, results: Sequence[RetrievalResult], job: Job) -> str:
        """Scores, and what flip and re-ranking change on the same questions."""
        setting, changed = state.setting, state.setting != state.setting.plain
        names = {"mAP": "mAP", "Rank-1": "rank1", "mINP": "mINP"}
        count = len(results[0].counted)
        against = " Small: against plain ranking." if changed else ""
        parts = [f"<div class='mfa-note'>Over all {count:,} counted queries.{against}</div>"]
        for session, result in zip(self.sessions, results, strict=True):
            progress = partial(job.progress, words=f"scoring {session.name}")
            plain = session.result(setting.plain, progress)
            values, changes = {}, {}
            for name, field in names.items():
                value = 100 * getattr(result, field)
                values[name] = f"{value:.1f} %"
                if changed:
                    changes[name] = f"{value - 100 * getattr(plain, field):+.1f}"
            if len(results) > 1:
                parts.append(f"<strong>{escape(session.name)}</strong>")
            parts.append(html.figures(values, changes))
        return "".join(parts)

    def _offered(self, queries: Sequence[int], query: int) -> tuple[list[bytes], list[Item]]:
        """Cards of the page of queries that holds the present one."""
        images = [self.sessions[0].query(q) for q in page_of(queries, query, PAGE)]
        items = []
        for image in images:
            title, sub, alt = person(image.pid), f"cam {image.camid}", f"query picture {image.name}"
            items.append(Item(kind="query", title=title, sub=sub, alt=alt))
        return [small(image) for image in images], items

    def _choose(self, place: int) -> None:
        if self.shown is not None and place >= 0:
            offered = page_of(self.shown.queries, int(self.shown.query.position), PAGE)
            self.set(query=offered[place], card=None, own=None)

    def _turn(self, step: int) -> None:
        """Go to another page of the queries."""
        if self.shown is not None:
            queries, query = self.shown.queries, self.state.query
            place = queries.index(query) + step if query in queries else 0
            place = min(max(place, 0), len(queries) - 1)
            self.set(query=queries[place], card=None, own=None)

    def _explain(self, number: int, _: Any) -> None:
        if self.shown is not None:
            found = self.shown.rows[number].found[self.rows[number].selected]
            if found is not None:
                self.set(card=(number, int(found.position)))

    def _take(self) -> None:
        self.set(own=own_picture(self.upload.take(), self.upload.name), card=None)

    def _marks(self) -> Marks:
        """The query and the chosen answer."""
        shown, found = self.shown, Marks()
        if shown is not None and self.state.own is None:
            found[f"the query, {person(shown.query.pid)}"] = [shown.query]
        if shown is not None and shown.explained is not None and self.state.card is not None:
            gallery = self.sessions[0].images("gallery")
            found["the chosen answer"] = [gallery.at(ListPosition(self.state.card[1]))]
        return found

    def _go(self, image: ListedImage) -> None:
        """Search with a picture of the query list."""
        if image.split != "query":
            raise InputError("a gallery picture is no query", "look at it in the attention app")
        self.set(query=int(image.position), order="list", find="", card=None, own=None)


def _words(found: Explained | None, state: RanksState) -> str:
    """The explanation of a card, and what it leaves out."""
    if found is None:
        return "<div class='mfa-note'>Click a found picture to see why it was ranked there.</div>"
    switched = " and ".join(["re-ranking"] * state.rerank + ["flip"] * state.flip)
    if not switched:
        return found.bars
    words = f"This explains the plain cosine; the order above is with {switched}."
    return f"{found.bars}<div class='mfa-note'>{words}</div>"


def rank_explorer(
    run: Run | Path | str | Sequence[Any],
    *,
    data: ReidDataset | str | None = None,
    data_root: Path | str | None = None,
    device: str | None = None,
    precision: str | None = None,
    **state: Any,
) -> Ranks:
    """Browse what was found for each query, by one run or several, and click to explain it.

    Args:
        run: a run, the folder of one, or several of these.
        data: a dataset or its name; by default the one that the first run was trained on.
        data_root: where datasets lie, for a name.
        device: where the network computes; see ``mfa.open_run``.
        precision: of the network; see ``mfa.open_run``.
        **state: fields of ``RanksState`` to begin with, e.g. ``query=3, order="worst"``.

    Raises:
        InputError: no such run or dataset.
    """
    sessions = open_sessions(run, data, data_root, device=device, precision=precision)
    return Ranks(sessions, RanksState(**state))
