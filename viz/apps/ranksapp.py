"""Ranks: a query and what was found for it, by one model or several; click to explain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np

from mfa.nearest import nearest
from mfa.records import NO_CAMERA, ReidDataset
from mfa.runs import Run
from viz import cards
from viz.apps import base, markup
from viz.apps.explained import Explained, explain
from viz.apps.finding import ORDERS, cameras, ordered, page_of, position_of
from viz.apps.images import SHOWN, THUMB, jpeg, thumbnail
from viz.apps.rankscode import code_of
from viz.apps.subject import Setting, Subject, open_subjects, original
from viz.apps.upload import decode_upload
from viz.apps.widgets import Cards, Item, Slider
from viz.apps.worker import Job

PAGE = 12
"""Queries offered at a time."""


@dataclass(frozen=True)
class RanksState:
    """What the app shows.

    Attributes:
        query: position in the query list.
        order, find: which queries are offered, see ``viz.apps.finding``.
        k: ranks shown.
        flip, rerank, camera_filter, camera: see ``viz.apps.subject.Setting``.
        junk: also show what was not counted, where it falls.
        card: (model, position in the gallery list) of the card that is explained.
        upload: a picture file of the visitor's, asked instead of the query.
    """

    query: int = 0
    order: str = "list"
    find: str = ""
    k: int = 10
    flip: bool = False
    rerank: bool = False
    camera_filter: bool = True
    camera: int | None = None
    junk: bool = False
    card: tuple[int, int] | None = None
    upload: bytes = b""

    @property
    def setting(self) -> Setting:
        """The switches that change the scores."""
        return Setting(self.flip, self.rerank, self.camera_filter, self.camera)


@dataclass(frozen=True)
class Shown:
    """What the app makes of a state: queries offered, a row a model, numbers, an explanation."""

    offered: Sequence[int]
    place: str
    rows: Sequence[tuple[list[bytes], list[Item], list[int], str]]
    numbers: str
    explained: Explained | None


class Ranks(base.App[RanksState, Shown]):
    """See ``viz.apps.ranks``."""

    name = "ranks"
    heading = "Ranks: who was found?"

    def __init__(self, subjects: Sequence[Subject], state: RanksState) -> None:
        super().__init__(state)
        self.subjects = tuple(subjects)
        first = self.subjects[0]
        self.order = base.choice("Queries", ORDERS)
        self.find = ipywidgets.Text(
            description="Find", placeholder="name, id 7, cam 2", continuous_update=False
        )
        self.offers = Cards(label="Query pictures", clickable=True, height=84)
        self.before = base.button("◀ earlier", "The queries before these")
        self.after = base.button("later ▶", "The queries after these")
        self.place = ipywidgets.HTML()
        self.k = Slider(label="Ranks", min=1, max=30, step=1, digits=0)
        self.flip = base.tick("flip test")
        self.rerank = base.tick("re-ranking")
        self.camera_filter = base.tick("leave out the query's own camera")
        self.junk = base.tick("show what was left out")
        self.camera = base.choice("Gallery", cameras(first.features().gallery.camids))
        self.upload = ipywidgets.FileUpload(
            accept="image/*", description="Ask with a picture of yours", layout={"width": "auto"}
        )
        self.numbers = ipywidgets.HTML()
        self.rows = [Cards(clickable=True) for _ in self.subjects]
        self.maps = Cards()
        self.bars = ipywidgets.HTML()
        for field in ("order", "find", "flip", "rerank", "camera_filter", "junk", "camera"):
            self.bind(field, getattr(self, field))
        self.on(self.order, lambda _: self._turn(None))
        self.on(self.find, lambda _: self._turn(None))
        self.on(self.k, lambda change: self.set(k=int(change["new"])))
        self.k.value = state.k
        self.on(self.offers, lambda _: self._choose(self.offers.selected), "clicks")
        for number, row in enumerate(self.rows):
            self.on(row, partial(self._explain, number), "clicks")
        self.click(self.before, lambda: self._turn(-PAGE))
        self.click(self.after, lambda: self._turn(PAGE))
        self.on(self.upload, self._take)
        self._offered: Sequence[int] = ()
        self._places: dict[int, list[int]] = {}
        self.start(
            base.row([self.order, self.find, self.before, self.place, self.after]),
            self.offers,
            base.row([self.k, self.camera, self.upload]),
            base.row([self.rerank, self.flip, self.camera_filter, self.junk]),
            self.numbers,
            *self.rows,
            self.maps,
            self.bars,
        )

    def render(self, state: RanksState, job: Job) -> Shown:
        """Score where needed, rank, explain."""
        words = "re-ranking" if state.rerank else "scoring"
        results = []
        for number, subject in enumerate(self.subjects):
            job.progress(number / len(self.subjects), f"{words} {subject.run.name}")
            results.append(subject.result(state.setting))
        job.check()
        queries = ordered(results[0], state.order, state.find)
        query = state.query
        place = f"{queries.index(query) + 1 if query in queries else '–'} of {len(queries)}"
        rows = []
        for subject, result in zip(self.subjects, results, strict=True):
            job.check()
            make = self._asked if state.upload else self._ranked
            rows.append(make(subject, result, state, query))
        explained = None
        if state.card is not None:
            job.progress(0.9, "explaining the pair")
            explained = self._explained(state, query)
        numbers = self._numbers(state, results, query)
        return Shown(page_of(queries, query, PAGE), place, rows, numbers, explained)

    def show(self, state: RanksState, shown: Shown) -> None:
        """Fill the cards."""
        self._offered = shown.offered
        first = self.subjects[0]
        samples = first.features().query
        images = [thumbnail(first.query_path(position)) for position in shown.offered]
        items = [
            Item(kind="query", title=f"id {samples.pids[q]}", sub=f"cam {samples.camids[q]}",
                 alt=f"query picture {samples.names[q]}")
            for q in shown.offered
        ]  # fmt: skip
        offered = list(shown.offered)
        place = offered.index(state.query) if state.query in offered else -1
        self.offers.put(images, items, selected=place)
        self.place.value = shown.place
        for number, (row, (pictures, captions, places, label)) in enumerate(
            zip(self.rows, shown.rows, strict=True)
        ):
            self._places[number] = places
            chosen = -1
            if state.card is not None and state.card[0] == number and state.card[1] in places:
                chosen = places.index(state.card[1])
            row.put(pictures, captions, selected=chosen, label=label)
        self.numbers.value = shown.numbers
        found = shown.explained
        self.maps.put(found.images if found else [], found.items if found else [],
                      label="Why this picture" if found else "")  # fmt: skip
        self.bars.value = found.bars if found else "Click a picture to see why it was ranked there."

    def code(self) -> str:
        """See ``App.code``."""
        return code_of(self.subjects, self.state)

    def _choose(self, place: int) -> None:
        self.set(query=self._offered[place], card=None, upload=b"")

    def _turn(self, step: int | None) -> None:
        """A page on or back; to the first query for ``None``."""
        queries = ordered(self.subjects[0].result(self.state.setting), self.state.order,
                          self.state.find)  # fmt: skip
        place = 0
        if step is not None and self.state.query in queries:
            place = min(max(queries.index(self.state.query) + step, 0), len(queries) - 1)
        self.set(query=queries[place], card=None, upload=b"")

    def _explain(self, number: int, _: Any) -> None:
        place = self._places[number][self.rows[number].selected]
        if place >= 0:
            self.set(card=(number, place))

    def _take(self, change: Any) -> None:
        if change["new"]:
            content = bytes(change["new"][0]["content"])
            decode_upload(content, change["new"][0]["name"])
            self.set(upload=content, card=None)

    def _ranked(
        self, subject: Subject, result: Any, state: RanksState, query: int
    ) -> tuple[list[bytes], list[Item], list[int], str]:
        row = cards.row(result, subject.data, query, state.k, state.junk)
        images, items, places = [], [], []
        for card in (row.query, *row.cards):
            title, sub = card.caption()
            images.append(thumbnail(card.path))
            items.append(Item(kind=card.kind, title=title, sub=sub,
                              alt=f"{card.kind} picture {card.path.name}"))  # fmt: skip
            query_card = card.kind == "query"
            places.append(-1 if query_card else position_of(subject.data.gallery, card.path))
        return images, items, places, f"{subject.run.name}: {row.name}   {row.score}"

    def _asked(
        self, subject: Subject, result: Any, state: RanksState, query: int
    ) -> tuple[list[bytes], list[Item], list[int], str]:
        picture = uploaded(state.upload, subject.size)
        features = result.features
        found = nearest(features.gallery, subject.embed(picture), state.k)
        images = [jpeg(uploaded(state.upload, (THUMB[1], THUMB[0])))]
        items = [Item(kind="query", title="your picture", sub="", alt="the picture you gave")]
        places = [-1]
        allowed = subject.gallery_positions(state.camera)
        for entry in found.to_dict("records"):
            path = subject.gallery_path(int(allowed[entry["gallery"]]))
            camera = "" if entry["camid"] == NO_CAMERA else f" · cam {entry['camid']}"
            images.append(thumbnail(path))
            title = f"{entry['rank']} · id {entry['pid']}{camera}"
            words = f"gallery picture {path.name}"
            items.append(Item(kind="plain", title=title, sub=f"{entry['distance']:.3f}", alt=words))
            places.append(position_of(subject.data.gallery, path))
        words = "nearest to your picture (no re-ranking; nobody says who is right)"
        return images, items, places, f"{subject.run.name}: {words}"

    def _explained(self, state: RanksState, query: int) -> Explained:
        assert state.card is not None
        subject = self.subjects[state.card[0]]
        path = subject.data.gallery[state.card[1]].path
        other = (subject.pixels(path), original(path, SHOWN))
        if state.upload:
            asked = (uploaded(state.upload, subject.size), uploaded(state.upload, SHOWN))
        else:
            own = subject.query_path(query)
            asked = (subject.pixels(own), original(own, SHOWN))
        return explain(subject, asked, other)

    def _numbers(self, state: RanksState, results: Sequence[Any], query: int) -> str:
        parts = []
        for subject, result in zip(self.subjects, results, strict=True):
            plain = subject.result()
            values = {"mAP": result.mAP, "Rank-1": result.rank1, "mINP": result.mINP}
            before = {"mAP": plain.mAP, "Rank-1": plain.rank1, "mINP": plain.mINP}
            shown = {name: f"{100 * value:.1f} %" for name, value in values.items()}
            changes = {
                name: f"{100 * (values[name] - before[name]):+.1f}"
                for name in values
                if result is not plain
            }
            title = f"<strong>{subject.run.name}</strong>" if len(results) > 1 else ""
            parts.append(title + markup.figures(shown, changes))
        return "".join(parts)


def uploaded(content: bytes, size: tuple[int, int]) -> np.ndarray:
    """A visitor's picture at (height, width)."""
    from PIL import Image

    picture = Image.fromarray(decode_upload(content))
    return np.asarray(picture.resize((size[1], size[0]), Image.Resampling.BILINEAR))


def ranks(
    run: Run | Path | str | Sequence[Any],
    *,
    data: ReidDataset | str | None = None,
    data_root: Path | None = None,
    **state: Any,
) -> Ranks:
    """Browse what was found for each query, by one run or several, and click to explain it.

    Args:
        run: a run, the folder of one, or several of these.
        data: a dataset or its name; by default the one the first run was trained on.
        data_root: where datasets lie, for a name.
        **state: fields of ``RanksState`` to begin with, e.g. ``query=3, order="worst"``.

    Raises:
        InputError: no such run or dataset.
    """
    return Ranks(open_subjects(run, data, data_root), RanksState(**state))
