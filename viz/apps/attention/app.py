"""Attention: what each branch looks at in a picture, for a score, a rule and a layer of choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets

from mfa.errors import InputError
from mfa.explain.record import BranchMaps
from mfa.explain.weightings import FORWARD_METHODS, METHODS, SECOND_ORDER
from mfa.progress import Progress, silent
from mfa.records import ReidDataset, Sample
from mfa.runs.run import Run, untrained
from viz.apps.attention.cards import lens_cards, map_cards
from viz.apps.attention.code import code_of
from viz.apps.core import app, controls
from viz.apps.core.images import SHOWN, jpeg, thumbnail
from viz.apps.core.session import Subject, open_subjects, original
from viz.apps.core.worker import Job
from viz.apps.widgets import Cards, Item, Picture, Slider

PAGE = 12
"""Pictures offered at a time."""

BEST = -1
"""Number of the other picture that stands for the query's best match."""

LENS = "The same place in the other picture, branch by branch"
NO_LENS = "No place can be followed: this network's cosine is no sum over pixels"

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
        method, layer, fused: as of ``mfa.branch_maps``.
        average: take the average picture's maps off.
        control: the same maps from random weights beside them.
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
    """Pictures offered, rows of maps by name, the picture itself, and what the lens found."""

    offered: tuple[list[bytes], list[Item]]

    rows: dict[str, tuple[list[bytes], list[Item]]]
    picture: bytes
    other: bytes
    other_name: str
    note: str
    lens: tuple[list[bytes], list[Item]]


class Attention(app.App[AttentionState, Shown]):
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
        self.side = controls.choice("List", {"queries": "query", "gallery": "gallery"})
        self.position = controls.number("Picture", 0, count - 1)
        self.other_position = controls.number(
            f"Other ({BEST}: best match)", BEST, len(data.gallery) - 1
        )
        self.offers = Cards(label="Pictures", clickable=True, height=84)
        self.target = controls.choice("Explain", TARGETS)
        self.method = controls.choice("Method", slow)
        self.layer = controls.choice("Layer", layers)
        self.fused = controls.choice("Fused", {"signed sum": "sum", "mean, as the paper": "mean"})
        self.average = controls.tick("against the average picture")
        self.control = controls.tick("random weights beside")
        self.opacity = Slider(label="Opacity", step=0.05)
        self.picture = Picture(mode="point", label="Touch a place to find it")
        self.other = Picture(label="The other picture", height=256)
        self.rows = [Cards(height=184) for _ in (*self.subjects, *self.subjects)]
        self.lens = Cards(height=200)
        self.note = ipywidgets.HTML()
        for field in ("target", "method", "layer", "fused", "average", "control", "opacity"):
            self.bind(field, getattr(self, field))
        for field in ("side", "position"):  # a place is one of a picture
            self.bind(field, getattr(self, field), lens=None)
        self.bind("other", self.other_position, read=_other, write=_number)
        self.on(self.offers, lambda _: self._choose(self.offers.selected), "clicks")
        self.on(self.picture, lambda _: self.set(lens=tuple(self.picture.point)), "points")
        self.start(
            controls.row([self.side, self.position, self.other_position]),
            self.offers,
            controls.row([self.target, self.method, self.layer, self.fused]),
            controls.row([self.opacity, self.average, self.control]),
            self.note,
            controls.row(self.rows),
            controls.row([self.picture, self.other, self.lens]),
        )

    def render(self, state: AttentionState, job: Job) -> Shown:
        """Maps of every model, and of its random weights."""
        self.subjects[0].result(progress=partial(job.progress, words="scoring"))
        path, other = self.paths(state)
        picture = original(path, SHOWN)
        rows: dict[str, tuple[list[bytes], list[Item]]] = {}
        for subject, control in zip(self.subjects, self._random, strict=True):
            progress = partial(job.progress, words=f"maps of {subject.name}")
            rows[subject.name] = map_cards(
                self._maps(subject, state, progress), picture, state.opacity
            )
            if state.control:
                if state.target == "identity":
                    raise InputError("random weights know no identity; explain a likeness instead")
                progress = partial(job.progress, words="maps of random weights")
                label = f"{subject.name}: random weights (own scale)"
                rows[label] = map_cards(
                    self._maps(control, state, progress), picture, state.opacity
                )
        job.check()
        maps = self._maps(self.subjects[0], state, silent)
        average = "" if state.average or not maps.centred else ", average kept"
        how = f"{maps.caption.partition(' · ')[2]}{average}"
        note = (
            f"{path.name} · {_target(state)} · {how}. Red argues for, blue against; the numbers "
            "are parts of the score."
        )
        return Shown(self._offered(state), rows, jpeg(picture), thumbnail(other, (128, 256)),
                     other.name, note, self._through_lens(state, path, other))  # fmt: skip

    def show(self, state: AttentionState, shown: Shown) -> None:
        """Fill the rows; rows without a model are emptied."""
        start, count = state.position // PAGE * PAGE, len(self._samples(state))
        label = f"Pictures {start} to {min(start + PAGE, count) - 1} of {count:,}"
        self.offers.put(*shown.offered, selected=state.position % PAGE, label=label)
        found = [*shown.rows.items(), *[("", ([], []))] * len(self.rows)]
        for row, (label, (images, items)) in zip(self.rows, found, strict=False):
            row.put(images, items, label=label)
        self.picture.image = shown.picture
        self.picture.point = list(state.lens or ())
        self.other.image = shown.other
        self.other.label = f"The other picture: {shown.other_name}"
        self.note.value = f"<div class='mfa-note'>{escape(shown.note)}</div>"
        said = LENS if self.subjects[0].adds_up else NO_LENS
        self.lens.put(*shown.lens, label=said if state.lens else "")

    def code(self) -> str:
        """See ``App.code``."""
        return code_of(self.subjects, self.state, *self.paths(self.state))

    def paths(self, state: AttentionState) -> tuple[Path, Path]:
        """Files of the picture and of the other one.

        Raises:
            InputError: a position outside its list.
        """
        subject = self.subjects[0]
        samples = self._samples(state)
        if not 0 <= state.position < len(samples):
            raise InputError(f"the {state.side} list has pictures 0 to {len(samples) - 1}")
        if state.other is not None:
            if not 0 <= state.other < len(subject.data.gallery):
                raise InputError(f"the gallery has pictures 0 to {len(subject.data.gallery) - 1}")
            return samples[state.position].path, subject.data.gallery[state.other].path
        return samples[state.position].path, self._found(state, match=True)

    def _samples(self, state: AttentionState) -> tuple[Sample, ...]:
        data = self.subjects[0].data
        return data.query if state.side == "query" else data.gallery

    def _offered(self, state: AttentionState) -> tuple[list[bytes], list[Item]]:
        """Cards of the page of its list that holds the picture."""
        start = state.position // PAGE * PAGE
        samples = self._samples(state)[start : start + PAGE]
        items = [
            Item(kind="query", title=f"{start + number}", sub=f"cam {sample.camid}",
                 alt=f"{state.side} picture {sample.path.name}")
            for number, sample in enumerate(samples)
        ]  # fmt: skip
        return [thumbnail(sample.path) for sample in samples], items

    def _choose(self, place: int) -> None:
        self.set(position=self.state.position // PAGE * PAGE + place, lens=None)

    def _found(self, state: AttentionState, *, match: bool) -> Path:
        """The nearest right or wrong gallery picture; for gallery pictures of query 0."""
        subject = self.subjects[0]
        query = state.position if state.side == "query" else 0
        ranking = subject.result().ranking(query, 100)
        rows = ranking[ranking["match"] == match]
        place = (rows if len(rows) else ranking)["gallery"].iloc[0]
        return subject.gallery_path(int(place))

    def _maps(self, subject: Subject, state: AttentionState, progress: Progress) -> BranchMaps:
        plain = replace(state, opacity=1.0, lens=None, control=False)
        found: BranchMaps = subject.once(
            ("maps", plain), lambda: self._compute(subject, state, progress)
        )
        return found

    def _compute(self, subject: Subject, state: AttentionState, progress: Progress) -> BranchMaps:
        progress(0.0)
        path, other = self.paths(state)
        target = state.target
        toward: Any = None
        if target == "other":
            target, toward = "similarity", subject.pixels(other)
        elif target == "contrast":
            wrong = self._found(state, match=False)
            toward = (subject.pixels(other), subject.pixels(wrong))
        average = state.average and state.method not in (*FORWARD_METHODS, SECOND_ORDER)
        return subject.maps(
            subject.pixels(path),
            average=average,
            target=target,
            toward=toward,
            method=state.method,
            layer=state.layer,
            fused=state.fused,
            progress=progress,
        )

    def _through_lens(
        self, state: AttentionState, path: Path, other: Path
    ) -> tuple[list[bytes], list[Item]]:
        subject = self.subjects[0]
        if state.lens is None or not subject.adds_up:
            return [], []
        height, width = subject.size
        point = int(state.lens[1] * height), int(state.lens[0] * width)
        sides = subject.pixels(path), subject.pixels(other)
        found = subject.lens(*sides, point, average=state.average)
        return lens_cards(found, original(other, SHOWN), subject.size)


def _target(state: AttentionState) -> str:
    """What is explained, in the words of the control."""
    return next(words for words, target in TARGETS.items() if target == state.target)


def _other(number: int) -> int | None:
    return None if number == BEST else number


def _number(other: int | None) -> int:
    return BEST if other is None else other


def attention_explorer(
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
