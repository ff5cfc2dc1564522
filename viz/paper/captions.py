"""Words beside figures: a caption states the protocol in one sentence, the details go apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from viz.paper.published import title

if TYPE_CHECKING:
    from mfa.records import ReidDataset
    from mfa.retrieval.results import RetrievalResult
    from mfa.runs.run import Run

HIDDEN = " The top of each picture is coarsened."
"""What a caption adds where faces were to be hidden."""


class Words(NamedTuple):
    """What is printed below a figure, and what only needs to be kept with it."""

    caption: str
    details: str


def results(scored: Mapping[str, RetrievalResult]) -> Words:
    """The figures of some results with their protocol, which stands once where they share it."""
    printed, kept, protocols, settings = [], [], [], []
    for name, result in scored.items():
        printed.append(f"{name}: mAP {100 * result.mAP:.1f}, Rank-1 {100 * result.rank1:.1f}")
        by = maker(result.card)
        kept.append(f"{printed[-1]} ({by})" if by else printed[-1])
        protocols.append(protocol(result))
        settings.append(f"{counts(result)}. {setting(result.card)}")
    return Words(_together(printed, protocols), _together(kept, settings))


def _together(figures: list[str], rules: list[str]) -> str:
    if len(set(rules)) == 1:
        return f"{'; '.join(figures)}. {rules[0]}"
    return " ".join(f"{own}. {words}" for own, words in zip(figures, rules, strict=True))


def protocol(result: RetrievalResult) -> str:
    """How a result was scored, in one sentence."""
    card = result.card
    data = _stated(card, "dataset")
    stated = _clause(
        _prefixed("distance: ", _stated(card, "distance").partition(":")[0]),
        _prefixed("re-ranking: ", _stated(card, "reranking")),
        "flip test" if card.get("flip") is True else "",
    )
    where = f" of {title(data)}" if data else ""
    return f"{counts(result)}{where} ({stated}); {card['filter']}."


def counts(result: RetrievalResult) -> str:
    """How many queries were scored against how many pictures."""
    dropped = len(result.dropped)
    words = f"{len(result.counted):,} queries against {result.gallery:,} gallery pictures"
    return f"{words}, {dropped:,} not counted" if dropped else words


def setting(card: Mapping[str, Any]) -> str:
    """Data, distance and rules as sentences; what the card does not state is left out."""
    data = _stated(card, "dataset")
    fingerprint = _stated(card, "fingerprint")
    left_out = card.get("left_out") or []
    clauses = (
        _clause(
            f"{data} (fingerprint {fingerprint[:12]})" if data and fingerprint else data,
            _stated(card, "split"),
            _stated(card, "protocol"),
            _prefixed("input ", _stated(card, "input_size")),
            {"True": "flip test", "False": "no flip test"}.get(str(card.get("flip")), ""),
        ),
        _clause(
            _prefixed("distance ", _stated(card, "distance")),
            _prefixed("re-ranking: ", _stated(card, "reranking")),
            _stated(card, "filter"),
            _stated(card, "ap_rule"),
        ),
        f"{len(left_out)} pictures could not be read and were left out" if left_out else "",
    )
    return " ".join(f"{clause[0].upper()}{clause[1:]}." for clause in clauses if clause)


def maker(card: Mapping[str, Any]) -> str:
    """What made the features: model, weights, training; without a capital or a full stop."""
    epochs = _stated(card, "epochs")
    return _clause(
        _prefixed("model ", _stated(card, "model")),
        _prefixed("weights ", _stated(card, "checkpoint")[:12]),
        f"{epochs} epochs" if epochs else "",
        _prefixed("trained on ", _stated(card, "trained_on")),
        _prefixed("seed ", _stated(card, "seed")),
        _prefixed("mfa ", str(dict(card.get("versions") or {}).get("mfa", ""))),
    )


def weights(run: Run, data: ReidDataset | None = None) -> Words:
    """Which weights looked at which pictures, for captions of maps and of trainings."""
    config = run.config
    trained = run.checkpoint.facts.get("dataset", "nothing")
    training = f"{run.checkpoint.epoch} epochs on {title(str(trained))}"
    if not run.checkpoint.epoch:
        training = "random weights, never trained"
    made = f"Model {run.name} ({describe(run)})"
    pictures = "" if data is None else f"; pictures of {title(data.name)}"
    fingerprint = "" if data is None else f" (fingerprint {data.fingerprint[:12]})"
    return Words(
        f"{made}, {training}{pictures}.",
        f"{made}, weights {run.hash[:12]}, {training}, seed {config.seed}, input "
        f"{config.data.height}x{config.data.width}{pictures}{fingerprint}.",
    )


def attention(card: Mapping[str, Any]) -> Words:
    """Which maps of which pictures were measured, from the card of ``mfa.measure_attention``."""
    pictures = f"{card['pictures']:,} {card['split']} pictures of {title(card['dataset'])}"
    how = f"{card['method']} of {card['target']} on the {card['layer']} map"
    reference = f"reference: {card['reference']}"
    return Words(
        f"Run {card['run']}, {pictures}, {how}, {reference}; intervals: {card['intervals']}.",
        f"Run {card['run']} (model {card['model']}, weights {card['checkpoint'][:12]}, "
        f"{card['epochs']} epochs, seed {card['seed']}); {pictures} (fingerprint "
        f"{card['fingerprint'][:12]}). {how}, {reference}. Intervals: {card['intervals']}.",
    )


def describe(run: Run) -> str:
    """The network in a few words, with what tells the paper's literal form from our variants."""
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


def _stated(card: Mapping[str, Any], field: str) -> str:
    value = card.get(field)
    return "" if value in (None, "not stated") else str(value)


def _prefixed(before: str, text: str) -> str:
    return f"{before}{text}" if text else ""


def _clause(*parts: str) -> str:
    """The parts that are not empty, with commas between."""
    return ", ".join(filter(None, parts))
