"""A wrong input range is found by the first people, and an exported model states its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mfa.inference.external import from_callable
from mfa.inference.external.plausible import doubt_inputs
from mfa.inference.external.scoring import evaluate_external
from mfa.records import ReidDataset, Sample


@pytest.fixture
def people(tmp_path: Path) -> list[Sample]:
    """Two pictures each of 24 people in colours of their own."""
    samples = []
    for pid in range(1, 25):
        colours = np.random.default_rng(pid).integers(30, 226, (4, 2, 3))
        for camera in (1, 2):
            noise = np.random.default_rng(100 * pid + camera).integers(-9, 10, (32, 16, 3))
            pixels = np.clip(colours.repeat(8, 0).repeat(8, 1) + noise, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / f"{pid}-{camera}.png")
            samples.append(Sample(tmp_path / f"{pid}-{camera}.png", pid, camera))
    return samples


def clipped(values: np.ndarray) -> np.ndarray:
    """An embedder made for 0 to 1: what lies outside is lost to it."""
    cells = np.clip(values, 0, 1).reshape(len(values), 3, 4, 8, 2, 8).mean(axis=(3, 5))
    return (cells - 0.5).reshape(len(values), -1)


def test_a_wrong_range_is_named_with_the_right_one(people: list[Sample]) -> None:
    for inputs in ("unit", "rgb255", "bgr255"):
        model = from_callable(clipped, size=(32, 16), inputs=inputs)  # type: ignore[arg-type]
        sentence = doubt_inputs(model, people, people)
        if inputs == "unit":
            assert sentence == ""
        else:
            assert f"with the inputs {inputs}, and 24 with" in sentence
            assert "unit" in sentence
    assert doubt_inputs(model, people[:10], people) == ""  # too few to tell


def test_the_doubt_stands_on_the_card(people: list[Sample], tiny_data: ReidDataset) -> None:
    data = ReidDataset("set", tiny_data.root, (), tuple(people[::2]), tuple(people[1::2]), "0" * 32)
    model = from_callable(clipped, size=(32, 16), inputs="rgb255")
    doubts = evaluate_external(model, data).card["doubts"]
    assert any("and 24 with" in sentence for sentence in doubts)
