"""Failures: queries whose first answer is wrong, grouped by what holds of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets
import pandas as pd

from mfa.comparison.failures import TAGS, brightness_and_size, count_tags, tag_queries
from mfa.datasets.image_list import ListedImage
from mfa.errors import InputError
from mfa.records import FeatureRow, ReidDataset
from mfa.runs.run import Run
from viz.apps.core import app, controls
from viz.apps.core.code import opening
from viz.apps.core.keeping import Keeper, Keeps, Marks
from viz.apps.core.labels import person
from viz.apps.core.pair_cards import Explained, explain, explain_code, put_explained
from viz.apps.core.rank_row import RankRow, ranked, small
from viz.apps.core.session import Session, open_session
from viz.apps.core.worker import Job
from viz.apps.widgets import Cards, Item, Table

PAGE = 24
EVERY = "all failures"


@dataclass(frozen=True)
class FailuresState:
    """What the app shows.

    Attributes:
        tag: of ``mfa.comparison.failures.TAGS``, or all failures.
        start: first of the queries shown.
        query: position in the query list of the query whose ranks are shown; ``None``: the first
            one of the group.
        k: ranks shown.
    """

    tag: str = EVERY
    start: int = 0
    query: int | None = None
    k: int = 10


@dataclass(frozen=True)
class Shown:
    """Counts by tag, a page of the group, and one of its queries in full.

    Attributes:
        tagged: every failing query with its tags.
        group, images: the rows of the page that is shown, and their queries.
        total: queries of the group.
        query, row, explained: the query that is shown in full, what was found for it, and its wrong
            first answer; ``None`` in an empty group.
    """

    tagged: pd.DataFrame
    group: pd.DataFrame
    images: list[ListedImage]
    total: int
    query: ListedImage | None = None
    row: RankRow | None = None
    explained: Explained | None = None


class Failures(app.App[FailuresState, Shown], Keeps):
    """See ``viz.failure_browser``."""

    name = "failures"
    heading = "Failures: what do the wrong ones have in common?"

    def __init__(self, session: Session, state: FailuresState) -> None:
        super().__init__(state)
        self.session = session
        self.tag = controls.choice("Group", [EVERY, *TAGS])
        self.before = controls.button("◀ Previous", "The pictures before these")
        self.after = controls.button("Next ▶", "The pictures after these")
        self.place, self.words = ipywidgets.HTML(), ipywidgets.HTML()
        self.table = Table(prose=True)
        self.group = Cards(clickable=True, height=100)
        self.ranks = Cards()
        self.maps = Cards(height=120)
        self.bars = ipywidgets.HTML()
        self.bind("tag", self.tag, start=0, query=None)
        self.on(self.table, lambda _: self._see(), "clicks")
        self.click(self.before, lambda: self._turn(-PAGE))
        self.click(self.after, lambda: self._turn(PAGE))
        self.on(self.group, lambda _: self._choose(), "clicks")
        self.kept = Keeper(self, [session], self._marks, self._go)
        self.underneath = (self.kept.box,)
        pages = controls.row([self.tag, self.before, self.place, self.after])
        found = [self.group, self.words, self.ranks, self.maps, self.bars]
        self.start((), self.table, pages, *found)

    def render(self, state: FailuresState, job: Job) -> Shown:
        """Group, and rank one query."""
        tagged: pd.DataFrame = self.session.cached("tags", lambda: self._tag(job))
        if state.tag not in (EVERY, *TAGS):
            raise InputError(f"there is no group {state.tag!r}", "choose one of the list")
        group = tagged
        if state.tag != EVERY:
            group = tagged[[state.tag in tags for tags in tagged["tags"]]]
        start = max(state.start, 0)
        shown = group.iloc[start : start + PAGE]
        listed = self.session.images("query")
        images = [listed.at_row(FeatureRow(int(row))) for row in shown["query"]]
        if not images and state.query is None:
            return Shown(tagged, shown, images, len(group))
        query = images[0] if state.query is None else self.session.query(state.query)
        row = ranked(self.session, self.session.result(), query, state.k)
        job.progress(0.8, "explaining the first answer")
        first = row.found[1]
        assert first is not None
        explained = explain(self.session, query, first)
        return Shown(tagged, shown, images, len(group), query, row, explained)

    def show(self, state: FailuresState, shown: Shown) -> None:
        """Fill the widgets."""
        rows = [(tag, f"{n}", TAGS[tag]) for tag, n in count_tags(shown.tagged).items()]
        scored = len(self.session.result().counted)
        caption = f"{len(shown.tagged)} of {scored} counted queries have a wrong first answer"
        self.table.put(("what holds", "queries", "rule"), rows, caption, active=[1])
        end = min(state.start + PAGE, shown.total)
        self.place.value = f"{min(state.start + 1, end)} to {end} of {shown.total}"
        items = []
        for entry in shown.group.to_dict("records"):
            rank, camera = entry["first_match_rank"], f"cam {entry['camid']}"
            sub = f"{camera}, AP {100 * entry['AP']:.0f}, first at {rank}"
            alt = f"query {entry['name']}"
            items.append(Item(kind="query", title=person(entry["pid"]), sub=sub, alt=alt))
        chosen = shown.images.index(shown.query) if shown.query in shown.images else -1
        label = f"{state.tag}: {shown.total} queries"
        self.group.put([small(i) for i in shown.images], items, selected=chosen, label=label)
        row, found = shown.row or RankRow([], [], [], ""), shown.explained
        self.words.value = self._tags(shown)
        self.ranks.put(row.images, row.items, label=row.label)
        put_explained(self.maps, found, "The wrong first answer, explained")
        self.bars.value = found.bars if found else ""
        self.kept.refresh()

    def code(self) -> str:
        """See ``App.code``."""
        state, shown = self.state, self.shown
        if shown is None or shown.query is None or shown.row is None:
            return opening([self.session])
        tagged = f'tagged[tagged["tags"].map(lambda tags: {state.tag!r} in tags)]'
        chosen = "tagged" if state.tag == EVERY else tagged
        first = shown.row.found[1]
        assert first is not None
        return (
            opening([self.session])
            + "result = mfa.evaluate(run, data)\n"
            + "tagged = mfa.tag_queries(result, **mfa.brightness_and_size(data.query))\n"
            + f"group = {chosen}\n"
            + f'queries = list(group["query"][{state.start}:{state.start + 4}])\n'
            + f"viz.draw_rank_grid(result, data, queries, k={state.k})\n"
            + explain_code(self.session, str(shown.query.position), str(first.position))
        )

    def _tags(self, shown: Shown) -> str:
        if shown.query is None:
            return "<div class='mfa-note'>No query is in this group.</div>"
        table = shown.tagged
        tags = next(iter(table["tags"][table["query"] == shown.query.row]), ())
        return f"What holds of the marked one: {', '.join(tags) or 'none of the rules'}"

    def _tag(self, job: Job) -> pd.DataFrame:
        result = self.session.result(progress=partial(job.progress, words="scoring"))
        job.progress(0.01, "reading the query pictures")
        images = self.session.images("query").with_rows()
        facts = brightness_and_size([image.sample for image in images])
        return tag_queries(result, **facts, progress=job.progress)

    def _turn(self, step: int) -> None:
        total = self.shown.total if self.shown else 0
        last = max(0, total - 1) // PAGE * PAGE
        self.set(start=min(max(0, self.state.start + step), last), query=None)

    def _see(self) -> None:
        self.set(tag=self.table.rows[self.table.cell[0]][0], start=0, query=None)

    def _choose(self) -> None:
        if self.shown is not None:
            self.set(query=int(self.shown.images[self.group.selected].position))

    def _marks(self) -> Marks:
        """The query that is shown in full, and all on the page."""
        shown, found = self.shown, Marks()
        if shown is not None and shown.query is not None:
            found[f"the marked query, {person(shown.query.pid)}"] = [shown.query]
        if shown is not None and len(shown.images) > 1:
            found[f"the {len(shown.images)} queries of this page"] = shown.images
        return found

    def _go(self, image: ListedImage) -> None:
        """Show a query in full."""
        if image.split != "query":
            raise InputError("a gallery picture is no query", "look at it in the attention app")
        self.set(query=int(image.position))


def failure_browser(
    run: Run | Path | str,
    *,
    data: ReidDataset | str | None = None,
    data_root: Path | str | None = None,
    device: str | None = None,
    precision: str | None = None,
    **state: Any,
) -> Failures:
    """Browse the queries with a wrong first answer, grouped by what holds of them.

    Args:
        run: a run, or its folder.
        data: a dataset or its name; by default the one that the run was trained on.
        data_root: where datasets lie, for a name.
        device: where the network computes; see ``mfa.open_run``.
        precision: of the network; see ``mfa.open_run``.
        **state: fields of ``FailuresState`` to begin with, e.g. ``tag="near miss"``.

    Raises:
        InputError: no such run or dataset.
    """
    session = open_session(run, data, data_root, device=device, precision=precision)
    return Failures(session, FailuresState(**state))
