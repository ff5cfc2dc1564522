"""What the paper's figures and tables are made from: runs, datasets on disk, results, options."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from matplotlib.figure import Figure

from mfa.cli.models import free
from mfa.datasets import LAYOUTS, load_dataset
from mfa.errors import InputError
from mfa.inference.evaluate import evaluate, resolve
from mfa.progress import remark
from mfa.records import ReidDataset
from mfa.retrieval.results import RetrievalResult
from mfa.runs.run import Run
from viz.paper import captions
from viz.paper.published import DATA


@dataclass(frozen=True)
class CaptionedFigure:
    """One figure, ready to be written.

    Attributes:
        figure: the picture.
        caption: what it shows, with the protocol in one sentence.
        details: what only needs to be kept with it: fingerprints, weights, versions.
    """

    figure: Figure
    caption: str
    details: str = ""


@dataclass(frozen=True)
class PaperInputs:
    """The material of one call.

    Attributes:
        runs: figures of a single model show the first one.
        data: dataset of the figures; ``None``: the one the first run was trained on.
        data_root: where datasets lie.
        results: folder of measured rows.
        width: of the figures, a column's name.
        queries: positions of the queries that figures 4, 6 and 7 show; empty chooses some.
        k: ranks of figure 6.
        method: weighting of the maps, a name of pytorch-grad-cam.
        reference: gallery pictures whose mean map is taken off the maps; 0 takes nothing off.
        blur_faces: coarsen the top fifth of every picture.
        significance: mark measured numbers of tables 2 and 3 with the stars of their test.
    """

    runs: Sequence[Run]
    data: str | None = None
    data_root: Path | None = None
    results: Path = DATA / "results"
    width: str = "double"
    queries: tuple[int, ...] = ()
    k: int = 10
    method: str = "HiResCAM"
    reference: int = 32
    blur_faces: bool = False
    significance: bool = False
    _scored: dict[tuple[int, str], RetrievalResult] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not self.runs:
            raise InputError("figures need a run; name one with --run")

    @cached_property
    def dataset(self) -> ReidDataset:
        """The dataset of figures 4, 6 and 7.

        Raises:
            InputError: nothing says which, or it is not on disk.
        """
        return resolve(self.runs[0], self.data, self.data_root)

    @cached_property
    def present(self) -> dict[str, ReidDataset]:
        """Every dataset on disk, by name, in the order of the paper."""
        found: dict[str, ReidDataset] = {}
        for name in LAYOUTS:
            if name != "folder":  # anything is a folder; it is shown when asked for by name
                with suppress(InputError):
                    found[name] = load_dataset(name, self.data_root)
        return found

    def partial(self) -> ReidDataset:
        """The set of occluded or cropped people for figure 5.

        Raises:
            InputError: none is on disk.
        """
        for name in ("partial_reid_occluded", "partial_reid", "synthetic_partial_occluded"):
            if name in self.present:
                return self.present[name]
        raise InputError(
            "no partial dataset is on disk; put partial_reid in place, or make one: "
            "mfa data make synthetic_partial"
        )

    @cached_property
    def named(self) -> dict[str, Run]:
        """The runs by name."""
        return by_name(self.runs)

    def result(self, run: Run, data: ReidDataset) -> RetrievalResult:
        """A run scored on a dataset, once."""
        key = (id(run), data.fingerprint)
        if key not in self._scored:
            remark(f"scoring {run.name} on {data.name} ...")
            self._scored[key] = evaluate(run, data)
        return self._scored[key]

    def hashes(self, *, rows: bool) -> dict[str, str]:
        """Hashes of the runs and the datasets that were read; with ``rows``, of measured rows."""
        read = {"dataset": self.dataset} if "dataset" in vars(self) else {}
        read |= vars(self).get("present", {})
        return {
            **{f"run {name}": run.hash for name, run in self.named.items()},
            **{f"dataset {data.name}": data.fingerprint for data in read.values()},
            **{
                f"rows {path.name}": hashlib.sha256(path.read_bytes()).hexdigest()[:16]
                for path in sorted(self.results.glob("*.csv"))
                if rows
            },
        }

    def protocol(self, data: ReidDataset) -> captions.Words:
        """Each run's figures and protocol on a dataset."""
        return captions.results({name: self.result(run, data) for name, run in self.named.items()})


def by_name(runs: Iterable[Run]) -> dict[str, Run]:
    """Runs by name; runs of two folders may be called alike and stay apart."""
    found: dict[str, Run] = {}
    for run in runs:
        found[free(run.name, found)] = run
    return found
