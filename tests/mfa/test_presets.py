from __future__ import annotations

from dataclasses import replace

import pytest

from mfa import presets
from mfa.config import Config
from mfa.errors import InputError
from mfa.presets import PRESETS, VARIANTS, Variant, variant


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_called_what_they_are(name: str) -> None:
    assert presets.get(name).name.partition("/")[0] == name
    assert presets.get(name) == presets.get(name)


def test_unknown_names_are_answered_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"no preset 'papr'; there are paper, guided, anchored"):
        presets.get("papr")
    with pytest.raises(InputError, match=r"no variant 'gated'; there are baseline, branches"):
        variant(Config(), "gated")  # type: ignore[arg-type]


def test_the_paper_preset_is_the_papers_recipe() -> None:
    config = presets.paper()
    assert (config.data.height, config.data.width) == (256, 128)
    assert (config.data.pids, config.data.images) == (16, 4)
    assert (config.data.flip, config.data.pad, config.data.erasing) == (0.5, 10, 0.5)
    optim = config.optim
    assert (optim.optimizer, optim.lr, optim.weight_decay) == ("adam", 3.5e-4, 5e-4)
    assert (optim.epochs, optim.warmup_epochs, optim.milestones) == (120, 10, (40, 70))
    loss = config.loss
    assert (loss.label_smoothing, loss.center_weight, loss.center_rate) == (0.1, 5e-4, 0.5)
    assert (config.model.trunk, config.model.weights, config.model.stride) == (
        "resnet50",
        "imagenet",
        16,
    )


@pytest.mark.parametrize(
    ("name", "branches", "gate", "guide", "gla", "weight", "warmup"),
    [
        ("baseline", 0, "none", "gap", "off", None, 0),
        ("branches", 4, "none", "gap", "off", None, 0),
        ("paper", 4, "none", "gap", "mse", 1, 0),
        ("guided", 4, "guided", "gem", "mse", 10, 1 / 3),
        ("anchored", 4, "anchored", "gem", "mse", 1, 1 / 3),
        ("competing", 4, "competing", "gem", "mse", 1, 1 / 3),
    ],
)
def test_variants_are_those_of_the_design(
    name: Variant,
    branches: int,
    gate: str,
    guide: str,
    gla: str,
    weight: float | None,
    warmup: float,
) -> None:
    made = variant(presets.demo(), name)
    assert (made.model.branches, made.model.gate, made.model.guide_pooling) == (
        branches,
        gate,
        guide,
    )
    assert (made.loss.gla, made.loss.warmup) == (gla, warmup)
    assert weight is None or made.loss.gla_weight == weight
    assert made.model.cpaa == (() if name == "baseline" else presets.demo().model.cpaa)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_changes_nothing_but_what_it_names(preset: str, name: Variant) -> None:
    config = presets.get(preset)
    made = variant(config, name)
    model, loss = made.model, made.loss
    undone = replace(
        made,
        name=config.name,
        model=replace(
            model,
            branches=config.model.branches,
            gate=config.model.gate,
            guide_pooling=config.model.guide_pooling,
            cpaa=config.model.cpaa,
        ),
        loss=replace(
            loss,
            gla=config.loss.gla,
            gla_weight=config.loss.gla_weight,
            warmup=config.loss.warmup,
        ),
    )
    assert undone == config
    assert variant(made, name) == made
    assert made.name == f"{preset}/{name}"


def test_named_presets_are_the_paper_as_a_variant() -> None:
    for name in ("guided", "anchored", "baseline"):
        assert presets.get(name) == replace(variant(presets.paper(), name), name=name)
    assert replace(variant(presets.paper(), "paper"), name="paper") == presets.paper()
