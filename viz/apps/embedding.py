"""Embedding: the same pictures on a plane a branch, linked; lasso some to see them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets
import jscatter
import numpy as np
import pandas as pd
from jscatter.widget import JupyterScatter

from mfa.comparison.projection import measure_embedding
from mfa.errors import InputError
from mfa.records import ReidDataset
from mfa.runs.run import Run
from viz import theme
from viz.apps.core import app, controls, html
from viz.apps.core.images import thumbnail
from viz.apps.core.search import narrowed
from viz.apps.core.session import Subject, open_subject, opening
from viz.apps.core.worker import Job
from viz.apps.widgets import Cards, Item, Slider
from viz.apps.widgets.tree import close_tree, tree

MOST = 48
"""Cards shown of a selection."""

# As in viz.apps.widgets.scripts: files would keep every plane for good.
for _file in ("_esm", "_css"):
    setattr(JupyterScatter, _file, str(getattr(JupyterScatter, _file)))

HEIGHT = 270
"""Pixels of a plane with its title."""

WHOLE = "whole descriptor"
COLOURS = {"person": "person", "camera": "camera", "right or wrong": "answer"}


@dataclass(frozen=True)
class EmbeddingState:
    """What the app shows.

    Attributes:
        method: ``pca`` or ``tsne``.
        people: how many, those with most pictures first.
        colour: ``person``, ``camera`` or ``answer``.
        selection: rows of the table of points.
    """

    method: str = "pca"
    people: int = 8
    colour: str = "person"
    selection: tuple[int, ...] = ()


@dataclass(frozen=True)
class Shown:
    """A table of points a view; the rows of all are the same pictures in one order."""

    tables: dict[str, pd.DataFrame]


class Embedding(app.App[EmbeddingState, Shown]):
    """See ``viz.apps.embedding``."""

    name = "embedding"
    heading = "Embedding: who lies near whom, branch by branch?"

    def __init__(self, subject: Subject, state: EmbeddingState) -> None:
        super().__init__(state)
        self.subject = subject
        branches = list(subject.run.model.widths)
        self.names = [WHOLE, *branches] if len(branches) > 1 else [WHOLE]
        self.method = controls.choice("Plane", {"PCA": "pca", "t-SNE (slow)": "tsne"})
        self.people = Slider(label="People", min=3, max=40, step=1, digits=0)
        self.colour = controls.choice("Colour by", COLOURS)
        self.find = controls.field("Select", "id 7, cam 2, wrong")
        self.clear = controls.button("Clear selection", "Select nothing")
        self.words = ipywidgets.HTML()
        self.holder = ipywidgets.VBox()
        self.cards = Cards(height=96)
        self.scatters: dict[str, Any] = {}
        self._points: tuple[str, int] | None = None
        self._coloured = ""
        self._table = pd.DataFrame()
        self.bind("method", self.method)
        self.bind("colour", self.colour)
        self.bind("people", self.people, read=int, selection=())
        self.on(self.find, lambda change: self._find(change["new"]))
        self.click(self.clear, lambda: self._mark([]))
        self._said: list[int] = []
        self.start(
            controls.row([self.method, self.people, self.colour, self.find, self.clear]),
            self.words,
            self.holder,
            self.cards,
        )

    def render(self, state: EmbeddingState, job: Job) -> Shown:
        """Place the pictures on a plane for each view."""
        self.subject.result(progress=partial(job.progress, words="scoring"))
        tables = {}
        for number, name in enumerate(self.names):
            job.progress(number / len(self.names), f"placing by {name}")
            tables[name] = self.subject.once(
                ("points", state.method, state.people, name), partial(self._place, state, name)
            )
        return Shown(tables)

    def show(self, state: EmbeddingState, shown: Shown) -> None:
        """New planes where the points changed, else new colours; then the cards."""
        points = (state.method, state.people)
        if points != self._points:
            self._rebuild(state, shown.tables)
            self._mark(list(state.selection))
            self._points, self._coloured = points, state.colour
        elif state.colour != self._coloured:
            for name, scatter in self.scatters.items():
                scatter.color(by=state.colour, map=_colours(shown.tables[name][state.colour]))
            self._coloured = state.colour
        table = self._table = shown.tables[WHOLE]
        names = list(table[state.colour].cat.categories)
        key = dict(zip(names, _colours(table[state.colour]), strict=True))
        again = " (colours come again)" if len(key) > len(theme.PALETTE) else ""
        self.words.value = (
            f"<div class='mfa-note'>{len(table)} pictures of {table['pid'].nunique()} people; "
            f"{table.attrs['axes']}, of the {WHOLE}. Draw with the lasso (press and move with "
            "Shift held, or the lasso button), or say whom to select: the pictures appear below, "
            f"and every plane marks the same ones.</div>{html.key(key, state.colour + again)}"
        )
        self._show_cards(table, state.selection)

    def code(self) -> str:
        """See ``App.code``."""
        state = self.state
        branches = [None, *self.names[1:]]
        return (
            opening(self.subject)
            + "from mfa.inference.evaluate import extract_features\n\n"
            + "features = extract_features(run, data)\ntables, figures = {}, {}\n"
            + f"for branch in {branches!r}:  # None: the whole descriptor\n"
            + f"    table = mfa.measure_embedding(features, people={state.people}, branch=branch, "
            + f"method={state.method!r})\n"
            + "    tables[branch] = table\n"
            + "    figures[branch] = viz.plot_embedding(table).get_figure()  # coloured by person\n"
            + f"selected = tables[None].iloc[{list(state.selection)!r}]\n"
            + "figure = figures[None]\n"
        )

    def _place(self, state: EmbeddingState, name: str) -> pd.DataFrame:
        method: Any = state.method
        table = measure_embedding(
            self.subject.features(),
            people=state.people,
            branch=None if name == WHOLE else name,
            method=method,
        )
        counted = self.subject.result().counted.set_index("name")["first_match_rank"]
        words = {
            name: f"query, {'right' if rank == 1 else 'wrong'}" for name, rank in counted.items()
        }
        answers = [
            "gallery" if side == "gallery" else words.get(who, "query, not counted")
            for side, who in zip(table["side"], table["name"], strict=True)
        ]
        kinds = ["gallery", "query, right", "query, wrong"]
        kinds += ["query, not counted"] * ("query, not counted" in answers)
        axes = table.attrs["axes"]
        table = table.assign(
            person=pd.Categorical(table["pid"].astype(str)),
            camera=pd.Categorical(table["camid"].astype(str)),
            answer=pd.Categorical(answers, kinds),
        )
        table.attrs["axes"] = axes
        return table

    def _rebuild(self, state: EmbeddingState, tables: dict[str, pd.DataFrame]) -> None:
        old = self.holder.children
        self.scatters = {name: _scatter(table, state.colour) for name, table in tables.items()}
        first = self.scatters[WHOLE].widget
        self.on(first, lambda change: self._select(change["new"]), "selection")
        grid = jscatter.compose(
            [(scatter, name) for name, scatter in self.scatters.items()],
            sync_selection=True,
            sync_hover=True,
            cols=len(self.scatters),
            row_height=HEIGHT,
        )
        # As many beside each other as the page has room for, instead of a fixed number.
        grid.layout.grid_template_columns = "repeat(auto-fill, minmax(min(100%, 280px), 1fr))"
        grid.layout.grid_template_rows, grid.layout.grid_auto_rows = None, f"{HEIGHT}px"
        self.holder.children = (grid,)
        self.ears.attend(tree(self.view))
        for widget in old:
            close_tree(widget)

    def _find(self, words: str) -> None:
        """Select pictures by words, which needs no mouse."""
        table, rest = self._table.reset_index(drop=True), words
        for answer in ("right", "wrong"):
            if answer in rest.split():
                table = table[table["answer"] == f"query, {answer}"]
                rest = " ".join(word for word in rest.split() if word != answer)
        rows = [] if not words.strip() else list(narrowed(table, rest).index)
        if words.strip() and not rows:
            raise InputError(f"no picture here fits {words!r}; write id 7, cam 2, right or wrong")
        self._said = rows
        self._mark(rows)

    def _mark(self, rows: list[int]) -> None:
        """Select on one plane; the others and the cards follow."""
        self.scatters[WHOLE].widget.selection = np.array(rows, dtype=np.uint32)

    def _select(self, rows: Any) -> None:
        if sorted(rows) != self._said:  # by the lasso or the button: the words are old
            with self.quiet():
                self.find.value = ""
        self.set(selection=tuple(int(row) for row in rows))

    def _show_cards(self, table: pd.DataFrame, selection: tuple[int, ...]) -> None:
        rows = table.iloc[[row for row in selection if row < len(table)]]
        images, items = [], []
        for entry in rows.head(MOST).to_dict("records"):
            images.append(thumbnail(self._path(str(entry["side"]), str(entry["name"]))))
            kind = "plain"
            if entry["side"] == "query":
                kind = {"query, right": "match", "query, wrong": "wrong"}.get(entry["answer"], kind)
            words = f"{entry['side']}, cam {entry['camid']}"
            items.append(Item(kind=kind, title=f"id {entry['pid']}", sub=words, alt=words))
        label = f"{len(rows)} pictures selected" if len(rows) else ""
        if len(rows) > MOST:
            label += f", the first {MOST} shown"
        self.cards.put(images, items, label=label)

    def _path(self, side: str, name: str) -> Path:
        names = self.subject.once(
            ("names", side),
            lambda: {str(n): i for i, n in enumerate(getattr(self.subject.features(), side).names)},
        )
        find = self.subject.query_path if side == "query" else self.subject.gallery_path
        return find(names[name])


def _scatter(table: pd.DataFrame, colour: str) -> Any:
    return jscatter.Scatter(
        data=table,
        x="x",
        y="y",
        x_scale=_room(table["x"]),
        y_scale=_room(table["y"]),
        size=6,
        axes=False,
        legend=False,
        color_by=colour,
        color_map=_colours(table[colour]),
        background_color=(1, 1, 1, 0),  # none: the page's own, light or dark
        reticle_color="#888888",
    )


def _room(values: pd.Series[float]) -> tuple[float, float]:
    """The ends of an axis with a little room at both."""
    low, high = float(values.min()), float(values.max())
    margin = 0.08 * (high - low) or 1.0
    return low - margin, high + margin


def _colours(values: Any) -> list[str]:
    """One colour a category, none of them black or white; beyond eight they come again."""
    colours = ["#888888" if colour == "#000000" else colour for colour in theme.PALETTE]
    return [colours[n % len(colours)] for n in range(len(values.cat.categories))]


def embedding_explorer(
    run: Run | Path | str,
    *,
    data: ReidDataset | str | None = None,
    data_root: Path | None = None,
    **state: Any,
) -> Embedding:
    """Pictures on planes, one a branch, linked: lasso some on one to see them, and where else.

    Args:
        run: a run, or its folder.
        data: a dataset or its name; by default the one the run was trained on.
        data_root: where datasets lie, for a name.
        **state: fields of ``EmbeddingState`` to begin with, e.g. ``people=12``.

    Raises:
        InputError: no such run or dataset.
    """
    return Embedding(open_subject(run, data, data_root), EmbeddingState(**state))
