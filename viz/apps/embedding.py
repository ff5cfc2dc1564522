"""Embedding: the same pictures on a plane per branch, linked; lasso some to see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets
import jscatter
import numpy as np
import pandas as pd
from jscatter.widget import JupyterScatter

from mfa.comparison.projection import measure_embedding, project
from mfa.datasets.image_list import ListedImage
from mfa.errors import InputError
from mfa.records import FeatureRow, ReidDataset
from mfa.retrieval.queries import matching
from mfa.runs.run import Run
from viz import theme
from viz.apps.core import app, controls, html
from viz.apps.core.apart import Apart
from viz.apps.core.code import opening
from viz.apps.core.images import SMALL, saved
from viz.apps.core.keeping import Keeper, Keeps, Marks
from viz.apps.core.rank_row import small
from viz.apps.core.session import Session, open_session
from viz.apps.core.worker import Job
from viz.apps.widgets import Cards, Item, Picture
from viz.apps.widgets.tree import close_tree, tree
from viz.charts.embedding import plot_embedding

MOST = 48
"""Pictures shown of a selection."""

# Private names, so pyproject.toml bounds the version of jupyter-scatter. As text, for the reason
# that viz.apps.widgets.scripted gives: files would keep every plane for good.
for _file in ("_esm", "_css"):
    setattr(JupyterScatter, _file, str(getattr(JupyterScatter, _file)))

BUTTONS = ["pan_zoom", "lasso", "lasso_type", "lasso_brush_size", "divider", "reset"]
"""Without full screen, which leaves a black page where a plane is inside a grid."""

HEIGHT = 270
"""Pixels of a plane with its title."""

WHOLE = "whole descriptor"
COLOURS = {"person": "person", "camera": "camera", "right or wrong": "answer"}
ANSWERS = ("gallery", "query, right", "query, wrong", "query, not counted")
ANSWER_COLOURS = (theme.IGNORED, theme.MATCH, theme.WRONG, theme.QUERY)
PEOPLE = (3, 40)
"""Fewest and most people shown."""


@dataclass(frozen=True)
class EmbeddingState:
    """What the app shows.

    Attributes:
        method: ``pca`` or ``tsne``.
        people: how many, those with most pictures first.
        colour: ``person``, ``camera`` or ``answer``.
        places: show the selected where they stand on the plane, not in rows.
        selection: rows of the table of points.
    """

    method: str = "pca"
    people: int = 8
    colour: str = "person"
    places: bool = False
    selection: tuple[int, ...] = ()


Tables = dict[str, pd.DataFrame]
"""Points per view; the rows of all are the same pictures in one order."""


class Embedding(app.App[EmbeddingState, Tables], Keeps):
    """See ``viz.embedding_explorer``."""

    name = "embedding"
    heading = "Embedding: one map per branch, linked"

    def __init__(self, session: Session, state: EmbeddingState) -> None:
        super().__init__(state)
        self.session = session
        branches = list(session.run.model.widths)
        self.names = [WHOLE, *branches] if len(branches) > 1 else [WHOLE]
        self.method = controls.choice("Plane", {"PCA": "pca", "t-SNE (slow)": "tsne"})
        self.people = controls.slider("People", *PEOPLE, 1)
        self.colour = controls.choice("Colour by", COLOURS)
        self.find = controls.field("Select", "id 7, cam 2, wrong")
        self.clear = controls.button("Clear selection", "Select nothing")
        self.places = controls.tick("Show them on the plane")
        self.words = ipywidgets.HTML()
        self.holder = ipywidgets.VBox()
        self.cards = Cards(height=96)
        self.plane = Picture(height=0)
        self.scatters: dict[str, Any] = {}
        self._points: tuple[str, int] | None = None
        self._coloured = ""
        self._table = pd.DataFrame()
        self._said: list[int] = []
        self.bind("method", self.method)
        self.bind("colour", self.colour)
        self.bind("places", self.places)
        self.bind("people", self.people, selection=())
        self.on(self.find, lambda change: self._find(change["new"]))
        self.click(self.clear, lambda: self._mark([]))
        self.kept = Keeper(self, [session], self._marks, self._go)
        self.underneath = (self.kept.box,)
        pictures = [controls.title("Pictures"), self.people, self.method, self.colour]
        selection = [controls.title("Selection"), self.find, self.clear, self.places]
        self.start([*pictures, *selection], self.words, self.holder, self.cards, self.plane)

    def render(self, state: EmbeddingState, job: Job) -> Tables:
        """Place the pictures on a plane for each view."""
        if not PEOPLE[0] <= state.people <= PEOPLE[1]:
            raise InputError(f"people go from {PEOPLE[0]} to {PEOPLE[1]} here, got {state.people}")
        self.session.result(progress=partial(job.progress, words="scoring"))
        tables = {}
        with Apart(job) as process:  # t-SNE cannot be stopped, a process can
            for number, name in enumerate(self.names):
                job.progress(number / len(self.names), f"placing by {name}")
                tables[name] = self.session.cached(
                    ("points", state.method, state.people, name),
                    partial(self._place, state, name, process),
                )
        return tables

    def show(self, state: EmbeddingState, shown: Tables) -> None:
        """New planes where the points changed, else new colours; then the cards."""
        points = (state.method, state.people)
        if points != self._points:
            self._rebuild(state, shown)
            self._mark(list(state.selection))
            self._points, self._coloured = points, state.colour
        elif state.colour != self._coloured:
            for name, scatter in self.scatters.items():
                scatter.color(by=state.colour, map=_colours(shown[name][state.colour]))
            self._coloured = state.colour
        table = self._table = shown[WHOLE]
        names = list(table[state.colour].cat.categories)
        key = dict(zip(names, _colours(table[state.colour]), strict=True))
        again = " (colours come again)" if len(key) > len(theme.PALETTE) else ""
        self.words.value = (
            f"<div class='mfa-note'>{len(table)} pictures of {table['pid'].nunique()} people; "
            f"{table.attrs['axes']}, of the {WHOLE}. Draw with the lasso (press and move with "
            "Shift held, or the lasso button), or write whom to select: the pictures appear below, "
            f"and every plane marks the same ones.</div>{html.key(key, state.colour + again)}"
        )
        self._show_selected(table, state)
        self.kept.refresh()

    def code(self) -> str:
        """See ``App.code``."""
        state = self.state
        selected = f"selected = table.iloc[{list(state.selection)!r}]\n" if state.selection else ""
        if state.places and state.selection:
            selected += (
                "files = {s.path.name: s.path for s in (*data.query, *data.gallery)}\n"
                'pictures = [mfa.read_image(files[name]) for name in selected["name"]]\n'
                "viz.plot_embedding(selected, pictures=pictures)\n"
            )
        elif state.selection:
            selected += "selected\n"
        options = f'people={state.people}, branch=branch, method="{state.method}"'
        return opening([self.session]) + (
            "features = mfa.extract_features(run, data)\n"
            f"for branch in {[*self.names[1:], None]!r}:  # None: the whole descriptor\n"
            f"    table = mfa.measure_embedding(features, {options})\n"
            f"    viz.plot_embedding(table)\n{selected}"
        )

    def _place(self, state: EmbeddingState, name: str, process: Apart) -> pd.DataFrame:
        method: Any = state.method
        table = measure_embedding(
            self.session.features(),
            people=state.people,
            branch=None if name == WHOLE else name,
            method=method,
            projection=partial(process.call, project) if method == "tsne" else project,
        )
        return table.assign(
            person=pd.Categorical(table["pid"].astype(str)),
            camera=pd.Categorical(table["camid"].astype(str)),
            answer=pd.Categorical(self._answers(table), ANSWERS),
        )

    def _answers(self, table: pd.DataFrame) -> np.ndarray:
        """For each picture whether its first answer is right; dropped queries have none."""
        first = self.session.result().per_query.set_index("query")["first_match_rank"]
        rank = table["row"].map(first).astype("Float64").to_numpy(float, na_value=np.nan)
        gallery, right, wrong, dropped = ANSWERS
        query = np.where(np.isnan(rank), dropped, np.where(rank == 1, right, wrong))
        return np.where(table["side"] == "gallery", gallery, query)

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
        for scatter in self.scatters.values():
            scatter.widget.toolbar_buttons = BUTTONS
        # As many beside each other as the page has room for, instead of a fixed number.
        grid.layout.grid_template_columns = "repeat(auto-fill, minmax(min(100%, 280px), 1fr))"
        grid.layout.grid_template_rows, grid.layout.grid_auto_rows = None, f"{HEIGHT}px"
        self.holder.children = (grid,)
        self.link.attend(tree(self.view))
        for widget in old:
            close_tree(widget)

    def _find(self, words: str) -> None:
        """Select pictures by words, which needs no mouse."""
        table, rest = self._table.reset_index(drop=True), words
        for answer in ("right", "wrong"):
            if answer in rest.split():
                table = table[table["answer"] == f"query, {answer}"]
                rest = " ".join(word for word in rest.split() if word != answer)
        rows = [] if not words.strip() else list(matching(table, rest).index)
        if words.strip() and not rows:
            raise InputError(f"no picture here fits {words!r}", "write id 7, cam 2, right or wrong")
        self._said = rows
        self._mark(rows)

    def _mark(self, rows: Sequence[int]) -> None:
        """Select on one plane; the others and the cards follow."""
        if self.scatters:
            self.scatters[WHOLE].widget.selection = np.array(rows, dtype=np.uint32)

    def _select(self, rows: Any) -> None:
        if sorted(rows) != self._said:  # by the lasso or the button: the words are old
            with self.quiet():
                self.find.value = ""
        self.set(selection=tuple(int(row) for row in rows))

    def _image(self, entry: Any) -> ListedImage:
        return self.session.images(entry["side"]).at_row(FeatureRow(int(entry["row"])))

    def _marks(self) -> Marks:
        """The selected pictures."""
        chosen = [row for row in self.state.selection if 0 <= row < len(self._table)]
        images = [self._image(entry) for entry in self._table.iloc[chosen].to_dict("records")]
        return {f"the {len(images)} selected": images} if images else {}

    def _go(self, image: ListedImage) -> None:
        """Select a picture, where it is among the people that are shown."""
        table = self._table.reset_index(drop=True)
        here = table[(table["side"] == image.split) & (table["row"] == image.row)]
        if here.empty:
            raise InputError(f"{image.name} is not among these pictures", "show more people")
        self._mark(list(here.index))

    def _show_selected(self, table: pd.DataFrame, state: EmbeddingState) -> None:
        rows = table.iloc[[row for row in state.selection if 0 <= row < len(table)]]
        label = f"{len(rows)} pictures selected" if len(rows) else ""
        if len(rows) > MOST:
            label += f", the first {MOST} shown"
        rows = rows.head(MOST)
        images = [self._image(entry) for entry in rows.to_dict("records")]
        at_places = state.places and bool(images)
        self.plane.layout.display = "" if at_places else "none"
        if at_places:
            self.plane.label = f"{label}, where they stand on the plane of the {WHOLE}"
            self.plane.image = _plane(rows, images)
            images, rows, label = [], rows.head(0), ""
        items = []
        for entry in rows.to_dict("records"):
            kind = {"query, right": "match", "query, wrong": "wrong"}.get(entry["answer"], "plain")
            words = f"{entry['side']}, cam {entry['camid']}"
            items.append(Item(kind=kind, title=f"id {entry['pid']}", sub=words, alt=words))
        self.cards.put([small(image) for image in images], items, label=label)


def _plane(rows: pd.DataFrame, images: Sequence[ListedImage]) -> bytes:
    """The pictures at their places, as PNG."""
    with theme.theme():
        ax = theme.axes(None, "double", 4.6)
        plot_embedding(rows, pictures=[image.pixels(*SMALL) for image in images], ax=ax)
        return saved(theme.figure_of(ax), "png", dots=110)


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
    """One colour per category, none of them black or white; beyond eight they come again.

    Right and wrong answers have the colours that they have everywhere.
    """
    if tuple(values.cat.categories) == ANSWERS:
        return list(ANSWER_COLOURS)
    colours = ["#888888" if colour == "#000000" else colour for colour in theme.PALETTE]
    return [colours[n % len(colours)] for n in range(len(values.cat.categories))]


def embedding_explorer(
    run: Run | Path | str,
    *,
    data: ReidDataset | str | None = None,
    data_root: Path | str | None = None,
    device: str | None = None,
    precision: str | None = None,
    **state: Any,
) -> Embedding:
    """Pictures on planes, one per branch, linked: lasso some on one to see them everywhere.

    Args:
        run: a run, or its folder.
        data: a dataset or its name; by default the one that the run was trained on.
        data_root: where datasets lie, for a name.
        device: where the network computes; see ``mfa.open_run``.
        precision: of the network; see ``mfa.open_run``.
        **state: fields of ``EmbeddingState`` to begin with, e.g. ``people=12``.

    Raises:
        InputError: no such run or dataset.
    """
    session = open_session(run, data, data_root, device=device, precision=precision)
    return Embedding(session, EmbeddingState(**state))
