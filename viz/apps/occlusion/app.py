"""Occlusion brush: hide or move a part of a picture; maps, branch shares and ranks follow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import pandas as pd

from mfa.datasets.image_list import ListedImage
from mfa.errors import InputError
from mfa.explain.occlusion_edits import OCCLUDERS, SCENES, WAYS, Edits, Stroke
from mfa.explain.record import BranchMaps, shared_limit
from mfa.explain.tables import FUSED
from mfa.records import FeatureRow, ReidDataset, Sample
from mfa.retrieval.metrics import score
from mfa.retrieval.nearest import nearest
from mfa.retrieval.queries import with_descriptor
from mfa.runs.run import Run
from viz.apps.core import app, controls, html
from viz.apps.core.code import opening
from viz.apps.core.images import SHOWN, Image, jpeg, laid_over
from viz.apps.core.own_picture import own_picture
from viz.apps.core.rank_row import RankRow, nearest_row, ranked
from viz.apps.core.session import Session, open_session
from viz.apps.core.worker import Job
from viz.apps.occlusion.state import OcclusionState
from viz.apps.widgets import Cards, Item, Picture, Upload

NOTE = (
    "<div class='mfa-note'>Red argues for the picture's likeness to itself, blue against. The "
    "number under a map is the sum of its pixels, and all maps share one scale.</div>"
)


@dataclass(frozen=True)
class EditedPicture:
    """A picture with everything that was done to it.

    Attributes:
        image: as it was.
        edits: what is done.
        others: people for the scene with others behind.
    """

    image: Image
    edits: Edits
    others: tuple[ListedImage, ...]

    @property
    def name(self) -> str:
        """Of the picture as it was."""
        return self.image.name

    @property
    def sample(self) -> Sample | None:
        """The picture's own entry of the dataset, where it has one."""
        return self.image.sample if isinstance(self.image, ListedImage) else None

    def pixels(self, height: int, width: int) -> np.ndarray:
        """(height, width, 3) uint8."""
        size = (height, width)
        return self.edits.of(self.image.pixels(*size), [o.pixels(*size) for o in self.others])


Row = tuple[list[bytes], list[Item], str]


@dataclass(frozen=True)
class Shown:
    """Before and after: picture, maps, shares against the first match, scores and ranks."""

    edited: EditedPicture
    picture: bytes
    maps: tuple[Row, ...]
    shares: str
    numbers: str
    rows: tuple[RankRow, RankRow]


class Occlusion(app.App[OcclusionState, Shown]):
    """See ``viz.occlusion_brush``."""

    name = "occlusion"
    heading = "Occlusion brush: what if this part were hidden?"

    def __init__(self, session: Session, state: OcclusionState) -> None:
        super().__init__(state)
        self.session = session
        self.query = controls.number("Query", 0, len(session.data.query) - 1)
        self.upload = Upload()
        self.scene = controls.choice("Scene", SCENES)
        self.way = controls.choice(
            "Brush", {"shift by the sliders" if way == "shift" else way: way for way in WAYS}
        )
        self.radius = controls.slider("Brush size", 0.04, 0.4)
        self.right = controls.slider("Shift right", -0.5, 0.5)
        self.down = controls.slider("Shift down", -0.5, 0.5)
        self.occluder = controls.choice("Object in front", OCCLUDERS)
        self.top = controls.slider("Top of the object", 0.1, 0.9)
        self.undo = controls.button("Undo stroke", "Take the last stroke back")
        self.clear = controls.button("Reset picture", "The picture as it was")
        self.canvas = Picture(mode="brush", label="Paint on the picture", height=320)
        self.maps = (Cards(height=160), Cards(height=160))
        self.numbers, self.shares = ipywidgets.HTML(), ipywidgets.HTML()
        self.rows = (Cards(height=96), Cards(height=96))
        for field in ("scene", "way", "radius", "right", "down", "occluder", "top"):
            self.bind(field, getattr(self, field))
        self.bind("query", self.query, own=None)
        self.on(self.radius, lambda change: setattr(self.canvas, "radius", change["new"]))
        self.canvas.radius = state.radius
        self.on(self.canvas, lambda _: self._paint(), "strokes")
        self.on(self.upload, lambda _: self._take(), "chosen")
        self.click(self.undo, lambda: self.set(strokes=self.state.strokes[:-1]))
        self.click(self.clear, self._clear)
        numbers = ipywidgets.VBox([self.numbers, self.shares], layout={"flex": "1 1 18em"})
        picture = [controls.title("Picture"), self.query, self.upload]
        strokes = controls.row([self.undo, self.clear])
        brush = [controls.title("Brush"), self.way, self.radius, strokes]
        shifts = [controls.title("Whole picture"), self.scene, self.right, self.down]
        self.start(
            [*picture, *brush, *shifts, self.occluder, self.top],
            controls.row([self.canvas, numbers], align_items="flex-start"),
            controls.row(self.maps, align_items="flex-start"),
            ipywidgets.HTML(NOTE),
            *self.rows,
        )

    def render(self, state: OcclusionState, job: Job) -> Shown:
        """Change the picture, embed it, rank again, and explain."""
        for field in ("radius", "right", "down", "top"):
            slider, value = getattr(self, field), getattr(state, field)
            if not slider.min <= value <= slider.max:
                raise InputError(
                    f"{field} goes from {slider.min:g} to {slider.max:g}, got {value:g}"
                )
        session = self.session
        session.features(progress=partial(job.progress, words="describing pictures"))
        image = state.own or session.query(state.query)
        edited = EditedPicture(image, state.edits, self._others(state.query))
        job.progress(0.3, "ranking again")
        if isinstance(image, ListedImage):
            rows, numbers = self._rescored(image, edited, state.k, job)
        else:
            rows, numbers = self._searched(image, edited, state.k), ""
        job.progress(0.6, "maps")
        maps = {
            "before": session.cached(("occlusion", image), lambda: session.maps(image)),
            "after": session.maps(edited),
        }
        job.check()
        pictures = {"before": image.pixels(*SHOWN), "after": edited.pixels(*SHOWN)}
        drawn, shares = _map_rows(maps, pictures), self._shares(image, edited)
        return Shown(edited, jpeg(pictures["after"]), drawn, shares, numbers, rows)

    def show(self, state: OcclusionState, shown: Shown) -> None:
        """Fill the widgets."""
        self.canvas.image = shown.picture
        self.numbers.value, self.shares.value = shown.numbers, shown.shares
        for widget, (images, items, label) in zip(self.maps, shown.maps, strict=True):
            widget.put(images, items, label=label)
        for widget, row, when in zip(self.rows, shown.rows, ("before", "after"), strict=True):
            widget.put(row.images, row.items, label=f"{when}: {row.label}")

    def code(self) -> str:
        """See ``App.code``."""
        if self.shown is None:
            return opening([self.session])
        edited, state = self.shown.edited, self.state
        entry = f"data.query[{state.query}]"
        lines, camera = "from mfa.explain.occlusion_edits import Edits, Stroke\n\n", ""
        if state.own is None:
            lines += f"picture = mfa.input_pixels(run, {entry}.path)\n"
            if self.session.cameras(edited) is not None:
                camera = f"run.cameras_of([{entry}], data)"
        else:
            lines += "# the picture you gave is not kept: put its path here\n"
            lines += 'picture = mfa.input_pixels(run, "YOUR_PICTURE.jpg")\n'
        others = ""
        if edited.edits.scene == "others behind":
            paths = ", ".join(f"data.query[{image.position}].path" for image in edited.others)
            lines += f"others = [mfa.input_pixels(run, p) for p in ({paths})]\n"
            others = ", others"
        lines += (
            f"edited = {edited.edits!r}.of(picture{others})\n"
            "features = mfa.extract_features(run, data)\n"
            f"descriptor = mfa.embed_picture(run, edited{camera and f', cameras={camera}'})\n"
        )
        if isinstance(edited.image, ListedImage):
            row = edited.image.row
            lines += (
                f"result = mfa.score(mfa.with_descriptor(features, {row}, descriptor))\n"
                'print(result.per_query[["AP", "first_match_rank"]])\n'
            )
        else:
            lines += f"print(mfa.nearest(features.gallery, descriptor, {state.k}))\n"
        if camera:
            lines += f"edited = mfa.ImagesWithCameras(edited[None], {camera})\n"
        return (
            f"{opening([self.session])}{lines}"
            "average = mfa.reference_pictures(run, data)\n"
            "maps = mfa.branch_maps(run, edited, reference=average)\n"
            "viz.draw_maps(maps, edited)\n"
        )

    def _others(self, query: int) -> tuple[ListedImage, ...]:
        """Two other people of the query list, for the scene with others behind."""
        listed = list(self.session.images("query").with_rows())
        count = len(listed)
        return tuple(listed[(query + step) % count] for step in (count // 3, 2 * count // 3))

    def _rescored(
        self, image: ListedImage, edited: Image, k: int, job: Job
    ) -> tuple[tuple[RankRow, RankRow], str]:
        """Ranks before and after of a query of the dataset, and what they score."""
        session = self.session
        whole = session.result(progress=partial(job.progress, words="scoring"))
        if image.row is None:
            raise InputError(f"query {image.position} cannot be read", "choose another one")
        before = whole.per_query.iloc[image.row]
        if before["status"] != "counted":
            raise InputError(
                f"query {image.position} cannot be scored: {before['status']}", "choose another one"
            )
        result = score(with_descriptor(session.features(), image.row, session.embed(edited)))
        old = ranked(session, whole, image, k)
        new = ranked(session, result, image, k, row=0, picture=edited)
        return (old, new), _numbers(before, result.per_query.iloc[0])

    def _searched(self, image: Image, edited: Image, k: int) -> tuple[RankRow, RankRow]:
        """What is nearest to a visitor's picture before and after; nobody knows the truth."""
        gallery = self.session.features().gallery
        before, after = (nearest_row(self.session, side, k, gallery) for side in (image, edited))
        return before, after

    def _shares(self, image: Image, edited: Image) -> str:
        """Each branch's part of the cosine with the first right (or nearest) picture."""
        session = self.session
        gallery = session.features().gallery
        table = nearest(gallery, session.embed(image), len(gallery))
        what = "nearest picture"
        if isinstance(image, ListedImage):
            same = (table["pid"] == image.pid) & (table["camid"] != image.camid)
            table, what = (table[same], "nearest right picture") if same.any() else (table, what)
        match = session.images("gallery").at_row(FeatureRow(int(table["gallery"].iloc[0])))
        old, new = (session.shares(side, match) for side in (image, edited))
        return (
            f"<div>Shares of the cosine with the {what}: {sum(old.values()):.3f} before, "
            f"{sum(new.values()):.3f} now (outlines: before)</div>" + html.bars(new, before=old)
        )

    def _paint(self) -> None:
        points = tuple((float(x), float(y)) for x, y in self.canvas.stroke)
        self.set(strokes=(*self.state.strokes, Stroke(points, self.state.radius)))

    def _clear(self) -> None:
        self.set(strokes=(), right=0.0, down=0.0, occluder="none", scene=SCENES[0])

    def _take(self) -> None:
        self.set(own=own_picture(self.upload.take(), self.upload.name), strokes=())


def _map_rows(maps: dict[str, BranchMaps], pictures: dict[str, np.ndarray]) -> tuple[Row, ...]:
    """Cards of the maps before and after, on one scale."""
    limit = shared_limit([heat for found in maps.values() for heat in found.raw.values()])
    rows = []
    for when, found in maps.items():
        images, items = [], []
        for name in (*found.branches, FUSED):
            heat, grid = found.raw[name][0], found.grids[name]
            images.append(laid_over(pictures[when], heat, limit, grid=grid))
            sub = f"{found.sums[name][0]:+.2f}"
            items.append(Item(kind="plain", title=name, sub=sub, alt=f"{name} map {when}"))
        rows.append((images, items, f"Maps {when}"))
    return tuple(rows)


def _numbers(before: pd.Series[Any], after: pd.Series[Any]) -> str:
    """What a query scores now, and below it the change."""
    values = {"AP": f"{100 * after['AP']:.1f} %"}
    changes = {"AP": f"{100 * (after['AP'] - before['AP']):+.1f}"}
    for which in ("first", "last"):
        name, column = f"{which} match at rank", f"{which}_match_rank"
        values[name] = f"{after[column]:.0f}"
        changes[name] = f"{after[column] - before[column]:+.0f}"
    return html.figures(values, changes)


def occlusion_brush(
    run: Run | Path | str,
    *,
    data: ReidDataset | str | None = None,
    data_root: Path | str | None = None,
    device: str | None = None,
    precision: str | None = None,
    **state: Any,
) -> Occlusion:
    """Paint over a picture, shift it, or put something in front, and see what changes.

    Args:
        run: a run, or its folder.
        data: a dataset or its name; by default the one that the run was trained on.
        data_root: where datasets lie, for a name.
        device: where the network computes; see ``mfa.open_run``.
        precision: of the network; see ``mfa.open_run``.
        **state: fields of ``OcclusionState`` to begin with, e.g. ``query=3``.

    Raises:
        InputError: no such run or dataset.
    """
    session = open_session(run, data, data_root, device=device, precision=precision)
    return Occlusion(session, OcclusionState(**state))
