from __future__ import annotations

import json
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest

from mfa import presets
from mfa.config import (
    Config,
    DataConfig,
    LossConfig,
    ModelConfig,
    OptimConfig,
    derive,
    from_dict,
    to_dict,
)
from mfa.errors import InputError

ALL = [
    pytest.param(config, id=f"{preset}-{variant}")
    for preset, make in presets.PRESETS.items()
    for variant in (None, *presets.VARIANTS)
    for config in [make() if variant is None else presets.variant(make(), variant)]
]


@pytest.mark.parametrize("config", ALL)
def test_every_configuration_survives_json(config: Config) -> None:
    back = from_dict(Config, json.loads(json.dumps(to_dict(config))))
    assert back == config


def test_to_dict_holds_every_field() -> None:
    def names(value: Any) -> Any:
        return (
            {f.name: names(getattr(value, f.name)) for f in fields(value)}
            if is_dataclass(value)
            else None
        )

    def keys(value: Any) -> Any:
        return {k: keys(v) for k, v in value.items()} if isinstance(value, dict) else None

    assert keys(to_dict(Config())) == names(Config())
    assert to_dict(Config())["model"]["cpaa"] == [2, 3, 4]


def test_what_is_left_out_keeps_its_default() -> None:
    assert from_dict(Config, {}) == Config()
    assert from_dict(Config, {"model": {"branches": 2}}) == Config(model=ModelConfig(branches=2))


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
        ({"model": {"stride": 16.0}}, r"config\.model\.stride is one of \(8, 12, 16\), got 16\.0"),
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
    config = from_dict(Config, {"optim": {"lr": 1}})
    assert type(config.optim.lr) is float


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ModelConfig(cpaa=(5,)), r"layers 1 to 4, got \(5,\)"),
        (lambda: ModelConfig(branches=-1), "branches must be 0 or more, got -1"),
        (lambda: ModelConfig(width=12), "multiple of 8, got 12"),
        (lambda: ModelConfig(width=0), "multiple of 8, got 0"),
        (lambda: LossConfig(warmup=10), "share of the training, 0 to 1, got 10"),
        (lambda: LossConfig(label_smoothing=1.0), r"label_smoothing must be in \[0, 1\)"),
        (lambda: DataConfig(pids=1), "at least 2 identities x 2 pictures.*1 x 4"),
        (lambda: DataConfig(images=1), "at least 2 identities x 2 pictures.*16 x 1"),
        (lambda: DataConfig(width=16), "256x16 are smaller than 32 pixels"),
        (lambda: OptimConfig(epochs=0), "epochs must be 1 or more, got 0"),
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


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(InputError, match="the seed must be 0 or more, got -1"):
        Config(seed=-1)
