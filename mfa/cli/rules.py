"""How a ranking is made and counted: options of a run's scoring and of a feature file's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from mfa.cli.options import Seed, Within, say
from mfa.processes import ALONE, ProcessGroup
from mfa.progress import Progress, part_of, reporting

if TYPE_CHECKING:
    from mfa.records import Features, FeatureSet
    from mfa.retrieval.distances import Distances, Metric
    from mfa.retrieval.protocols import DrawnResult
    from mfa.retrieval.results import RetrievalResult


@dataclass(frozen=True)
class Rules:
    """The rules of one scoring; the defaults are the standard protocol."""

    no_camera: bool = False
    """Apply no camera filter. By default gallery pictures of the query's person by the query's
    own camera are left out."""
    single_shot: bool = False
    """Draw one gallery picture per identity, many times, and average."""
    draws: Annotated[int, Within(2, 10_000)] = 100
    """How many draws of --single-shot."""
    seed: Seed = 0
    """Seed of the draws, and of the intervals."""
    distance: Literal["cosine", "euclidean"] = "cosine"
    """How features are compared."""
    rerank: bool = False
    """k-reciprocal re-ranking (Zhong et al. 2017); says first what memory it needs."""
    k1: Annotated[int, Within(1, 10_000)] = 20
    """Re-ranking: size of the neighbourhoods."""
    k2: Annotated[int, Within(1, 10_000)] = 6
    """Re-ranking: neighbours averaged."""
    original_weight: float = 0.3
    """Re-ranking: share of the original distance (lambda)."""

    @property
    def shared(self) -> bool:
        """Whether several processes can share the queries: each is then ranked by itself."""
        return not (self.single_shot or self.rerank)

    @property
    def suffix(self) -> str:
        """What tells a result's file from that of the standard protocol."""
        camera, shot = "-no-camera" * self.no_camera, "-single-shot" * self.single_shot
        distance = "" if self.distance == "cosine" else f"-{self.distance}"
        return camera + shot + distance + "-rerank" * self.rerank


def scored(
    features: Features, rules: Rules, ranks: ProcessGroup = ALONE
) -> RetrievalResult | DrawnResult:
    """Rank and count; says on stderr what re-ranking needs, what to doubt, what is dropped.

    ``ranks`` share the queries where the rules let them (see ``Rules.shared``).
    """
    from mfa.retrieval.gallery import COUNTED
    from mfa.retrieval.metrics import score
    from mfa.retrieval.protocols import single_shot

    result: RetrievalResult | DrawnResult
    with reporting(ranks.writes, "scoring") as progress:
        how: dict[str, Any] = {
            "camera_filter": not rules.no_camera,
            "distance": _distances(features, rules, part_of(progress, 0, 0.7)),
            "progress": part_of(progress, 0.7 * rules.rerank, 1),
        }
        if rules.single_shot:
            result = single_shot(features, draws=rules.draws, seed=rules.seed, **how)
        else:
            result = score(features, ranks=ranks, **how)
    for sentence in result.card["doubts"]:
        say(sentence)
    status = result.per_query["status"]
    dropped = status[status != COUNTED].tolist()
    if dropped:
        say(f"{len(dropped)} of {len(status)} queries are dropped; the first: {dropped[0]}")
    return result


def in_percent(
    result: RetrievalResult | DrawnResult, rules: Rules, intervals: int = 1000
) -> dict[str, Any]:
    """The figures and the card, JSON-able; ``intervals`` bootstrap draws where none are drawn."""
    from mfa.retrieval.protocols import DrawnResult

    drawn = {} if isinstance(result, DrawnResult) else {"draws": intervals, "seed": rules.seed}
    return {**result.summary(percent=True, **drawn), "card": result.card}


def table(summary: dict[str, Any]) -> list[str]:
    """The figures as lines of text, with what makes up the protocol."""
    card = summary["card"]
    intervals = summary.get("interval", {})
    lines = []
    for name, value in summary.items():
        if name.startswith(("rank", "mAP", "mINP")) and not name.endswith("_spread"):
            line = f"{name:14}{value:7.2f} %"
            if f"{name}_spread" in summary:
                line += f"   spread of draws {summary[f'{name}_spread']:.2f}"
            if name in intervals:
                line += "   95 % interval {:.2f} to {:.2f}".format(*intervals[name])
            lines.append(line)
    lines.append(
        f"{summary['queries']} queries, {summary['dropped_queries']} dropped; "
        f"{summary['gallery']} gallery pictures, {card['junk']} of them junk"
    )
    if intervals:
        lines.append(f"intervals: bootstrap over {summary['interval_over']}")
    fields = ("query_protocol", "protocol", "filter", "distance", "reranking")
    return lines + [f"{name.replace('_', ' ')}: {card[name]}" for name in fields]


def _distances(features: Features, rules: Rules, progress: Progress) -> Distances:
    from mfa.retrieval.metrics import make_distances
    from mfa.retrieval.rerank import ReciprocalDistances, memory_need

    if not rules.rerank:
        return make_distances(features, rules.distance)
    sides = len(features.query), len(features.gallery)
    need = memory_need(*sides, features.gallery.features.shape[1], k1=rules.k1, k2=rules.k2)
    say(
        f"re-ranking will need about {_size(need.likely)} of memory beside the features, at most "
        f"{_size(need.most)} (one matrix of all pairs would be {_size(need.dense)})"
    )
    return ReciprocalDistances(
        features,
        k1=rules.k1,
        k2=rules.k2,
        original_weight=rules.original_weight,
        metric=rules.distance,
        progress=progress,
    )


def _size(need: int) -> str:
    return f"{need / 2**30:.2f} GiB" if need >= 2**29 else f"{need / 2**20:.1f} MiB"


def write_ranking(
    query: FeatureSet, gallery: FeatureSet, file: Path, k: int, distance: Metric
) -> None:
    """Write the ``k`` nearest gallery pictures of every query as CSV; no label is read."""
    from mfa.files import csv_text, write_atomically
    from mfa.retrieval.nearest import ranking_list

    with reporting(True, "ranking") as progress:
        ranked = ranking_list(query, gallery, k, distance=distance, progress=progress)
    write_atomically(file, csv_text(ranked))
    say(f"the {k} nearest of {len(query)} queries are in {file}; nothing was scored")
