"""Cards and networks in words, for captions: what a number or a map needs beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from viz.paper.published import title

if TYPE_CHECKING:
    from mfa.records import ReidDataset
    from mfa.retrieval.results import RetrievalResult
    from mfa.runs.run import Run

_UNSTATED = "not stated"

HIDDEN = " The top of each picture is coarsened."
"""What a caption adds where faces were to be hidden."""


def setting(card: Mapping[str, Any]) -> str:
    """Data, distance and rules as sentences; what the card does not state is left out."""
    data = _stated(card, "dataset")
    fingerprint = _stated(card, "fingerprint")
    first = [
        f"{data} (fingerprint {fingerprint[:12]})" if data and fingerprint else data,
        _stated(card, "split"),
        _stated(card, "protocol"),
        _prefixed("input ", _stated(card, "input_size")),
        {"True": "flip test", "False": "no flip test"}.get(str(card.get("flip")), ""),
    ]
    second = [
        _prefixed("distance ", _stated(card, "distance")),
        _prefixed("re-ranking: ", _stated(card, "reranking")),
        _stated(card, "filter"),
        _stated(card, "ap_rule"),
    ]
    left_out = card.get("left_out") or []
    third = [f"{len(left_out)} pictures could not be read and were left out" if left_out else ""]
    return _sentences(first, second, third)


def maker(card: Mapping[str, Any]) -> str:
    """What made the features: model, weights, training; without a capital or a full stop."""
    parts = [
        _prefixed("model ", _stated(card, "model")),
        _prefixed("weights ", _stated(card, "checkpoint")[:12]),
        _prefixed("", _stated(card, "epochs"), " epochs"),
        _prefixed("trained on ", _stated(card, "trained_on")),
        _prefixed("seed ", _stated(card, "seed")),
        _prefixed("mfa ", str(dict(card.get("versions") or {}).get("mfa", ""))),
    ]
    return ", ".join(part for part in parts if part)


def results(scored: Mapping[str, RetrievalResult]) -> str:
    """The figures of some results with their protocol, which is said once where they share it."""
    figures = []
    for name, result in scored.items():
        made = maker(result.card)
        figures.append(
            f"{name}: mAP {100 * result.mAP:.1f}, Rank-1 {100 * result.rank1:.1f}"
            f"{f' ({made})' if made else ''}"
        )
    settings = {
        name: f"{_counts(result)} {setting(result.card)}" for name, result in scored.items()
    }
    if len(set(settings.values())) == 1:
        return f"{'; '.join(figures)}. {next(iter(settings.values()))}"
    return " ".join(
        f"{figure}. {words}" for figure, words in zip(figures, settings.values(), strict=True)
    )


def weights(run: Run, data: ReidDataset | None = None) -> str:
    """Which weights looked at which pictures, for captions of maps and of trainings."""
    config = run.config
    size = f"{config.data.height}x{config.data.width}"
    trained = run.checkpoint.facts.get("dataset", "nothing")
    training = f"{run.checkpoint.epoch} epochs on {title(str(trained))}"
    if not run.checkpoint.epoch:
        training = "random, never trained"
    pictures = ""
    if data is not None:
        pictures = f"; pictures of {title(data.name)} (fingerprint {data.fingerprint[:12]})"
    return (
        f"Model {run.name} ({describe(run)}), weights {run.hash[:12]}, {training}, "
        f"seed {config.seed}, input {size}{pictures}."
    )


def attention(card: Mapping[str, Any]) -> str:
    """Which maps of which pictures were measured, from the card of ``mfa.measure_attention``."""
    return (
        f"Run {card['run']} (model {card['model']}, weights {card['checkpoint'][:12]}, "
        f"{card['epochs']} epochs, seed {card['seed']}); {card['pictures']:,} {card['split']} "
        f"pictures of {title(card['dataset'])} (fingerprint {card['fingerprint'][:12]}). "
        f"{card['method']} of {card['target']} on the {card['layer']} map, reference: "
        f"{card['reference']}. Intervals: {card['intervals']}."
    )


def describe(run: Run) -> str:
    """The network in a few words, telling the paper's literal form from our variants."""
    model = run.config.model
    if model.network != "mfa":
        from mfa.models.peers import find  # not at the top: it needs PyTorch

        unlike = find(model.network).unlike
        return f"the compared method {model.network}" + (f" ({unlike})" if unlike else "")
    if not model.branches:
        return f"{model.trunk}, one global branch"
    gate = {
        "none": "no gate, the literal reconstruction",
        "guided": "learned gate, ours",
        "anchored": "gate anchored to its stripe, ours: position is built in",
        "competing": "gates that share each pixel out between branches, ours: position is built in",
    }[model.gate]
    return f"{model.trunk}, {model.branches} branches, {gate}"


def _counts(result: RetrievalResult) -> str:
    dropped = len(result.dropped)
    counts = f"{len(result.counted):,} queries against {result.gallery:,} gallery pictures"
    return f"{counts}, {dropped:,} not counted." if dropped else f"{counts}."


def _sentences(*groups: list[str]) -> str:
    clauses = [", ".join(part for part in parts if part) for parts in groups]
    return " ".join(f"{clause[0].upper()}{clause[1:]}." for clause in clauses if clause)


def _stated(card: Mapping[str, Any], field: str) -> str:
    value = card.get(field)
    return "" if value is None or value == _UNSTATED else str(value)


def _prefixed(before: str, text: str, after: str = "") -> str:
    return f"{before}{text}{after}" if text else ""
