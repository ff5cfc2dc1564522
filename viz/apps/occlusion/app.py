"""Occlusion brush: hide or move a part of the query; maps, branch shares and ranks follow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import pandas as pd

from mfa.errors import InputError
from mfa.explain.record import FUSED, BranchMaps, shared_limit
from mfa.records import ReidDataset
from mfa.retrieval.metrics import score
from mfa.retrieval.results import RetrievalResult
from mfa.runs.run import Run
from viz.apps.core import app, controls, html
from viz.apps.core.images import SHOWN, jpeg, laid_over, thumbnail
from viz.apps.core.session import Subject, open_subject, opening, original
from viz.apps.core.worker import Job
from viz.apps.occlusion.edits import OCCLUDERS, SCENES, WAYS, Stroke, brushed, hidden, moved, scene
from viz.apps.widgets import Cards, Item, Picture, Slider


@dataclass(frozen=True)
class OcclusionState:
    """What is done to which query.

    Attributes:
        query: position in the query list.
        scene: of ``viz.apps.occlusion.edits.SCENES``.
        way: what the brush does.
        radius: of the brush, in shares of the width.
        strokes: painted so far.
        right, down: shift in shares of the size; of what is painted where the brush shifts,
            else of the whole picture.
        occluder: drawn in front, from ``top`` down.
        top: share of the height.
        k: ranks shown.
    """

    query: int = 0
    scene: str = SCENES[0]
    way: str = WAYS[0]
    radius: float = 0.14
    strokes: tuple[Stroke, ...] = ()
    right: float = 0.0
    down: float = 0.0
    occluder: str = "none"
    top: float = 0.55
    k: int = 10


@dataclass(frozen=True)
class Shown:
    """Before and after: pictures, maps, shares against the first match, scores and ranks."""

    picture: bytes
    maps: tuple[tuple[list[bytes], list[Item], str], ...]
    shares: str
    numbers: str
    rows: tuple[tuple[list[bytes], list[Item], str], ...]


class Occlusion(app.App[OcclusionState, Shown]):
    """See ``viz.apps.occlusion``."""

    name = "occlusion"
    heading = "Occlusion brush: what if this part were hidden?"

    def __init__(self, subject: Subject, state: OcclusionState) -> None:
        super().__init__(state)
        self.subject = subject
        self.query = controls.number("Query", 0, len(subject.data.query) - 1)
        self.scene = controls.choice("Scene", SCENES)
        self.way = controls.choice(
            "Brush", {"shift by the sliders" if way == "shift" else way: way for way in WAYS}
        )
        self.radius = Slider(label="Brush size", min=0.04, max=0.4)
        self.right = Slider(label="Shift right", min=-0.5, max=0.5)
        self.down = Slider(label="Shift down", min=-0.5, max=0.5)
        self.occluder = controls.choice("In front", OCCLUDERS)
        self.top = Slider(label="Its top", min=0.1, max=0.9)
        self.undo = controls.button("Undo stroke", "Take the last stroke back")
        self.clear = controls.button("Clear", "The query as it was")
        self.canvas = Picture(mode="brush", label="Paint on the query", height=320)
        self.maps = (Cards(height=160), Cards(height=160))
        self.numbers, self.shares = ipywidgets.HTML(), ipywidgets.HTML()
        self.rows = (Cards(height=96), Cards(height=96))
        for field in (*("query", "scene", "way", "radius", "right", "down", "occluder", "top"),):
            self.bind(field, getattr(self, field))
        self.on(self.radius, lambda change: setattr(self.canvas, "radius", change["new"]))
        self.canvas.radius = state.radius
        self.on(self.canvas, lambda _: self._paint(), "strokes")
        self.click(self.undo, lambda: self.set(strokes=self.state.strokes[:-1]))
        self.click(self.clear, self._clear)
        note = ipywidgets.HTML(
            "<div class='mfa-note'>Red argues for the picture's likeness to itself, blue against; "
            "the numbers are parts of that score, and all maps share one scale.</div>"
        )
        beside = ipywidgets.VBox(
            [
                controls.row([self.query, self.scene]),
                controls.row([self.way, self.radius, self.undo, self.clear]),
                controls.row([self.right, self.down]),
                controls.row([self.occluder, self.top]),
                self.numbers,
                self.shares,
            ],
            layout={"flex": "1 1 22em", "min_width": "0"},
        )
        self.start(controls.row([self.canvas, beside]), controls.row(self.maps), note, *self.rows)

    def render(self, state: OcclusionState, job: Job) -> Shown:
        """Change the picture, embed it, rank again, and explain."""
        subject = self.subject
        whole = subject.result(progress=partial(job.progress, words="scoring"))
        self._check(state)
        path = subject.query_path(state.query)
        before = whole.per_query.iloc[state.query]
        shown = self.changed(state, SHOWN)
        pixels = self.changed(state, subject.size)
        job.progress(0.3, "ranking again")
        result = rescored(subject, state.query, subject.embed(pixels))
        after = result.per_query.iloc[0]
        job.progress(0.6, "maps")
        maps = {"before": subject.once(("occlusion", state.query),
                                       lambda: subject.maps(subject.pixels(path))),
                "after": subject.maps(pixels)}  # fmt: skip
        job.check()
        return Shown(
            picture=jpeg(shown),
            maps=_cards(maps, {"before": original(path, SHOWN), "after": shown}),
            shares=self._shares(state.query, subject.pixels(path), pixels),
            numbers=_numbers(before, after),
            rows=(
                self._row(whole, state.query, state.k, "before"),
                self._row(result, 0, state.k, "after"),
            ),
        )

    def show(self, state: OcclusionState, shown: Shown) -> None:
        """Fill the widgets."""
        self.canvas.image = shown.picture
        self.numbers.value, self.shares.value = shown.numbers, shown.shares
        filled = zip((*self.maps, *self.rows), (*shown.maps, *shown.rows), strict=True)
        for row, (images, items, label) in filled:
            row.put(images, items, label=label)

    def code(self) -> str:
        """See ``App.code``."""
        return (
            opening(self.subject)
            + "from viz.apps.occlusion.app import OcclusionState, change_query, rescored\n"
            + "from viz.apps.occlusion.edits import Stroke\nfrom viz.apps.core.session import Subject\n\n"
            + "subject = Subject(run, data)\n"
            + f"state = {self.state!r}\n"
            + "pixels = change_query(subject, state, subject.size)\n"
            + "result = rescored(subject, state.query, subject.embed(pixels))\n"
            + "print(result.per_query[['AP', 'first_match_rank']])\n"
            + "maps = mfa.branch_maps(run, pixels, reference=mfa.reference_pictures(run, data))\n"
            + "figure = viz.draw_maps(maps, pixels)\n"
        )

    def changed(self, state: OcclusionState, size: tuple[int, int]) -> np.ndarray:
        """The query with everything done to it, at (height, width)."""
        return change_query(self.subject, state, size)

    def _check(self, state: OcclusionState) -> None:
        status = self.subject.result().per_query["status"].iloc[state.query]
        if status != "counted":
            raise InputError(f"query {state.query} cannot be scored: {status}; choose another")

    def _paint(self) -> None:
        points = tuple((float(x), float(y)) for x, y in self.canvas.stroke)
        self.set(strokes=(*self.state.strokes, Stroke(points, self.state.radius)))

    def _clear(self) -> None:
        self.set(strokes=(), right=0.0, down=0.0, occluder="none", scene=SCENES[0])

    def _row(
        self, result: RetrievalResult, query: int, k: int, when: str
    ) -> tuple[list[bytes], list[Item], str]:
        images, items = [], []
        features = result.features
        assert features is not None
        for entry in result.ranking(query, k).to_dict("records"):
            path = self.subject.gallery_path(int(entry["gallery"]))
            images.append(thumbnail(path))
            items.append(
                Item(
                    kind="match" if entry["match"] else "wrong",
                    title=f"{entry['rank']} · cam {entry['camid']}",
                    sub=f"{entry['distance']:.3f}",
                    alt=f"gallery picture {path.name}",
                )
            )
        return images, items, f"Ranks {when}"

    def _shares(self, query: int, before: np.ndarray, after: np.ndarray) -> str:
        ranking = self.subject.result().ranking(query, len(self.subject.features().gallery))
        place = int(ranking[ranking["match"]]["gallery"].iloc[0])
        match = self.subject.pixels(self.subject.gallery_path(place))
        old, new = (self.subject.shares(side, match) for side in (before, after))
        return (
            "<div>Shares of the cosine with the nearest right picture: "
            f"{sum(old.values()):.3f} before, {sum(new.values()):.3f} now (outlines: before)</div>"
            + html.bars(new, before=old)
        )


def change_query(subject: Subject, state: OcclusionState, size: tuple[int, int]) -> np.ndarray:
    """The query of a state with everything done to it, (height, width, 3)."""
    path = subject.query_path(state.query)
    picture = subject.pixels(path) if size == subject.size else original(path, size)
    count = len(subject.features().query)
    others = [
        original(subject.query_path((state.query + step) % count), size)
        for step in (count // 3, 2 * count // 3)
    ]
    picture = scene(picture, state.scene, others)
    shift = (state.right, state.down)
    if state.way != "shift" or not state.strokes:
        picture = moved(picture, *shift)
    picture = hidden(picture, state.occluder, state.top)
    return brushed(picture, state.strokes, state.way, shift)


def rescored(subject: Subject, query: int, feature: np.ndarray) -> RetrievalResult:
    """The retrieval of one query whose descriptor (D,) is another one than the dataset's."""
    whole = subject.features()
    one = whole.query.take(np.array([query]))
    return score(replace(whole, query=replace(one, features=feature[None])))


def _cards(
    maps: dict[str, BranchMaps], pictures: dict[str, np.ndarray]
) -> tuple[tuple[list[bytes], list[Item], str], ...]:
    """A row of cards a time, on one scale."""
    limit = shared_limit([heat for found in maps.values() for heat in found.raw.values()])
    rows = []
    for when, found in maps.items():
        images, items = [], []
        for name in (*found.branches, FUSED):
            images.append(laid_over(pictures[when], found.raw[name][0], limit))
            part = f"{found.scores[name][0]:+.2f}"
            items.append(Item(kind="plain", title=name, sub=part, alt=f"{name} map {when}"))
        rows.append((images, items, f"Maps {when}"))
    return tuple(rows)


def _numbers(before: pd.Series[Any], after: pd.Series[Any]) -> str:
    values = {"AP": (100 * before["AP"], 100 * after["AP"], "{:.1f} %", "{:+.1f}")}
    for name, column in (
        ("first match at rank", "first_match_rank"),
        ("last match at rank", "last_match_rank"),
    ):
        values[name] = (before[column], after[column], "{:.0f}", "{:+.0f}")
    return html.figures(
        {name: form.format(new) for name, (_, new, form, _) in values.items()},
        {name: delta.format(new - old) for name, (old, new, _, delta) in values.items()},
    )


def occlusion_brush(
    run: Run | Path | str,
    *,
    data: ReidDataset | str | None = None,
    data_root: Path | None = None,
    **state: Any,
) -> Occlusion:
    """Paint over a query, shift it, or put something in front, and see what the model makes of it.

    Args:
        run: a run, or its folder.
        data: a dataset or its name; by default the one the run was trained on.
        data_root: where datasets lie, for a name.
        **state: fields of ``OcclusionState`` to begin with, e.g. ``query=3``.

    Raises:
        InputError: no such run or dataset.
    """
    return Occlusion(open_subject(run, data, data_root), OcclusionState(**state))
