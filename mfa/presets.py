"""Complete configurations by name, and the variants of the network.

A preset is a function returning a frozen ``Config``; a variant changes what the paper's ablation
changes (branches, gate, guide, GLA) and nothing else, so that any preset can be run as any variant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal, get_args

from mfa.config import Config, DataConfig, ModelConfig, OptimConfig, derive
from mfa.errors import InputError

Variant = Literal["baseline", "branches", "paper", "guided", "anchored", "competing"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)

# The columns are model.gate, model.guide_pooling, loss.gla, loss.gla_weight, loss.warmup.
_FIELDS: dict[Variant, tuple[str, str, str, float, float]] = {
    "baseline": ("none", "gap", "off", 1.0, 0.0),
    "branches": ("none", "gap", "off", 1.0, 0.0),
    "paper": ("none", "gap", "mse", 1.0, 0.0),
    "guided": ("guided", "gem", "mse", 10.0, 1 / 3),
    "anchored": ("anchored", "gem", "mse", 1.0, 1 / 3),
    "competing": ("competing", "gem", "cosine", 1.0, 1 / 3),
}


def variant(config: Config, name: Variant) -> Config:
    """``config`` with the branches and GLA of a named variant.

    - ``baseline``: the trunk alone, no CPAA, no GLA [paper, Tables 2 and 3]; it pools by GeM
      [reconstructed].
    - ``branches``: four branches and CPAA as configured, GLA off [paper, Table 3].
    - ``paper``: the literal reconstruction: no gate, GAP guide, GLA from the first step.
    - ``guided`` (ours): learned gate, GeM guide, GLA weight 10, warmed up over a third.
    - ``anchored`` (ours): the gate starts at its stripe; its separation proves nothing about GLA.
    - ``competing`` (ours): anchored gates that share each pixel out between the branches, so that
      what the scores rest on parts as well. GLA by cosine: a competing branch is always shorter
      than its stripe's vector, and the mean square makes both grow without end.

    Raises:
        InputError: no such variant.
    """
    if config.model.network != "mfa":
        raise InputError(
            f"{config.model.network} has no variants; they are MFA's ({', '.join(VARIANTS)})"
        )
    if name not in _FIELDS:
        raise InputError(f"no variant {name!r}; there are {', '.join(VARIANTS)}")
    gate, guide, gla, weight, warmup = _FIELDS[name]
    model: dict[str, Any] = {"branches": 4, "gate": gate, "guide_pooling": guide}
    if name == "baseline":
        plain = ModelConfig()
        model |= {f: getattr(plain, f) for f in ("branch", "reduced_dim", "cpaa_affinity")}
        model |= {"branches": 0, "cpaa": ()}
    loss: dict[str, Any] = {"gla": gla, "gla_weight": weight, "warmup": warmup}
    return replace(
        config,
        name=f"{config.name.partition('/')[0]}/{name}",
        model=replace(config.model, **model),
        loss=replace(config.loss, **loss),
    )


def paper() -> Config:
    """The paper's recipe at full size, for a GPU: ResNet-50, 256x128, 16 x 4, 120 epochs."""
    return Config(name="paper", model=ModelConfig(weights="imagenet"))


def guided() -> Config:
    """``paper`` with the learned gate and GeM guides (ours)."""
    return replace(variant(paper(), "guided"), name="guided")


def anchored() -> Config:
    """``paper`` with gates that start at their stripes (ours)."""
    return replace(variant(paper(), "anchored"), name="anchored")


def baseline() -> Config:
    """The paper's baseline: the trunk alone, one GeM branch."""
    return replace(variant(paper(), "baseline"), name="baseline")


ADAMW: dict[str, Any] = {"optimizer": "adamw", "weight_decay": 0.01, "schedule": "cosine"}
"""How the presets for CPUs learn."""


def cpu() -> Config:
    """Real data on two cores: half-width ResNet-18 from random weights, 128x64, 20 epochs."""
    config = Config(
        name="cpu",
        model=ModelConfig(trunk="resnet18", width=32),
        data=DataConfig(height=128, width=64, pad=5),
        optim=OptimConfig(**ADAMW, lr=1e-3, epochs=20, warmup_epochs=2),
    )
    return variant(config, "anchored")


def demo() -> Config:
    """The synthetic set on two cores in minutes: a tiny trunk with a fine map, 96x48.

    A short training from random weights wants a high rate and whole pictures: on the baseline,
    3e-3 instead of 1e-3 gave 11 mAP more, no erasing another 6. The variant is the one that
    measured best on this set, see docs/branches.md.
    """
    config = Config(
        name="demo",
        model=ModelConfig(trunk="resnet10", width=24, stride=8),
        data=DataConfig(height=96, width=48, pids=8, pad=4, erasing=0.0),
        optim=OptimConfig(**ADAMW, lr=3e-3, epochs=16, warmup_epochs=1),
    )
    return variant(config, "anchored")


def tiny() -> Config:
    """The network of the weights ``mfa-tiny``, and how it goes on to learn other people.

    Start it with ``init=open_run("mfa-tiny")`` (``--init mfa-tiny``), which gives the branches too.
    The first stages stay as they are, which halves the work; two epochs of the drawn people take a
    minute or two. GLA keeps the branches in order, see docs/branches.md.
    """
    config = variant(cpu(), "competing")
    return replace(
        config,
        name="tiny",
        model=replace(config.model, trunk="osnet_lct", width=64, weights="mfa-tiny"),
        loss=replace(config.loss, gla_weight=2.0),
        data=replace(config.data, height=192, width=96, pad=8, pids=8, erasing=0.0),
        optim=replace(
            config.optim,
            lr=1e-3,
            trunk_rate=0.5,
            frozen=("trunk.stem", "trunk.layer1"),
            epochs=2,
            warmup_epochs=0.5,
        ),
    )


def distilled(config: Config) -> Config:
    """``config`` learning from a teacher, without labels; a network with branches keeps its GLA.

    Rate and batch are those that gave most for the minutes, see docs/distillation.md. The network
    itself stays as it is.
    """
    return replace(
        config,
        name=f"{config.name}/distilled",
        loss=replace(config.loss, id_weight=0.0, triplet_weight=0.0, center_weight=0.0),
        data=replace(config.data, sampling="shuffled", erasing=0.25),
        optim=replace(config.optim, **ADAMW, lr=4e-3, epochs=50, warmup_epochs=3),
    )


PRESETS: dict[str, Callable[[], Config]] = {
    f.__name__: f for f in (paper, guided, anchored, baseline, cpu, tiny, demo)
}


def peer(config: Config, name: str) -> Config:
    """``config`` with a compared method in MFA's place, trained as its paper trains it.

    Trunk, width, input size and budget stay; what the method's own recipe states is changed, see
    its file in ``mfa/models/peers``.

    Raises:
        InputError: no such method.
    """
    from mfa.models.peers import find

    plain = variant(config, "baseline")
    method = find(name)
    own = {"model.network": name, "model.trunk": method.trunk(config.model.trunk)}
    changed = derive(plain, {"model.pooling": "gap", **own, **method.recipe})
    return replace(changed, name=f"{config.name.partition('/')[0]}/{name}")


def get(name: str) -> Config:
    """The preset called ``name``: one of ``PRESETS``, or a compared method.

    ``agw`` is that method at the size and with the recipe of its paper; ``agw-demo`` or
    ``agw-cpu`` gives it the trunk and the budget of the preset behind the hyphen.
    """
    if name in PRESETS:
        return PRESETS[name]()
    from mfa.models.peers import find, names

    method, _, base = name.partition("-")
    if method not in names() or (base and base not in PRESETS):
        raise InputError(
            f"no preset {name!r}; there are {', '.join(PRESETS)}, the compared methods "
            f"{', '.join(names())}, and those with a budget, such as agw-demo"
        )
    if base:
        return peer(PRESETS[base](), method)
    full = peer(paper(), method)
    return replace(derive(full, dict(find(method).full)), name=method)
