from __future__ import annotations

import json
from math import isfinite

import pytest

from benchmarks import extract, loading, models, train
from mfa import presets
from mfa.config import Config


def test_the_step_is_held_against_the_bare_step(tiny_config: Config) -> None:
    made = train.run(1, tiny_config)
    measured = made["step_seconds"] / made["bare_seconds"]
    assert made["ratio_to_bare_step"] == pytest.approx(measured)
    assert made["images_per_second"] == pytest.approx(6 / made["step_seconds"])
    assert made["config"] == "tiny"
    assert made.keys() >= train.TARGETS.keys()
    json.dumps(made)


def test_loading_is_held_against_the_step(tiny_config: Config) -> None:
    made = loading.run(1, tiny_config)
    parts = made["augmentation_seconds"], made["step_seconds"]
    for share, way in (("loading_share", "reading"), ("uncached_share", "decoding")):
        assert made[share] == pytest.approx((made[f"{way}_seconds"] + parts[0]) / parts[1])
    assert made["batch"] == 6
    assert made.keys() >= loading.TARGETS.keys()
    json.dumps(made)


def test_extraction_is_held_against_the_bare_forward(tiny_config: Config) -> None:
    made = extract.run(1, tiny_config, pictures=9)
    bare, files = made["bare_images_per_second"], made["files_images_per_second"]
    assert made["ratio_to_bare_forward"] == pytest.approx(files / bare)
    assert made["pictures"] == 9
    assert made.keys() >= extract.TARGETS.keys()
    json.dumps(made)


@pytest.mark.slow
def test_every_variant_is_held_against_a_plain_resnet() -> None:
    made = models.run(1, batch=1, height=64, width=32, networks=())
    assert set(made["relative_rate"]) == set(presets.VARIANTS)
    assert made["mfa_relative_rate"] == made["relative_rate"]["paper"]
    rates = made["images_per_second"]
    for name, value in made["relative_rate"].items():
        assert isfinite(value)
        assert value == pytest.approx(rates[name] / rates["resnet50"])
    assert made.keys() >= models.TARGETS.keys()
    json.dumps(made)
