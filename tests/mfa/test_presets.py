from __future__ import annotations

from dataclasses import replace
from operator import attrgetter

import pytest

from mfa import presets
from mfa.config import Config, derive
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


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_changes_nothing_but_what_it_names(preset: str, name: Variant) -> None:
    config = presets.get(preset)
    made = variant(config, name)
    fields = ("model.branches", "model.gate", "model.guide_pooling", "model.cpaa")
    fields += ("loss.gla", "loss.gla_weight", "loss.warmup")
    old = {field: attrgetter(field)(config) for field in fields}
    assert derive(made, {**old, "name": config.name}) == config
    assert variant(made, name) == made
    assert made.name == f"{preset}/{name}"


def test_named_presets_are_the_paper_as_a_variant() -> None:
    for name in ("guided", "anchored", "baseline"):
        assert presets.get(name) == replace(variant(presets.paper(), name), name=name)
    assert replace(variant(presets.paper(), "paper"), name="paper") == presets.paper()
