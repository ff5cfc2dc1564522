"""Threshold: same person or not, what that costs, and who is nobody we know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets
import pandas as pd

from mfa.comparison.calibration import Calibration, calibrate, verify_halves
from mfa.comparison.identification import Identification, identify
from mfa.comparison.pair_sample import sample_pairs
from mfa.comparison.verification import Verification, verify
from mfa.datasets.image_list import ListedImage
from mfa.errors import InputError
from mfa.records import FeatureRow, ListPosition, ReidDataset
from mfa.runs.run import Run
from viz.apps.core import app, controls, html
from viz.apps.core.code import opening
from viz.apps.core.images import side_by_side
from viz.apps.core.labels import person
from viz.apps.core.pair_cards import Explained, explain, explain_code, put_explained
from viz.apps.core.rank_row import small
from viz.apps.core.session import Session, open_session
from viz.apps.core.worker import Job
from viz.apps.threshold.charts import charts, span
from viz.apps.widgets import Cards, Item
from viz.grids.threshold import GROUPS

PAGE = 12
"""Pictures of the queue shown at a time."""

EXAMPLES = 3
"""Pairs shown per group."""

BY_HAND = 0.0
SHARES = {
    "as the slider says": BY_HAND,
    "1 pair in 10": 0.1,
    "1 pair in 100": 0.01,
    "1 pair in 1,000": 0.001,
    "1 pair in 10,000": 0.0001,
    "1 pair in 100,000": 0.00001,
}
"""Shares of the pairs of two people that may be accepted."""

AS_HERE = 0.0
PRIORS = {
    "as in this gallery": AS_HERE,
    "every second pair": 0.5,
    "1 pair in 10": 0.1,
    "1 pair in 100": 0.01,
    "1 pair in 1,000": 0.001,
}


@dataclass(frozen=True)
class ThresholdState:
    """What the app shows.

    Attributes:
        threshold: pairs up to this distance are taken for one person; ``None``: where one pair of
            two people in a thousand is accepted.
        prior: share of pairs that show one person before anybody looks; 0: as among these pairs.
        camera_filter: leave out pairs of one person by one camera.
        start: first of the queries shown that nobody is near enough to.
        pair: positions in the query and the gallery list of the pair that is explained.
    """

    threshold: float | None = None
    prior: float = AS_HERE
    camera_filter: bool = True
    start: int = 0
    pair: tuple[int, int] | None = None


Pair = tuple[ListedImage, ListedImage]


@dataclass(frozen=True)
class Shown:
    """What the threshold does, pairs next to it, and the queries that nobody is near enough to."""

    threshold: float
    verified: Verification
    calibration: Calibration
    people: Identification
    examples: dict[tuple[bool, bool], tuple[pd.DataFrame, list[Pair]]]
    queue: pd.DataFrame
    queued: list[Pair]
    pair: Pair | None
    explained: Explained | None


class Threshold(app.App[ThresholdState, Shown]):
    """See ``viz.threshold_chooser``."""

    name = "threshold"
    heading = "Threshold: same person or not?"

    def __init__(self, session: Session, state: ThresholdState) -> None:
        super().__init__(state)
        self.session = session
        self.threshold = controls.slider("Threshold", 0.0, 2.0, 0.001)
        self.threshold.readout_format = ".3f"
        self.share = controls.choice("False accepts", SHARES)
        self.prior = controls.choice("Pairs of one person", PRIORS)
        self.camera_filter = controls.tick("Ignore same person, same camera (standard)")
        self.before = controls.button("◀ Previous", "The pictures before these")
        self.after = controls.button("Next ▶", "The pictures after these")
        self.place = ipywidgets.HTML()
        self.numbers, self.charts, self.bars = (ipywidgets.HTML() for _ in range(3))
        self.examples = {group: Cards(clickable=True, height=84, aspect=1.0) for group in GROUPS}
        self.queue = Cards(clickable=True, height=84, aspect=1.0)
        self.maps = Cards(height=120)
        for field in ("prior", "camera_filter"):
            self.bind(field, getattr(self, field), start=0)
        self.bind("threshold", self.threshold, write=self._number, start=0)
        self.on(self.share, self._accept)
        for group, cards in self.examples.items():
            self.on(cards, partial(self._choose, group), "clicks")
        self.on(self.queue, partial(self._choose, None), "clicks")
        self.click(self.before, lambda: self._turn(-PAGE))
        self.click(self.after, lambda: self._turn(PAGE))
        self.start(
            [
                *(controls.title("One person up to the distance"), self.threshold, self.share),
                *(controls.title("Before anybody looks"), self.prior),
                *(controls.title("Pairs"), self.camera_filter),
            ],
            self.numbers,
            self.charts,
            controls.row([*self.examples.values()], align_items="flex-start"),
            self.maps,
            self.bars,
            controls.row([self.before, self.place, self.after]),
            self.queue,
        )

    def render(self, state: ThresholdState, job: Job) -> Shown:
        """Count pairs, once per filter; then all follows from the threshold."""
        session, only = self.session, state.camera_filter
        features = session.features(progress=partial(job.progress, words="describing pictures"))

        def kept(name: str, make: Any, share: float) -> Any:
            job.progress(share, "comparing pairs")
            return session.cached((name, only), lambda: make(features, camera_filter=only))

        verified: Verification = kept("verify", verify, 0.1)
        halves = kept("halves", verify_halves, 0.3)
        people: Identification = kept("identify", identify, 0.5)
        sample = kept("pairs", sample_pairs, 0.7)
        threshold = _default(verified) if state.threshold is None else state.threshold
        self.settle(state, threshold=threshold)
        calibration = calibrate(*halves, prior=state.prior or None)
        examples = {
            group: (table, self._pairs(table))
            for group, table in sample.near(threshold, EXAMPLES).items()
        }
        queue = people.unnamed(threshold)
        queued = self._pairs(queue.iloc[state.start : state.start + PAGE])
        pair = explained = None
        if state.pair is not None:
            query, other = (ListPosition(place) for place in state.pair)
            pair = session.query(query), session.images("gallery").at(other)
            job.progress(0.9, "explaining the pair")
            explained = session.cached(("explained", state.pair), lambda: explain(session, *pair))
        return Shown(
            *(threshold, verified, calibration, people, examples, queue, queued, pair, explained)
        )

    def show(self, state: ThresholdState, shown: Shown) -> None:
        """Fill the widgets."""
        verified, threshold = shown.verified, shown.threshold
        self.threshold.max = max(threshold, span(verified)[1])
        self.threshold.value = threshold
        self.share.value = self._share(verified, threshold)
        self.numbers.value = _numbers(shown)
        self.charts.value = charts(verified, shown.calibration, threshold)
        for (same, accepted), cards in self.examples.items():
            table, pairs = shown.examples[same, accepted]
            kind = "match" if same == accepted else "wrong"
            words = GROUPS[same, accepted]
            items = self._items(shown, table, pairs, [kind] * len(pairs), words)
            cards.put([_both(pair) for pair in pairs], items, label=words)
        page = shown.queue.iloc[state.start : state.start + PAGE]
        kinds = ["wrong" if known else "match" for known in page["known"]]
        items = self._items(shown, page, shown.queued, kinds, "query and its nearest answer")
        total = len(shown.queue)
        end = min(state.start + PAGE, total)
        self.place.value = f"{min(state.start + 1, end)} to {end} of {total:,}"
        label = "Nobody I know: no answer is near enough; the nearest to the line first"
        self.queue.put([_both(pair) for pair in shown.queued], items, label=label)
        put_explained(self.maps, shown.explained, _pair_words(shown.pair))
        self.bars.value = shown.explained.bars if shown.explained else ""

    def code(self) -> str:
        """See ``App.code``."""
        state, shown = self.state, self.shown
        if shown is None:
            return opening([self.session])
        filtered = f"camera_filter={state.camera_filter}"
        lines = (
            opening([self.session])
            + "features = mfa.extract_features(run, data)\n"
            + f"threshold = {shown.threshold!r}\n"
            + f"print(mfa.verify(features, {filtered}).at_threshold(threshold))\n"
            + f"people = mfa.identify(features, {filtered})\n"
            + "print(people.at_threshold(threshold))\n"
            + "queue = people.unnamed(threshold)\n"
        )
        if shown.pair is not None:
            lines += explain_code(self.session, *(str(image.position) for image in shown.pair))
        return (
            lines
            + "viz.draw_threshold(\n"
            + f"    features, data, threshold, {filtered}, prior={state.prior or None}\n)\n"
        )

    def _pairs(self, table: pd.DataFrame) -> list[Pair]:
        rows = zip(table["query"], table["gallery"], strict=True)
        asked, found = self.session.images("query"), self.session.images("gallery")
        return [(asked.at_row(FeatureRow(q)), found.at_row(FeatureRow(g))) for q, g in rows]

    def _items(
        self,
        shown: Shown,
        table: pd.DataFrame,
        pairs: Iterable[Pair],
        kinds: Iterable[str],
        words: str,
    ) -> list[Item]:
        chances = shown.calibration.probability(table["distance"].to_numpy())
        return [
            Item(
                kind=kind,
                title=f"{distance:.3f} · {_percent(chance)}",
                sub=f"{person(one.pid)} · {person(two.pid)}",
                alt=f"{words}: {one.name} and {two.name}",
            )
            for (one, two), kind, distance, chance in zip(
                pairs, kinds, table["distance"], chances, strict=True
            )
        ]

    def _number(self, threshold: float | None) -> float:
        """The slider waits where it is until the first threshold is found."""
        return float(self.threshold.value) if threshold is None else threshold

    def _accept(self, change: Any) -> None:
        if change["new"] == BY_HAND or self.shown is None:
            return
        threshold = self.shown.verified.at_fpr(change["new"])["threshold"]
        if pd.isna(threshold):
            raise InputError("at every threshold more pairs of two people are accepted")
        self.set(threshold=threshold, start=0)

    @staticmethod
    def _share(verified: Verification, threshold: float) -> float:
        """The choice that gives this threshold."""
        for share in list(SHARES.values())[1:]:
            if share * verified.other >= 1 and verified.at_fpr(share)["threshold"] == threshold:
                return share
        return BY_HAND

    def _turn(self, step: int) -> None:
        last = max(0, len(self.shown.queue) - 1) // PAGE * PAGE if self.shown else 0
        self.set(start=min(max(0, self.state.start + step), last))

    def _choose(self, group: tuple[bool, bool] | None, _: Any) -> None:
        if self.shown is None:
            return
        pairs = self.shown.queued if group is None else self.shown.examples[group][1]
        cards = self.queue if group is None else self.examples[group]
        query, gallery = pairs[cards.selected]
        self.set(pair=(int(query.position), int(gallery.position)))


def _default(verified: Verification) -> float:
    """Where as few pairs of two people are accepted as the number of pairs can show, .001 at best.

    Where even .1 is too few, the equal error rate's place among the thresholds.
    """
    table = verified.thresholds((0.001, 0.01, 0.1)).dropna()
    if len(table):
        return float(table["threshold"].iloc[0])
    rates = verified.table
    return float(rates["threshold"].iloc[int((rates["fpr"] - rates["fnr"]).abs().argmin())])


def _both(pair: Pair) -> bytes:
    return side_by_side(*(small(image) for image in pair))


def _percent(share: float) -> str:
    return "< 1 %" if share < 0.01 else "> 99 %" if share > 0.99 else f"{100 * share:.0f} %"


def _pair_words(pair: Pair | None) -> str:
    return f"Why {pair[0].name} and {pair[1].name} are that near" if pair else ""


def _numbers(shown: Shown) -> str:
    """Pairs in a line, queries in another."""
    pairs = shown.verified.at_threshold(shown.threshold)
    people = shown.people.at_threshold(shown.threshold)
    wrong = round(pairs["fpr"] * shown.verified.other)
    chance = float(shown.calibration.probability(shown.threshold))
    first = html.figures(
        {
            "same person accepted": f"{100 * pairs['tpr']:.1f} %",
            "two people accepted": f"{100 * pairs['fpr']:.3g} %",
            "chance of one person at the line": _percent(chance),
        },
        {
            "same person accepted": f"of {shown.verified.same:,} pairs",
            "two people accepted": f"{wrong:,} of {shown.verified.other:,} pairs",
        },
    )
    names = {
        "named rightly": "right",
        "named wrongly": "wrong",
        'told "nobody"': "nobody",
        "strangers named": "strangers_named",
    }
    second = {name: f"{100 * people[key]:.1f} %" for name, key in names.items()}
    words = (
        "<div class='mfa-note'>Queries that are in the gallery, by what their nearest answer says; "
        "and all queries without the pictures of their person.</div>"
    )
    return first + words + html.figures(second)


def threshold_chooser(
    run: Run | Path | str,
    *,
    data: ReidDataset | str | None = None,
    data_root: Path | str | None = None,
    device: str | None = None,
    precision: str | None = None,
    **state: Any,
) -> Threshold:
    """Choose the distance up to which two pictures show one person, and see what that does.

    Args:
        run: a run, or its folder.
        data: a dataset or its name; by default the one that the run was trained on.
        data_root: where datasets lie, for a name.
        device: where the network computes; see ``mfa.open_run``.
        precision: of the network; see ``mfa.open_run``.
        **state: fields of ``ThresholdState`` to begin with, e.g. ``threshold=0.3``.

    Raises:
        InputError: no such run or dataset.
    """
    session = open_session(run, data, data_root, device=device, precision=precision)
    return Threshold(session, ThresholdState(**state))
