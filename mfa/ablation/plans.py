"""What to compare: named rows, each a whole configuration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mfa import presets
from mfa.config import Config, derive
from mfa.errors import InputError
from mfa.files import read_json
from mfa.presets import variant


@dataclass(frozen=True)
class Row:
    """One row of a table: what it is called there and what is trained."""

    name: str
    config: Config


def variants(base: Config) -> list[Row]:
    """Baseline, branches without GLA, and the three variants with it."""
    return [Row(name, variant(base, name)) for name in presets.VARIANTS]


def default(base: Config) -> list[Row]:
    """The base as it is against its baseline."""
    return [Row("baseline", variant(base, "baseline")), Row(base.name, base)]


def table2(base: Config) -> list[Row]:
    """Where CPAA goes, on the baseline [paper, Table 2]: none, then layer after layer."""
    trunk = variant(base, "baseline")
    places = {"Baseline": (), "+ Layer2": (2,), "+ Layer2, 3": (2, 3), "+ Layer2, 3, 4": (2, 3, 4)}
    return [Row(name, derive(trunk, {"model.cpaa": at})) for name, at in places.items()]


def table3(base: Config) -> list[Row]:
    """Which modules help [paper, Table 3]: CPAA, local branches and GLA in six combinations.

    GLA acts through the branches of the base's own variant.
    """
    trunk, everywhere = variant(base, "baseline"), {"model.cpaa": (2, 3, 4)}
    full = derive(base, everywhere)
    plain, silent = {"model.cpaa": ()}, {"loss.gla": "off"}
    return [
        Row("Baseline", trunk),
        Row("+ CPAA", derive(trunk, everywhere)),
        Row("+ Branches", derive(full, {**plain, **silent})),
        Row("+ CPAA + Branches", derive(full, silent)),
        Row("+ Branches + GLA", derive(full, plain)),
        Row("+ CPAA + Branches + GLA", full),
    ]


def modules(base: Config) -> list[Row]:
    """What each module gives, GLA in its three forms [after the paper's Table 3]."""
    trunk, everywhere, plain = (
        variant(base, "baseline"),
        {"model.cpaa": (2, 3, 4)},
        {"model.cpaa": ()},
    )
    anchored = variant(base, "anchored")
    return [
        Row("Baseline", trunk),
        Row("+ CPAA", derive(trunk, everywhere)),
        Row("+ Branches", derive(variant(base, "branches"), plain)),
        Row("+ Branches + GLA (paper)", derive(variant(base, "paper"), plain)),
        Row("+ Branches + GLA (guided)", derive(variant(base, "guided"), plain)),
        Row("+ Branches + GLA (anchored)", derive(anchored, plain)),
        Row("+ CPAA + Branches + GLA (anchored)", derive(anchored, everywhere)),
    ]


def gate_and_gla(base: Config, gated: presets.Variant = "guided") -> list[Row]:
    """The 2 x 2 of gate and GLA, with the gate of ``gated``: what separates the branches?"""
    full = variant(base, gated)
    gates = {"off": {"model.gate": "none"}, "on": {}}
    losses = {"off": {"loss.gla": "off"}, "on": {}}
    return [
        Row(f"gate {gate}, GLA {gla}", derive(full, {**no_gate, **no_gla}))
        for gate, no_gate in gates.items()
        for gla, no_gla in losses.items()
    ]


def switches(base: Config) -> list[Row]:
    """Each reconstructed choice changed alone, on the literal variant."""
    literal = variant(base, "paper")
    changes: dict[str, dict[str, object]] = {
        "literal": {},
        "plain channel softmax": {"model.cpaa_affinity": "plain"},
        "GLA by cosine": {"loss.gla": "cosine"},
        "GLA weight 10": {"loss.gla_weight": 10.0},
        "GLA not detached": {"loss.gla_detach": False},
        "256-d branches": {"model.branch": "reduce"},
        "other stride": {"model.stride": 24 - base.model.stride},
    }
    return [Row(name, derive(literal, change)) for name, change in changes.items()]


COMPARED = ("bagtricks", "agw", "osnet", "mgn", "pcb")
"""The methods the paper draws beside MFA, and their base."""


def peers(base: Config) -> list[Row]:
    """The paper's main compared methods and the base, at the base's trunk, input and budget."""
    return [Row(name, presets.peer(base, name)) for name in COMPARED] + [Row("MFA", base)]


PLANS: dict[str, Callable[[Config], list[Row]]] = {
    "default": default,
    "variants": variants,
    "table2": table2,
    "table3": table3,
    "modules": modules,
    "gate-and-gla": gate_and_gla,
    "competing-and-gla": lambda base: gate_and_gla(base, "competing"),
    "switches": switches,
    "peers": peers,
}


def load_plan(name: str, base: Config) -> list[Row]:
    """The plan called ``name``, or read from a JSON file.

    A file holds ``{"rows": {"row name": {"model.branches": 2, ...}, ...}}``: what each row changes
    of ``base``; with ``"preset": "demo"`` it names its own base.

    Raises:
        InputError: no such plan or file, or a field that does not exist.
    """
    if name in PLANS:
        return PLANS[name](base)
    path = Path(name)
    if not path.is_file():
        raise InputError(f"no plan or file {name!r}; plans are {', '.join(PLANS)}")
    content = read_json(path)
    try:
        start = presets.get(content["preset"]) if "preset" in content else base
        rows = [Row(row, derive(start, changes)) for row, changes in content["rows"].items()]
    except (KeyError, AttributeError, TypeError) as error:
        raise InputError(
            f'{path} is no plan ({error!r}); write {{"rows": {{"name": {{"model.branches": 2}}}}}}'
        ) from error
    if not rows:
        raise InputError(f"{path} has no rows")
    return rows
