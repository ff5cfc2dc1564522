"""Branch switchboard: weigh the branches or switch them off, and see what the scores say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets

from mfa.errors import InputError
from mfa.records import ReidDataset
from mfa.retrieval.branch_products import BranchProducts, bytes_needed
from mfa.retrieval.metrics import score
from mfa.retrieval.results import RetrievalResult
from mfa.runs.run import Run
from viz.apps.core import app, controls, html
from viz.apps.core.images import thumbnail
from viz.apps.core.session import Setting, Subject, open_subject, opening
from viz.apps.core.worker import Job
from viz.apps.widgets import Cards, Item, Slider
from viz.grids import rank_cards

MOST = 4 * 2**30
"""Bytes of products kept; above that a change is a matrix product again."""


@dataclass(frozen=True)
class SwitchboardState:
    """What the app shows.

    Attributes:
        weights: of every branch, in descriptor order; 0 leaves a branch out.
        query: whose ranks are shown.
        k: ranks shown.
        camera_filter: as of scoring.
    """

    weights: tuple[float, ...]
    query: int = 0
    k: int = 10
    camera_filter: bool = True


@dataclass(frozen=True)
class Shown:
    """The scored retrieval by the weights, by the descriptor as trained, and a query's ranks."""

    weighted: RetrievalResult
    trained: RetrievalResult
    row: rank_cards.Row


class Switchboard(app.App[SwitchboardState, Shown]):
    """See ``viz.apps.switchboard``."""

    name = "branches"
    heading = "Switchboard: what is each branch worth?"

    def __init__(self, subject: Subject, state: SwitchboardState) -> None:
        super().__init__(state)
        self.subject = subject
        self.names = list(subject.run.model.widths)
        if len(self.names) < 2:
            raise InputError(
                f"{subject.run.name} has one branch only; the switchboard needs a model of several"
            )
        self._products: BranchProducts | None = None
        self.sliders = [Slider(label=name, max=2, step=0.05) for name in self.names]
        self.switches = [controls.tick(f"{name} on") for name in self.names]
        self.query = controls.number("Query", 0, len(subject.data.query) - 1)
        self.reset = controls.button("All at 1", "Every branch as trained")
        self.camera_filter = controls.tick("leave out the same person by the same camera")
        self.numbers = ipywidgets.HTML()
        self.curve = ipywidgets.HTML()
        self.grid = Cards()
        for number, (slider, switch) in enumerate(zip(self.sliders, self.switches, strict=True)):
            self.on(slider, partial(self._weigh, number))
            self.on(switch, partial(self._switch, number))
        self.bind("query", self.query)
        self.bind("camera_filter", self.camera_filter)
        self.click(self.reset, lambda: self.set(weights=(1.0,) * len(self.names)))
        pairs = zip(self.sliders, self.switches, strict=True)
        self.start(
            *(controls.row(list(pair)) for pair in pairs),
            controls.row([self.query, self.camera_filter, self.reset]),
            self.numbers,
            self.curve,
            self.grid,
        )

    def render(self, state: SwitchboardState, job: Job) -> Shown:
        """Score the weighted descriptor."""
        weights = dict(zip(self.names, state.weights, strict=True))
        features = self.subject.features(
            progress=partial(job.progress, words="describing pictures")
        )
        if self._products is None:
            if bytes_needed(features) > MOST:
                raise InputError(
                    f"{len(features.query):,} queries against {len(features.gallery):,} pictures "
                    "are too many to weigh live; use mfa.retrieval.branch_weights.score_branches in a script"
                )
            self._products = BranchProducts(
                features, lambda share: job.progress(share, "comparing branch by branch")
            )
        job.check()
        distances = self._products.weighted(weights)
        result = score(
            self._products.weighted_features(weights),
            camera_filter=state.camera_filter,
            distance=distances,
        )
        progress = partial(job.progress, words="scoring as trained")
        trained = self.subject.result(Setting(camera_filter=state.camera_filter), progress)
        row = rank_cards.row(result, self.subject.data, state.query, state.k)
        return Shown(result, trained, row)

    def show(self, state: SwitchboardState, shown: Shown) -> None:
        """Numbers against the descriptor as trained, the CMC curve, the grid."""
        result, whole, row = shown.weighted, shown.trained, shown.row
        for slider, switch, weight in zip(self.sliders, self.switches, state.weights, strict=True):
            slider.value, switch.value = weight, weight > 0
        names = {"mAP": "mAP", "Rank-1": "rank1", "Rank-5": "rank5", "mINP": "mINP"}
        values = {name: getattr(result, field) for name, field in names.items()}
        count = f"<div class='mfa-note'>Over all {len(result.counted):,} counted queries:</div>"
        self.numbers.value = count + html.figures(
            {name: f"{100 * value:.1f} %" for name, value in values.items()},
            {
                name: f"{100 * (value - getattr(whole, names[name])):+.1f}"
                for name, value in values.items()
            },
        )
        self.curve.value = html.curves(
            {"as trained": whole.cmc[:20].tolist(), "as weighted": result.cmc[:20].tolist()},
            "rank", "share of queries with a match (CMC)",
        )  # fmt: skip
        items: list[Item] = []
        for card in (row.query, *row.cards):
            title, sub = card.caption()
            alt = f"{card.kind} picture {card.path.name}"
            items.append(Item(kind=card.kind, title=title, sub=sub, alt=alt))
        images = [thumbnail(card.path) for card in (row.query, *row.cards)]
        self.grid.put(images, items, label=f"{row.name}   {row.score}")

    def code(self) -> str:
        """See ``App.code``."""
        weights = dict(zip(self.names, self.state.weights, strict=True))
        return (
            opening(self.subject)
            + "from mfa.retrieval.branch_weights import score_branches\n"
            + "from mfa.inference.evaluate import extract_features\n\n"
            + "features = extract_features(run, data)\n"
            + f"result = score_branches(features, {weights!r}, "
            + f"camera_filter={self.state.camera_filter})\n"
            + f"figure = viz.draw_rank_grid(result, data, [{self.state.query}], k={self.state.k})\n"
        )

    def _weigh(self, number: int, change: Any) -> None:
        self._put(number, float(change["new"]))

    def _switch(self, number: int, change: Any) -> None:
        self._put(number, 1.0 if change["new"] else 0.0)

    def _put(self, number: int, weight: float) -> None:
        weights: Sequence[float] = self.state.weights
        self.set(weights=(*weights[:number], weight, *weights[number + 1 :]))


def branch_mixer(
    run: Run | Path | str,
    *,
    data: ReidDataset | str | None = None,
    data_root: Path | None = None,
    **state: Any,
) -> Switchboard:
    """Weigh the branches of a run, or switch them off; scores and ranks follow at once.

    Args:
        run: a run with several branches, or its folder.
        data: a dataset or its name; by default the one the run was trained on.
        data_root: where datasets lie, for a name.
        **state: fields of ``SwitchboardState`` to begin with.

    Raises:
        InputError: no such run or dataset, or a model of one branch.
    """
    subject = open_subject(run, data, data_root)
    state.setdefault("weights", (1.0,) * len(subject.run.model.widths))
    return Switchboard(subject, SwitchboardState(**state))
