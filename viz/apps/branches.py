"""Branch mixer: weigh the branches or switch them off, and see what the scores become."""

from __future__ import annotations

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
from viz.apps.core.code import opening
from viz.apps.core.rank_row import RankRow, ranked
from viz.apps.core.session import Session, Setting, open_session
from viz.apps.core.worker import Job
from viz.apps.widgets import Cards

MOST = 4 * 2**30
"""Bytes of products kept; above that a change is a matrix product again."""


@dataclass(frozen=True)
class MixerState:
    """What the app shows.

    Attributes:
        weights: of every branch, in descriptor order; 0 leaves a branch out; empty: all 1.
        query: position in the query list of the query whose ranks are shown.
        k: ranks shown.
        camera_filter: as of scoring.
    """

    weights: tuple[float, ...] = ()
    query: int = 0
    k: int = 10
    camera_filter: bool = True


@dataclass(frozen=True)
class Shown:
    """The scored retrieval by the weights, by the descriptor as trained, and a query's ranks."""

    weighted: RetrievalResult
    trained: RetrievalResult
    row: RankRow
    query: int | None


class Mixer(app.App[MixerState, Shown]):
    """See ``viz.branch_mixer``."""

    name = "branches"
    heading = "Branch mixer: what is each branch worth?"

    def __init__(self, session: Session, state: MixerState) -> None:
        super().__init__(state)
        self.session = session
        self.names = list(session.run.model.widths)
        if len(self.names) < 2:
            raise InputError(
                f"{session.run.name} has one branch only; the mixer needs a network of several"
            )
        self.sliders = [controls.slider(name, 0.0, 2.0, 0.05) for name in self.names]
        self.switches = [controls.tick(f"{name} on") for name in self.names]
        self.query = controls.number("Query", 0, len(session.data.query) - 1)
        self.reset = controls.button("Reset weights", "Every branch as trained")
        self.camera_filter = controls.tick("Ignore same person, same camera (standard)")
        self.numbers, self.curve = ipywidgets.HTML(), ipywidgets.HTML()
        self.grid = Cards()
        for number, pair in enumerate(zip(self.sliders, self.switches, strict=True)):
            for control in pair:  # a switch that is on stands for 1
                self.on(control, partial(self._weigh, number))
        self.bind("query", self.query)
        self.bind("camera_filter", self.camera_filter)
        self.click(self.reset, lambda: self.set(weights=()))
        title = controls.title("Weights of the branches")
        pairs = [ipywidgets.VBox(pair) for pair in zip(self.sliders, self.switches, strict=True)]
        ranks = [controls.title("Ranks of"), self.query, self.camera_filter]
        self.start([title, *pairs, self.reset, *ranks], self.numbers, self.curve, self.grid)

    def render(self, state: MixerState, job: Job) -> Shown:
        """Score the weighted descriptor."""
        products = self.session.cached("products", lambda: self._products(job))
        job.check()
        weights = self._named(state.weights)
        result = score(
            products.weighted_features(weights),
            camera_filter=state.camera_filter,
            distance=products.weighted(weights),
        )
        progress = partial(job.progress, words="scoring as trained")
        trained = self.session.result(Setting(camera_filter=state.camera_filter), progress)
        query = self.session.query(state.query)
        return Shown(result, trained, ranked(self.session, result, query, state.k), query.row)

    def show(self, state: MixerState, shown: Shown) -> None:
        """Numbers against the descriptor as trained, the CMC curve, the grid."""
        result, whole, row = shown.weighted, shown.trained, shown.row
        weights = self._named(state.weights).values()
        for slider, switch, weight in zip(self.sliders, self.switches, weights, strict=True):
            slider.value, switch.value = weight, weight > 0
        names = {"mAP": "mAP", "Rank-1": "rank1", "Rank-5": "rank5", "mINP": "mINP"}
        values = {name: getattr(result, field) for name, field in names.items()}
        changes = {name: value - getattr(whole, names[name]) for name, value in values.items()}
        count = (
            f"<div class='mfa-note'>Over all {len(result.counted):,} counted queries. Small: "
            "against the descriptor as trained.</div>"
        )
        self.numbers.value = count + html.figures(
            {name: f"{100 * value:.1f} %" for name, value in values.items()},
            {name: f"{100 * change:+.1f}" for name, change in changes.items()},
        )
        lines = {"as trained": whole.cmc[:20].tolist(), "as weighted": result.cmc[:20].tolist()}
        lowest = min(min(values) for values in lines.values())
        self.curve.value = html.curves(
            lines, "rank", "share of queries with a match (CMC)", low=int(5 * lowest) / 5
        )
        self.grid.put(row.images, row.items, label=row.label)

    def code(self) -> str:
        """See ``App.code``."""
        state, lines = self.state, opening([self.session])
        if self.shown is None:
            return lines
        return lines + (
            "features = mfa.extract_features(run, data)\n"
            f"weights = {self._named(state.weights)!r}\n"
            f"result = mfa.score_branches(features, weights, camera_filter={state.camera_filter})\n"
            f"viz.draw_rank_grid(result, data, [{self.shown.query}], k={state.k})\n"
        )

    def _named(self, weights: tuple[float, ...]) -> dict[str, float]:
        """Weights by branch; all 1 where none are given."""
        given = weights or (1.0,) * len(self.names)
        if len(given) != len(self.names):
            raise InputError(f"{len(given)} weights for {len(self.names)} branches")
        return dict(zip(self.names, given, strict=True))

    def _products(self, job: Job) -> BranchProducts:
        describing = partial(job.progress, words="describing pictures")
        features = self.session.features(progress=describing)
        if bytes_needed(features) > MOST:
            raise InputError(
                f"{len(features.query):,} queries against {len(features.gallery):,} pictures are "
                "too many to weigh live",
                "use mfa.score_branches in a script",
            )
        return BranchProducts(features, partial(job.progress, words="comparing branch by branch"))

    def _weigh(self, number: int, change: Any) -> None:
        weights = list(self._named(self.state.weights).values())
        weights[number] = float(change["new"])
        self.set(weights=tuple(weights))


def branch_mixer(
    run: Run | Path | str,
    *,
    data: ReidDataset | str | None = None,
    data_root: Path | str | None = None,
    device: str | None = None,
    precision: str | None = None,
    **state: Any,
) -> Mixer:
    """Weigh the branches of a run, or switch them off; scores and ranks follow at once.

    Args:
        run: a run with several branches, or its folder.
        data: a dataset or its name; by default the one that the run was trained on.
        data_root: where datasets lie, for a name.
        device: where the network computes; see ``mfa.open_run``.
        precision: of the network; see ``mfa.open_run``.
        **state: fields of ``MixerState`` to begin with.

    Raises:
        InputError: no such run or dataset, or a network of one branch.
    """
    session = open_session(run, data, data_root, device=device, precision=precision)
    return Mixer(session, MixerState(**state))
