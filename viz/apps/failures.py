"""Failures: queries whose first answer is wrong, grouped by what holds of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import pandas as pd
from PIL import Image

from mfa.comparison.failures import TAGS, count_tags, tag_queries
from mfa.records import ReidDataset
from mfa.runs.run import Run
from viz.apps.core import app, controls
from viz.apps.core.images import SHOWN, thumbnail
from viz.apps.core.pair_cards import Explained, code_of, explain
from viz.apps.core.session import Subject, open_subject, opening, original
from viz.apps.core.worker import Job
from viz.apps.widgets import Cards, Item, Table
from viz.grids import rank_cards

PAGE = 24
EVERY = "all failures"


@dataclass(frozen=True)
class FailuresState:
    """What the app shows.

    Attributes:
        tag: of ``mfa.comparison.failures.TAGS``, or all failures.
        start: first of the queries shown.
        query: whose ranks are shown; ``None`` for the first one of the group.
        k: ranks shown.
    """

    tag: str = EVERY
    start: int = 0
    query: int | None = None
    k: int = 10


@dataclass(frozen=True)
class Shown:
    """Counts by tag, the group's queries, and one of them in full."""

    counts: dict[str, int]
    group: pd.DataFrame
    total: int
    row: rank_cards.Row | None
    tags: tuple[str, ...]
    explained: Explained | None


class Failures(app.App[FailuresState, Shown]):
    """See ``viz.apps.failures``."""

    name = "failures"
    heading = "Failures: what do the wrong ones have in common?"

    def __init__(self, subject: Subject, state: FailuresState) -> None:
        super().__init__(state)
        self.subject = subject
        self.tag = controls.choice("Group", [EVERY, *TAGS])
        self.before = controls.button("◀ earlier", "The pictures before these")
        self.after = controls.button("later ▶", "The pictures after these")
        self.place, self.words = ipywidgets.HTML(), ipywidgets.HTML()
        self.table = Table(prose=True)
        self.group = Cards(clickable=True, height=100)
        self.ranks = Cards()
        self.maps = Cards(height=120, label="The wrong first answer, explained")
        self.bars = ipywidgets.HTML()
        self._shown: Sequence[int] = ()
        self._total = 0
        self.bind("tag", self.tag, start=0, query=None)
        self.on(self.table, lambda _: self._see(), "clicks")
        self.click(self.before, lambda: self._turn(-PAGE))
        self.click(self.after, lambda: self._turn(PAGE))
        self.on(self.group, lambda _: self._choose(), "clicks")
        self.start(
            self.table,
            controls.row([self.tag, self.before, self.place, self.after]),
            self.group,
            self.words,
            self.ranks,
            self.maps,
            self.bars,
        )

    def tagged(self, job: Job) -> pd.DataFrame:
        """Every failing query with its tags; see ``mfa.comparison.failures.tag_queries``."""
        found: pd.DataFrame = self.subject.once("tags", lambda: self._tag(job))
        return found

    def render(self, state: FailuresState, job: Job) -> Shown:
        """Group, and rank one query."""
        tagged = self.tagged(job)
        group = tagged
        if state.tag != EVERY:
            group = tagged[[state.tag in tags for tags in tagged["tags"]]]
        shown = group.iloc[state.start : state.start + PAGE]
        query = state.query
        if query is None and len(shown):
            query = int(shown["query"].iloc[0])
        row, tags, explained = None, (), None
        if query is not None:
            result = self.subject.result()
            row = rank_cards.row(result, self.subject.data, query, state.k)
            tags = next(iter(tagged["tags"][tagged["query"] == query]), ())
            job.progress(0.8, "explaining the first answer")
            first = row.cards[0].path
            sides = [
                (self.subject.pixels(path), original(path, SHOWN))
                for path in (row.query.path, first)
            ]
            explained = explain(self.subject, sides[0], sides[1])
        return Shown(count_tags(tagged), shown, len(group), row, tags, explained)

    def show(self, state: FailuresState, shown: Shown) -> None:
        """Fill the widgets."""
        scored = len(self.subject.result().counted)
        rows = [(tag, f"{n}", TAGS[tag]) for tag, n in shown.counts.items()]
        failing = len(self.subject.once("tags", pd.DataFrame))
        caption = f"{failing} of {scored} counted queries have a wrong first answer"
        self.table.put(("what holds", "queries", "rule"), rows, caption, active=[1])
        end = min(state.start + PAGE, shown.total)
        self.place.value = f"{min(state.start + 1, end)} to {end} of {shown.total}"
        queries = [int(query) for query in shown.group["query"]]
        self._shown, self._total = queries, shown.total
        items = [
            Item(
                kind="query",
                title=f"id {entry['pid']} cam {entry['camid']}",
                sub=f"AP {100 * entry['AP']:.0f}, first at {entry['first_match_rank']}",
                alt=f"query {entry['name']}",
            )
            for entry in shown.group.to_dict("records")
        ]
        query = state.query if state.query is not None else (queries[0] if queries else -1)
        self.group.put(
            [thumbnail(self.subject.query_path(q)) for q in queries],
            items,
            selected=queries.index(query) if query in queries else -1,
            label=f"{state.tag}: {shown.total} queries",
        )
        words = f"what holds of the marked one: {', '.join(shown.tags) or 'none of the rules'}"
        self.words.value = words if shown.row else ""
        self._rank(shown)

    def code(self) -> str:
        """See ``App.code``."""
        state, chosen = self.state, "tagged"
        if state.tag != EVERY:
            chosen = f"tagged[[{state.tag!r} in tags for tags in tagged['tags']]]"
        query = "queries[0]" if state.query is None else f"{state.query}"
        return (
            opening(self.subject)
            + "from mfa.comparison.failures import tag_queries\n"
            + "from viz.apps.failures import brightness_and_size\n\n"
            + "result = mfa.evaluate(run, data)\n"
            + "brightness, sizes = brightness_and_size([s.path for s in data.query])\n"
            + "tagged = tag_queries(result, brightness=brightness, sizes=sizes)\n"
            + f"group = {chosen}\n"
            + f"queries = list(group['query'])[{state.start}:{state.start + 4}]\n"
            + f"figure = viz.draw_rank_grid(result, data, queries=queries, k={state.k})\n"
            + f"query = {query}\n"
            + "first = int(result.ranking(query, 1)['gallery'].iloc[0])\n"
            + code_of(self.subject, "query", "first")
        )

    def _rank(self, shown: Shown) -> None:
        if shown.row is None or shown.explained is None:
            self.ranks.put([], [], label="")
            self.maps.put([], [])
            self.bars.value = ""
            return
        items: list[Item] = []
        both = (shown.row.query, *shown.row.cards)
        for card in both:
            title, sub = card.caption()
            items.append(Item(kind=card.kind, title=title, sub=sub, alt=card.path.name))
        label = f"{shown.row.name}   {shown.row.score}"
        self.ranks.put([thumbnail(card.path) for card in both], items, label=label)
        self.maps.put(shown.explained.images, shown.explained.items)
        self.bars.value = shown.explained.bars

    def _tag(self, job: Job) -> pd.DataFrame:
        result = self.subject.result(progress=partial(job.progress, words="scoring"))
        job.progress(0.01, "reading the query pictures")
        count = len(self.subject.features().query)
        paths = [self.subject.query_path(place) for place in range(count)]
        brightness, sizes = brightness_and_size(paths)
        return tag_queries(result, brightness=brightness, sizes=sizes, progress=job.progress)

    def _turn(self, step: int) -> None:
        last = max(0, self._total - 1) // PAGE * PAGE
        self.set(start=min(max(0, self.state.start + step), last), query=None)

    def _see(self) -> None:
        self.set(tag=self.table.rows[self.table.cell[0]][0], start=0, query=None)

    def _choose(self) -> None:
        self.set(query=self._shown[self.group.selected])


def brightness_and_size(paths: Sequence[Path]) -> tuple[np.ndarray, np.ndarray]:
    """Mean grey (0 to 255) and number of pixels of picture files."""
    greys, sizes = [], []
    for path in paths:
        with Image.open(path) as picture:
            sizes.append(picture.width * picture.height)
            greys.append(np.asarray(picture.convert("L").resize((16, 32))).mean())
    return np.array(greys), np.array(sizes)


def failure_browser(
    run: Run | Path | str,
    *,
    data: ReidDataset | str | None = None,
    data_root: Path | None = None,
    **state: Any,
) -> Failures:
    """Browse the queries with a wrong first answer, grouped by what holds of them.

    Args:
        run: a run, or its folder.
        data: a dataset or its name; by default the one the run was trained on.
        data_root: where datasets lie, for a name.
        **state: fields of ``FailuresState`` to begin with, e.g. ``tag="near miss"``.

    Raises:
        InputError: no such run or dataset.
    """
    return Failures(open_subject(run, data, data_root), FailuresState(**state))
