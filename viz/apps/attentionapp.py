"""Attention: what each branch looks at in a picture, for a score, a rule and a layer of choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np

from mfa.errors import InputError
from mfa.records import ReidDataset
from mfa.runs import Run, untrained
from viz.apps import base
from viz.apps.attentioncode import code_of
from viz.apps.images import SHOWN, jpeg, laid_over, thumbnail
from viz.apps.subject import Subject, open_subjects, original
from viz.apps.widgets import Cards, Item, Picture, Slider
from viz.apps.worker import Job
from viz.cam.record import FUSED, BranchMaps, shared_limit
from viz.cam.weightings import FORWARD_METHODS, METHODS, SECOND_ORDER
from viz.correspond import correspond

TARGETS = {
    "likeness to itself": "similarity",
    "likeness to the other picture": "other",
    "other picture against the nearest wrong one": "contrast",
    "predicted training identity": "identity",
}


@dataclass(frozen=True)
class AttentionState:
    """What the app shows.

    Attributes:
        side: ``query`` or ``gallery``: the list the picture is taken from.
        position: in that list.
        other: position in the gallery list of the other picture; ``None``: the query's best match.
        target: ``similarity``, ``other``, ``contrast`` or ``identity``.
        method, layer, fused: as of ``viz.branch_maps``.
        average: take the average picture's maps off.
        control: the same maps from random weights below.
        opacity: of the maps, 0 to 1.
        lens: (x, y) in shares of the picture, a place to be found in the other picture.
    """

    side: str = "query"
    position: int = 0
    other: int | None = None
    target: str = "similarity"
    method: str = "HiResCAM"
    layer: str = "branch"
    fused: str = "sum"
    average: bool = True
    control: bool = False
    opacity: float = 1.0
    lens: tuple[float, float] | None = None


@dataclass(frozen=True)
class Shown:
    """Rows of maps by name, the picture itself, and what the lens found."""

    rows: dict[str, tuple[list[bytes], list[Item]]]
    picture: bytes
    other: bytes
    note: str
    lens: tuple[list[bytes], list[Item]]


class Attention(base.App[AttentionState, Shown]):
    """See ``viz.apps.attention``."""

    name = "attention"
    heading = "Attention: what does each branch look at?"

    def __init__(self, subjects: Sequence[Subject], state: AttentionState) -> None:
        super().__init__(state)
        self.subjects = tuple(subjects)
        self._random = [Subject(untrained(s.run.config), s.data, s.root) for s in self.subjects]
        data = self.subjects[0].data
        count = max(len(data.query), len(data.gallery))
        layers = ["branch", "trunk", *self.subjects[0].run.model.layers]
        slow = {f"{m} (slow)" if m in FORWARD_METHODS else m: m for m in METHODS}
        self.side = base.choice("List", {"queries": "query", "gallery": "gallery"})
        self.position = ipywidgets.BoundedIntText(
            description="Picture", min=0, max=count - 1, layout={"width": "11em"}
        )
        self.target = base.choice("Explain", TARGETS)
        self.method = base.choice("Method", slow)
        self.layer = base.choice("Layer", layers)
        self.fused = base.choice("Fused", {"signed sum": "sum", "mean, as the paper": "mean"})
        self.average = base.tick("against the average picture")
        self.control = base.tick("random weights below")
        self.opacity = Slider(label="Opacity", step=0.05)
        self.picture = Picture(mode="point", label="Touch a place to find it in the other picture")
        self.other = Picture(label="The other picture", height=256)
        self.rows = [Cards(height=220) for _ in (*self.subjects, *self.subjects)]
        self.lens = Cards(height=200)
        self.note = ipywidgets.HTML()
        for field in (
            *("side", "position", "target", "method", "layer", "fused"),
            *("average", "control", "opacity"),
        ):
            self.bind(field, getattr(self, field))
        self.on(self.picture, lambda _: self.set(lens=tuple(self.picture.point)), "points")
        self.start(
            base.row([self.side, self.position, self.target, self.method, self.layer]),
            base.row([self.fused, self.opacity, self.average, self.control]),
            self.note,
            *self.rows,
            base.row([self.picture, self.other]),
            self.lens,
        )

    def render(self, state: AttentionState, job: Job) -> Shown:
        """Maps of every model, and of its random weights."""
        path, other = self.paths(state)
        picture = original(path, SHOWN)
        rows: dict[str, tuple[list[bytes], list[Item]]] = {}
        for subject, control in zip(self.subjects, self._random, strict=True):
            job.progress(0.2, f"maps of {subject.run.name}")
            rows[subject.run.name] = _draw(self._maps(subject, state), picture, state)
            if state.control:
                if state.target == "identity":
                    raise InputError("random weights know no identity; explain a likeness instead")
                job.progress(0.6, "maps of random weights")
                label = f"{subject.run.name}: random weights (own scale)"
                rows[label] = _draw(self._maps(control, state), picture, state)
        job.check()
        maps = self._maps(self.subjects[0], state)
        average = "" if state.average or not maps.centred else ", average kept"
        note = f"{path.name} · {maps.caption}{average}. Red argues for, blue against."
        return Shown(rows, jpeg(picture), thumbnail(other, (128, 256)), note,
                     self._through_lens(state, path, other))  # fmt: skip

    def show(self, state: AttentionState, shown: Shown) -> None:
        """Fill the rows; rows without a model are emptied."""
        found = [*shown.rows.items(), *[("", ([], []))] * len(self.rows)]
        for row, (label, (images, items)) in zip(self.rows, found, strict=False):
            row.put(images, items, label=label)
        self.picture.image = shown.picture
        self.picture.point = list(state.lens or ())
        self.other.image = shown.other
        self.note.value = f"<div class='mfa-note'>{shown.note}</div>"
        label = "The same place in the other picture, branch by branch" if state.lens else ""
        self.lens.put(*shown.lens, label=label)

    def code(self) -> str:
        """See ``App.code``."""
        return code_of(self.subjects, self.state, *self.paths(self.state))

    def paths(self, state: AttentionState) -> tuple[Path, Path]:
        """Files of the picture and of the other one.

        Raises:
            InputError: a position outside its list.
        """
        subject = self.subjects[0]
        samples = subject.data.query if state.side == "query" else subject.data.gallery
        if not 0 <= state.position < len(samples):
            raise InputError(f"the {state.side} list has pictures 0 to {len(samples) - 1}")
        if state.other is not None:
            if not 0 <= state.other < len(subject.data.gallery):
                raise InputError(f"the gallery has pictures 0 to {len(subject.data.gallery) - 1}")
            return samples[state.position].path, subject.data.gallery[state.other].path
        return samples[state.position].path, self._found(state, match=True)

    def _found(self, state: AttentionState, *, match: bool) -> Path:
        """The nearest right or wrong gallery picture; for gallery pictures of query 0."""
        subject = self.subjects[0]
        query = state.position if state.side == "query" else 0
        ranking = subject.result().ranking(query, 100)
        rows = ranking[ranking["match"] == match]
        place = (rows if len(rows) else ranking)["gallery"].iloc[0]
        return subject.gallery_path(int(place))

    def _maps(self, subject: Subject, state: AttentionState) -> BranchMaps:
        plain = replace(state, opacity=1.0, lens=None, control=False)
        found: BranchMaps = subject.once(("maps", plain), lambda: self._compute(subject, state))
        return found

    def _compute(self, subject: Subject, state: AttentionState) -> BranchMaps:
        path, other = self.paths(state)
        target = state.target
        reference: Any = None
        if target == "other":
            target, reference = "similarity", subject.pixels(other)
        elif target == "contrast":
            wrong = self._found(state, match=False)
            reference = (subject.pixels(other), subject.pixels(wrong))
        average = state.average and state.method not in (*FORWARD_METHODS, SECOND_ORDER)
        return subject.maps(
            subject.pixels(path),
            average=average,
            target=target,
            reference=reference,
            method=state.method,
            layer=state.layer,
            fused=state.fused,
        )

    def _through_lens(
        self, state: AttentionState, path: Path, other: Path
    ) -> tuple[list[bytes], list[Item]]:
        if state.lens is None:
            return [], []
        subject = self.subjects[0]
        height, width = subject.size
        point = int(state.lens[1] * height), int(state.lens[0] * width)
        found = correspond(subject.run, subject.pixels(path), subject.pixels(other), point)
        limit = shared_limit(list(found.maps.values()))
        picture = original(other, SHOWN)
        images, items = [], []
        for name, heat in found.maps.items():
            peak = found.peaks[name]
            place = (peak[0] * SHOWN[0] // height, peak[1] * SHOWN[1] // width)
            mark = place if heat.max() > 0 else None
            images.append(laid_over(picture, heat, limit, mark=mark))
            words = f"where {name} finds the place: row {peak[0]}, column {peak[1]}"
            items.append(Item(kind="plain", title=name, sub=f"{heat.sum():+.4f}", alt=words))
        return images, items


def _draw(
    maps: BranchMaps, picture: np.ndarray, state: AttentionState
) -> tuple[list[bytes], list[Item]]:
    """One card a branch and one for the fused map, on one scale."""
    images, items = [], []
    names = [*maps.branches, FUSED] if len(maps.branches) > 1 else list(maps.branches)
    limit = _raw_limit(maps)
    for name in names:
        mean = name == FUSED and maps.fusing == "mean"
        images.append(
            laid_over(
                picture,
                maps.raw[name][0],
                1.0 if mean else limit,
                opacity=state.opacity,
                stripe=maps.stripes.get(name),
            )
        )
        empty = " (empty)" if maps.empty[name][0] else ""
        part = f"{maps.scores[name][0]:+.2f} of the score"
        items.append(Item(kind="plain", title=name + empty, sub=part, alt=f"{name} map, {part}"))
    return images, items


def _raw_limit(maps: BranchMaps) -> float:
    names = maps.branches if maps.fusing == "mean" else (*maps.branches, FUSED)
    return shared_limit([maps.raw[name] for name in names])


def attention(
    run: Run | Path | str | Sequence[Any],
    *,
    data: ReidDataset | str | None = None,
    data_root: Path | None = None,
    **state: Any,
) -> Attention:
    """See what each branch looks at; one run, or two side by side.

    Args:
        run: a run, the folder of one, or several of these.
        data: a dataset or its name; by default the one the first run was trained on.
        data_root: where datasets lie, for a name.
        **state: fields of ``AttentionState`` to begin with, e.g. ``position=3``.

    Raises:
        InputError: no such run or dataset.
    """
    return Attention(open_subjects(run, data, data_root), AttentionState(**state))
