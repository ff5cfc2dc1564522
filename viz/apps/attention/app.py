"""Attention: what each branch looks at in a picture, by score, method and layer of choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from html import escape
from pathlib import Path
from typing import Any, cast

import ipywidgets

from mfa.datasets.image_list import ImageList, ListedImage
from mfa.errors import InputError
from mfa.explain.record import BranchMaps
from mfa.explain.weightings import FORWARD_METHODS, METHODS
from mfa.progress import Progress
from mfa.records import FeatureRow, ListPosition, ReidDataset, Split
from mfa.retrieval.nearest import nearest, nearest_answers
from mfa.runs.run import Run, untrained
from viz.apps.attention.cards import correspondence_cards, map_cards, words_of
from viz.apps.attention.code import code_of
from viz.apps.attention.lines import lines_between
from viz.apps.attention.state import TARGETS, AttentionState, Compared
from viz.apps.core import app, controls
from viz.apps.core.images import SHOWN, Image, jpeg
from viz.apps.core.keeping import Keeper, Keeps, Marks
from viz.apps.core.own_picture import own_picture
from viz.apps.core.rank_row import small
from viz.apps.core.session import Session, open_sessions
from viz.apps.core.worker import Job
from viz.apps.widgets import Cards, Item, Picture, Upload

PAGE = 12
"""Pictures offered at a time."""

FOUND = "The same place in the other picture, branch by branch"
NOT_FOUND = "No place can be followed: the cosine of this network is no sum over pixels"
MATCHING = (
    "Places that have no better partner in the other picture. A line is as thick as its part of "
    "the cosine; below stands what the lines bring, of what all pairs of places bring."
)


@dataclass(frozen=True)
class Shown:
    """The pictures, those on offer, rows of maps by name, and the places that were found."""

    pictures: Compared
    offered: tuple[list[bytes], list[Item]]
    rows: dict[str, tuple[list[bytes], list[Item]]]
    note: str
    places: tuple[list[bytes], list[Item]]
    lines: str


class Attention(app.App[AttentionState, Shown], Keeps):
    """See ``viz.attention_explorer``."""

    name = "attention"
    heading = "Attention: what does each branch look at?"

    def __init__(self, sessions: Sequence[Session], state: AttentionState) -> None:
        super().__init__(state)
        self.sessions = tuple(sessions)
        self._random = [
            Session(untrained(s.run.config, device=s.run.device, precision=s.run.precision), s.data)
            for s in self.sessions
        ]
        data, network = self.sessions[0].data, self.sessions[0].run.model
        methods = {f"{m} (slow)" if m in FORWARD_METHODS else m: m for m in METHODS}
        fused = {"signed sum": "sum", "mean, as the paper": "mean"}
        self.side = controls.choice("List", {"queries": "query", "gallery": "gallery"})
        self.position = controls.number("Picture", 0, len(data.query) - 1)
        self.upload = Upload()
        self.compare = controls.choice("Compare with", {"best match": True, "choose": False})
        self.other_position = controls.number("Gallery picture", 0, len(data.gallery) - 1)
        self.offers = Cards(label="Pictures", clickable=True, height=84)
        self.before = controls.button("◀ Previous", "The pictures before these")
        self.after = controls.button("Next ▶", "The pictures after these")
        self.target = controls.choice("Explain", TARGETS)
        self.method = controls.choice("Method", methods)
        self.layer = controls.choice("Layer", ["branch", "trunk", *network.layers])
        self.fused = controls.choice("Fused map", fused)
        self.average = controls.tick("Subtract the average picture")
        self.untrained = controls.tick("Show untrained network beside")
        self.opacity = controls.slider("Opacity", 0.0, 1.0, 0.05)
        self.lines = controls.slider("Lines per branch", 0, 24, 1)
        self.picture = Picture(mode="point", label="Touch a place to find it")
        self.other = Picture(label="The other picture", height=256)
        self.rows = [Cards(height=184) for _ in (*self.sessions, *self.sessions)]
        self.places = Cards(height=200)
        self.note, self.matches = ipywidgets.HTML(), ipywidgets.HTML()
        maps = ("target", "method", "layer", "fused", "average", "untrained", "opacity")
        for field in (*maps, "lines"):
            self.bind(field, getattr(self, field))
        self.bind("side", self.side, position=0, point=None, own=None)
        self.bind("position", self.position, point=None, own=None)
        self.bind("other", self.compare, read=self._chosen, write=lambda other: other is None)
        self.bind("other", self.other_position, write=self._number)
        self.on(self.offers, lambda _: self._choose(self.offers.selected), "clicks")
        self.on(self.picture, lambda _: self.set(point=tuple(self.picture.point)), "points")
        self.on(self.upload, lambda _: self._take(), "chosen")
        self.click(self.before, lambda: self._turn(-PAGE))
        self.click(self.after, lambda: self._turn(PAGE))
        self.kept = Keeper(self, self.sessions, self._marks, self._go)
        self.underneath = (self.kept.box,)
        picture = [controls.title("Picture"), self.side, self.position, self.upload]
        other = [self.compare, self.other_position, self.lines]
        drawn = [controls.title("Map"), self.target, self.method, self.layer, self.fused]
        switches = [self.average, self.untrained, self.opacity]
        self.start(
            [*picture, *other, *drawn, *switches],
            controls.row([self.before, self.after]),
            self.offers,
            self.note,
            controls.row(self.rows, align_items="flex-start"),
            controls.row([self.picture, self.other, self.places], align_items="flex-start"),
            self.matches,
        )

    def render(self, state: AttentionState, job: Job) -> Shown:
        """Maps of every model, and of untrained ones beside."""
        self.sessions[0].features(progress=partial(job.progress, words="describing pictures"))
        pictures = self._compared(state)
        shown = pictures.image.pixels(*SHOWN)
        if not 0 <= state.opacity <= 1:
            raise InputError(f"the opacity goes from 0 to 1, got {state.opacity:g}")
        if state.untrained and state.target == "identity":
            raise InputError("an untrained network knows no identity", "explain a likeness instead")
        rows, words = {}, ""
        for session, random in zip(self.sessions, self._random, strict=True):
            progress = partial(job.progress, words=f"maps of {session.name}")
            maps = self._maps(session, state, pictures, progress)
            words = words or _note(maps, state, pictures)
            rows[session.name] = map_cards(maps, shown, state.opacity)
            if state.untrained:
                progress = partial(job.progress, words="maps of an untrained network")
                maps = self._maps(random, state, pictures, progress)
                label = f"{session.name}: untrained (own scale)"
                rows[label] = map_cards(maps, shown, state.opacity)
        job.check()
        found, lines = self._found(state, pictures), self._lines(state, pictures)
        return Shown(pictures, self._offered(state), rows, words, found, lines)

    def show(self, state: AttentionState, shown: Shown) -> None:
        """Fill the rows; rows without a model are emptied."""
        count, page = len(self._list(state)), self._page(state)
        self.position.max = count - 1
        label = f"Pictures {page[0]} to {page[-1]} of {count:,}"
        chosen = state.position % PAGE if state.own is None else -1
        self.offers.put(*shown.offered, selected=chosen, label=label)
        found = [*shown.rows.items(), *[("", ([], []))] * len(self.rows)]
        for row, (label, (images, items)) in zip(self.rows, found, strict=False):
            row.put(images, items, label=label)
        self.picture.image = jpeg(shown.pictures.image.pixels(*SHOWN))
        self.picture.point = list(state.point or ())
        self.other.image = jpeg(shown.pictures.other.pixels(*SHOWN))
        self.other.label = f"Compared with: {shown.pictures.other.name}"
        self.other_position.value = int(shown.pictures.other.position)
        self.other_position.layout.display = "none" if state.other is None else ""
        self.note.value = f"<div class='mfa-note'>{escape(shown.note)}</div>"
        label = FOUND if self.sessions[0].adds_up else NOT_FOUND
        self.places.put(*shown.places, label=label if state.point else "")
        self.matches.value = shown.lines
        self.kept.refresh()

    def code(self) -> str:
        """See ``App.code``."""
        return code_of(self.sessions, self.state, self.shown.pictures if self.shown else None)

    def _list(self, state: AttentionState) -> ImageList:
        if state.side not in ("query", "gallery"):
            raise InputError(f"the list is query or gallery, got {state.side!r}")
        return self.sessions[0].images(cast(Split, state.side))

    def _compared(self, state: AttentionState) -> Compared:
        """The picture, and those it is compared with: the nearest right and wrong ones."""
        session = self.sessions[0]
        features, gallery = session.features().gallery, session.images("gallery")
        image: Image
        right: int | None
        wrong: int | None
        if state.own is not None:
            image = state.own
            right, wrong = int(nearest(features, session.embed(image), 1)["gallery"].iloc[0]), None
        else:
            image = listed = self._list(state).at(ListPosition(state.position))
            but = listed.row if state.side == "gallery" else None
            feature = session.embed(image)
            right, wrong = nearest_answers(features, feature, listed.pid, listed.camid, but=but)
            right = wrong if right is None else right
        if state.other is not None:
            other = gallery.at(ListPosition(state.other))
        else:
            assert right is not None
            other = gallery.at_row(FeatureRow(right))
        return Compared(image, other, None if wrong is None else gallery.at_row(FeatureRow(wrong)))

    def _page(self, state: AttentionState) -> range:
        """Positions of the page of its list that holds the picture."""
        start = state.position // PAGE * PAGE
        return range(start, min(start + PAGE, len(self._list(state))))

    def _offered(self, state: AttentionState) -> tuple[list[bytes], list[Item]]:
        listed = self._list(state)
        images = [listed.at(ListPosition(place)) for place in self._page(state)]
        items = []
        for image in images:
            title, sub = f"{image.position}", f"cam {image.camid}"
            alt = f"{state.side} picture {image.name}"
            items.append(Item(kind="query", title=title, sub=sub, alt=alt))
        return [small(image) for image in images], items

    def _choose(self, place: int) -> None:
        self.set(position=self.state.position // PAGE * PAGE + place, point=None, own=None)

    def _turn(self, step: int) -> None:
        position = min(max(self.state.position + step, 0), self.position.max)
        self.set(position=position, point=None, own=None)

    def _take(self) -> None:
        self.set(own=own_picture(self.upload.take(), self.upload.name), point=None)

    def _marks(self) -> Marks:
        """The picture, unless it is the visitor's own, and the one it is compared with."""
        if self.shown is None:
            return {}
        image, other = self.shown.pictures.image, self.shown.pictures.other
        own = {"the picture": [image]} if isinstance(image, ListedImage) else {}
        return {**own, "the other picture": [other]}

    def _go(self, image: ListedImage) -> None:
        self.set(side=image.split, position=int(image.position), point=None, own=None)

    def _chosen(self, best: bool) -> int | None:
        return None if best else self.other_position.value

    def _number(self, other: int | None) -> int:
        """The number field keeps the best match's position until another one is chosen."""
        return self.other_position.value if other is None else other

    def _maps(
        self, session: Session, state: AttentionState, pictures: Compared, progress: Progress
    ) -> BranchMaps:
        """The maps of a state, which are kept."""
        target = state.target
        other, wrong = pictures.other, pictures.wrong
        if target == "contrast" and wrong is None:
            raise InputError(
                "nobody says who your own picture shows, so no picture is a wrong one",
                "explain the likeness to the other picture instead",
            )

        def compute() -> BranchMaps:
            progress(0.0)
            toward: Any = None
            if target == "other":
                toward = session.fitted(other)
            elif target == "contrast" and wrong is not None:
                toward = session.fitted(other), session.fitted(wrong)
            return session.maps(
                pictures.image,
                centred=state.centred,
                target="similarity" if target == "other" else target,
                toward=toward,
                method=state.method,
                layer=state.layer,
                fused=state.fused,
                progress=progress,
            )

        plain = replace(state, opacity=1.0, point=None, untrained=False, lines=0)
        key = ("maps", plain, other.position, wrong and wrong.position)
        maps: BranchMaps = session.cached(key, compute)
        return maps

    def _found(self, state: AttentionState, pictures: Compared) -> tuple[list[bytes], list[Item]]:
        """The chosen place in the other picture."""
        session = self.sessions[0]
        if state.point is None or not session.adds_up:
            return [], []
        height, width = session.size
        point = int(state.point[1] * height), int(state.point[0] * width)
        found = session.correspondence(pictures.image, pictures.other, point, centred=state.average)
        return correspondence_cards(found, pictures.other.pixels(*SHOWN), session.size)

    def _lines(self, state: AttentionState, pictures: Compared) -> str:
        """Lines between the two pictures; the matches of two pictures are kept."""
        session, pair = self.sessions[0], (pictures.image, pictures.other)
        if not state.lines:
            return ""
        if not session.adds_up:
            return f"<div class='mfa-note'>{escape(NOT_FOUND)}.</div>"
        key = ("matches", state.side, state.position, state.own, pair[1].position, state.average)
        found = session.cached(key, lambda: session.matches(*pair, centred=state.average))
        query, gallery = (jpeg(image.pixels(*SHOWN)) for image in pair)
        drawn = lines_between(found, query, gallery, state.lines)
        return f"<div class='mfa-note'>{escape(MATCHING)}</div>{drawn}"


def _note(maps: BranchMaps, state: AttentionState, pictures: Compared) -> str:
    average = ", the average picture subtracted" if maps.centred else ""
    target = next(words for words, name in TARGETS.items() if name == state.target)
    return (
        f"{pictures.image.name} · {target} · {maps.method} on the {maps.layer} map{average}. "
        f"{words_of(maps)}"
    )


def attention_explorer(
    run: Run | Path | str | Sequence[Any],
    *,
    data: ReidDataset | str | None = None,
    data_root: Path | str | None = None,
    device: str | None = None,
    precision: str | None = None,
    **state: Any,
) -> Attention:
    """See what each branch looks at; one run, or two side by side.

    Args:
        run: a run, the folder of one, or several of these.
        data: a dataset or its name; by default the one that the first run was trained on.
        data_root: where datasets lie, for a name.
        device: where the network computes; see ``mfa.open_run``.
        precision: of the network; see ``mfa.open_run``.
        **state: fields of ``AttentionState`` to begin with, e.g. ``position=3``.

    Raises:
        InputError: no such run or dataset.
    """
    sessions = open_sessions(run, data, data_root, device=device, precision=precision)
    return Attention(sessions, AttentionState(**state))
