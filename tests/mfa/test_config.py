from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from mfa import presets
from mfa.config import (
    Config,
    DataConfig,
    DistillConfig,
    LossConfig,
    ModelConfig,
    OptimConfig,
    derive,
    from_dict,
    to_dict,
)
from mfa.errors import InputError
from mfa.models import check_settings
from mfa.runs.stored_config import from_json, to_json

ALL = [
    pytest.param(config, id=f"{preset}-{variant}")
    for preset, make in presets.PRESETS.items()
    for variant in (None, *presets.VARIANTS)
    for config in [make() if variant is None else presets.variant(make(), variant)]
]


@pytest.mark.parametrize("config", ALL)
def test_every_configuration_survives_json(config: Config) -> None:
    assert from_json(to_json(config)) == config


def test_a_stored_field_may_not_be_missing() -> None:
    values = json.loads(to_json(Config()))
    del values["optim"]["lr"]
    with pytest.raises(InputError, match="optim has no value for lr"):
        from_json(json.dumps(values))


def test_settings_that_format_4_kept_unread_are_dropped() -> None:
    values = json.loads(to_json(presets.demo()))
    unread = {"reduced_dim": 64, "cpaa": [], "cpaa_affinity": "plain"}
    old = {**values, "format": 4, "model": {**values["model"], **unread}}
    read = from_json(json.dumps(old))
    assert read == derive(presets.demo(), {"model.cpaa": []})
    check_settings(read)


def test_format_5_had_no_bfloat16_on_gpus() -> None:
    values = json.loads(to_json(presets.paper()))
    del values["optim"]["gpu_bfloat16"]
    assert from_json(json.dumps({**values, "format": 5})) == presets.paper()


def test_a_later_format_is_not_guessed_at() -> None:
    values = json.loads(to_json(Config()))
    with pytest.raises(InputError, match="newer"):
        from_json(json.dumps({**values, "format": values["format"] + 1}))


def format_1(config: Config, **model: object) -> str:
    """What the first format kept of a configuration: no number, no ``sie``."""
    values = to_dict(config)
    del values["model"]["sie"]
    return json.dumps({**values, "model": {**values["model"], **model}})


def test_the_first_format_is_still_read() -> None:
    mfa = presets.demo()
    assert from_json(format_1(mfa)) == mfa
    # It kept what a network did not read, and called a transformer by its preset's ResNet.
    ignored = {"branches": 4, "gate": "guided", "guide_pooling": "gem", "cpaa": [4]}
    for name in ("pcb", "agw", "osnet", "transreid"):
        peer = derive(presets.get(f"{name}-demo"), {"model.sie": False})
        old = derive(peer, {"loss.gla": "mse"})
        read = from_json(format_1(old, trunk="resnet10", pooling="gap", **ignored))
        assert read == replace(old, loss=peer.loss)
        check_settings(read)


@pytest.mark.parametrize(
    ("base", "changes", "words"),
    [
        ("pcb-demo", {"model.gate": "guided"}, "pcb does not read model.gate, which is 'guided'"),
        ("pcb-demo", {"model.branches": 4}, "model.branches, which is 4"),
        ("pcb-demo", {"model.pooling": "gem"}, "model.pooling"),
        ("osnet-demo", {"model.weights": "imagenet"}, "model.weights"),
        ("osnet-demo", {"model.trunk": "resnet50"}, "osnet has no trunk 'resnet50'.*osnet"),
        ("bagtricks-demo", {"model.sie": True}, "model.sie"),
        ("bagtricks-demo", {"model.trunk": "vit_b16"}, "has no trunk 'vit_b16'"),
        ("agw-demo", {"loss.gla": "mse"}, "loss.gla"),
        ("demo", {"model.sie": True}, "mfa does not read model.sie"),
        ("demo", {"model.branches": 0, "model.cpaa": []}, "model.gate, which is 'anchored'"),
        ("demo", {"model.reduced_dim": 64}, "does not read model.reduced_dim, which is 64"),
        ("demo", {"model.cpaa": [], "model.cpaa_affinity": "plain"}, "model.cpaa_affinity"),
        ("baseline", {"loss.gla": "mse"}, "loss.gla"),
    ],
)
def test_settings_that_a_network_ignores_are_refused(
    base: str, changes: dict[str, object], words: str
) -> None:
    config = presets.get(base)
    check_settings(config)
    with pytest.raises(InputError, match=words):
        check_settings(derive(config, changes))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"sed": 1}, r"config has no field 'sed'; it has name, seed"),
        ({"model": {"brances": 4}}, r"config\.model has no field 'brances'; it has network, trunk"),
        ({"optim": {"lr": "fast"}}, r"config\.optim\.lr must be float, got 'fast'"),
        ({"optim": {"lr": None}}, r"config\.optim\.lr must be float, got None"),
        ({"optim": {"epochs": 2.5}}, r"config\.optim\.epochs must be int, got 2\.5"),
        ({"optim": {"epochs": True}}, r"config\.optim\.epochs must be int, got True"),
        ({"optim": {"lr": True}}, r"config\.optim\.lr must be float, got True"),
        ({"data": {"cache": 1}}, r"config\.data\.cache must be bool, got 1"),
        ({"model": {"trunk": "vgg"}}, r"config\.model\.trunk is one of .*'resnet50'.*, got 'vgg'"),
        ({"model": {"stride": 16.0}}, r"config\.model\.stride is one of .*32\), got 16\.0"),
        ({"model": {"gate": ["none"]}}, r"config\.model\.gate is one of .*, got \['none'\]"),
        ({"model": {"cpaa": 3}}, r"config\.model\.cpaa must be a list, got 3"),
        ({"model": {"cpaa": "234"}}, r"config\.model\.cpaa must be a list, got '234'"),
        ({"model": {"cpaa": [2, "3"]}}, r"config\.model\.cpaa\[1\] must be int, got '3'"),
        ({"model": 4}, r"config\.model must be a table of fields, got 4"),
        ([], r"config must be a table of fields, got \[\]"),
    ],
)
def test_unknown_fields_and_wrong_kinds_are_named(values: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        from_dict(Config, values)


def test_a_whole_number_does_for_a_float_and_becomes_one() -> None:
    config = derive(Config(), {"optim.lr": 1})
    assert type(config.optim.lr) is float


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ModelConfig(cpaa=(5,)), r"layers 1 to 4.*got \(5,\)"),
        (lambda: ModelConfig(cpaa=(2, 2)), r"layers 1 to 4"),
        (lambda: ModelConfig(branches=-1), r"model\.branches must be .* 0 or more.*got -1"),
        (lambda: ModelConfig(reduced_dim=0), r"model\.reduced_dim"),
        (lambda: ModelConfig(width=12), "multiple of 8, got 12"),
        (lambda: ModelConfig(width=0), "multiple of 8, got 0"),
        (lambda: LossConfig(warmup=10), r"loss\.warmup.*0 or more and at most 1, got 10"),
        (lambda: LossConfig(label_smoothing=1.0), r"loss\.label_smoothing.*below 1"),
        (lambda: LossConfig(center_rate=0.0), r"loss\.center_rate.*above 0"),
        (lambda: LossConfig(triplet_weight=-1.0), r"loss\.triplet_weight.*got -1"),
        (lambda: LossConfig(gla_weight=math.nan), r"loss\.gla_weight.*got nan"),
        (lambda: DistillConfig(feature_weight=-0.5), r"distill\.feature_weight"),
        (lambda: DataConfig(pids=1), "at least 2 identities x 2 pictures.*1 x 4"),
        (lambda: DataConfig(images=1), "at least 2 identities x 2 pictures.*16 x 1"),
        (lambda: DataConfig(width=16), r"data\.width, in pixels, must be a number 32 or more"),
        (lambda: DataConfig(flip=3), r"data\.flip, a chance,.*at most 1, got 3"),
        (lambda: DataConfig(erasing=-0.1), r"data\.erasing"),
        (lambda: DataConfig(jitter=2.0), r"data\.jitter"),
        (lambda: DataConfig(pad=-1), r"data\.pad"),
        (lambda: DataConfig(workers=-1), r"data\.workers must be .* 0 or more.*got -1"),
        (lambda: OptimConfig(epochs=0), r"optim\.epochs must be .* 1 or more.*got 0"),
        (lambda: OptimConfig(lr=-0.1), r"optim\.lr must be .* 0 or more.*got -0.1"),
        (lambda: OptimConfig(lr=math.nan), r"optim\.lr.*got nan"),
        (lambda: OptimConfig(lr=math.inf), r"optim\.lr.*got inf"),
        (lambda: OptimConfig(weight_decay=-1.0), r"optim\.weight_decay"),
        (lambda: OptimConfig(warmup_epochs=math.inf), r"optim\.warmup_epochs"),
        (lambda: OptimConfig(milestones=(70, 40)), r"optim\.milestones"),
        (lambda: Config(seed=-1), "seed must be .* 0 or more.*got -1"),
        (
            lambda: Config(seed=2**64),
            "seed must be .* at most 4294967295, got 18446744073709551616",
        ),
        (lambda: Config(seed=10**400), "seed must be .* at most 4294967295, got 1000"),
    ],
)
def test_impossible_values_are_refused_where_they_are_made(make: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        make()


def test_a_frozen_configuration_is_derived_not_changed() -> None:
    config = Config()
    with pytest.raises(AttributeError):
        config.seed = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        replace(config, sed=1)  # type: ignore[call-arg]
    changed = derive(config, {"model.branches": 2, "seed": 1, "model.cpaa": [4]})
    assert changed == Config(seed=1, model=ModelConfig(branches=2, cpaa=(4,)))
    assert config == Config()


@pytest.mark.parametrize("name", ["sed", "model.sed", "modell.width", "seed.width", "model.cpaa.x"])
def test_deriving_an_unknown_field_names_it(name: str) -> None:
    with pytest.raises(InputError, match=f"no field '{name}'"):
        derive(Config(), {name: 1})
