from __future__ import annotations

import math
from collections import defaultdict
from itertools import combinations, pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from mfa.models.separation import SeparationMeter, centroid, energy, separation
from mfa.records import Branch, Output


def branch(
    feature_map: Tensor, pooled: Tensor | None = None, guide: Tensor | None = None
) -> Branch:
    pooled = feature_map.mean(dim=(2, 3)) if pooled is None else pooled
    return Branch(feature_map, pooled, pooled, None, guide)


def output(*branches: Branch) -> Output:
    names = {f"branch{i + 1}": one for i, one in enumerate(branches)}
    return Output(branches[0].map, names, torch.cat([one.pooled for one in branches], dim=1))


def random_output(seed: int, batch: int = 3, count: int = 3) -> Output:
    g = torch.Generator().manual_seed(seed)
    return output(
        *(
            branch(
                torch.randn(batch, 4, 5, 2, generator=g),
                torch.randn(batch, 4, generator=g),
                torch.randn(batch, 4, generator=g),
            )
            for _ in range(count)
        )
    )


def slow(outputs: list[Output]) -> dict[str, float]:
    """Every figure with loops over branches and pictures."""
    records: dict[str, list[tuple[np.ndarray, np.ndarray, np.ndarray]]] = defaultdict(list)
    for out in outputs:
        for name, one in out.branches.items():
            assert one.guide is not None
            for values in zip(one.map, one.pooled, one.guide, strict=True):
                feature_map, pooled, guide = (value.double().numpy() for value in values)
                records[name].append(((feature_map**2).sum(axis=0), pooled, guide))
    figures, centres = {}, []
    for name, pictures in records.items():
        centres.append(
            [
                sum((y + 0.5) / len(m) * row.sum() for y, row in enumerate(m)) / m.sum()
                for m, _, _ in pictures
            ]
        )
        figures[f"centroid/{name}"] = float(np.mean(centres[-1]))
        guides = np.stack([guide for _, _, guide in pictures])
        residual = sum(((pooled - guide) ** 2).sum() for _, pooled, guide in pictures)
        figures[f"r2/{name}"] = 1 - residual / ((guides - guides.mean(axis=0)) ** 2).sum()
    cosines = [
        (a * b).sum() / math.sqrt((a**2).sum() * (b**2).sum())
        for one, two in combinations(records.values(), 2)
        for (a, _, _), (b, _, _) in zip(one, two, strict=True)
    ]
    ordered = [all(a < b for a, b in pairwise(one)) for one in zip(*centres, strict=True)]
    norms = [np.linalg.norm(pooled) for one in records.values() for _, pooled, _ in one]
    means = {"map_cosine": cosines, "in_order": ordered, "feature_norm": norms}
    return figures | {name: float(np.mean(values)) for name, values in means.items()}


def test_batches_of_different_size_add_up_to_the_slow_loop() -> None:
    outputs = [random_output(0, batch=3), random_output(1, batch=1), random_output(2, batch=5)]
    meter = SeparationMeter()
    for one in outputs:
        meter.update(one)
    assert meter.result() == pytest.approx(slow(outputs), rel=1e-6)


def test_centroid_counts_pixel_centres_from_the_top() -> None:
    energies = torch.zeros(4, 4, 2)
    energies[0, 0] = 1  # the upper row of four
    energies[1, 3] = 5  # the lower row
    energies[2] = 2  # even
    energies[3, 1, 0], energies[3, 3, 1] = 3, 1
    expected = torch.tensor([0.125, 0.875, 0.5, (3 * 0.375 + 0.875) / 4], dtype=torch.float64)
    torch.testing.assert_close(centroid(energies), expected)


def test_energy_is_the_sum_of_squares_also_where_float16_would_overflow() -> None:
    feature_map = torch.tensor([300.0, -400.0]).half().view(1, 2, 1, 1)
    assert energy(feature_map).item() == pytest.approx(250_000)


def test_separated_branches() -> None:
    maps = torch.zeros(4, 2, 3, 8, 2)
    for i in range(4):
        maps[i, :, :, 2 * i : 2 * i + 2] = 1
    figures = separation(output(*(branch(one) for one in maps)))
    assert figures["map_cosine"] == 0
    assert figures["in_order"] == 1
    assert [figures[f"centroid/branch{i}"] for i in (1, 2, 3, 4)] == [0.125, 0.375, 0.625, 0.875]


def test_even_maps_have_cosine_one_because_the_mean_stays_and_no_order() -> None:
    figures = separation(output(branch(torch.ones(1, 2, 3, 3)), branch(5 * torch.ones(1, 2, 3, 3))))
    assert figures["map_cosine"] == pytest.approx(1)
    assert figures["in_order"] == 0


def test_r2_tells_guidance_from_shrinking() -> None:
    guide = torch.randn(50, 6, generator=torch.Generator().manual_seed(0)) + 3
    feature_map = torch.ones(50, 6, 2, 2)
    mean = guide.mean(dim=0).expand_as(guide)

    def r2(pooled: Tensor) -> float:
        return separation(output(branch(feature_map, pooled, guide)))["r2/branch1"]

    assert r2(guide) == 1
    assert r2(mean) == pytest.approx(0, abs=1e-6)
    assert r2(torch.zeros_like(guide)) < -1
    half = mean + 0.5 * (guide - mean)
    assert r2(half) == pytest.approx(0.75, abs=1e-5)


def test_r2_of_long_vectors_with_little_variance_keeps_its_digits() -> None:
    g = torch.Generator().manual_seed(0)
    guide = torch.randn(200, 4, generator=g, dtype=torch.float64) + 10_000
    pooled = guide + 0.5 * torch.randn(200, 4, generator=g, dtype=torch.float64)
    figures = separation(output(branch(torch.ones(200, 4, 2, 2), pooled, guide)))
    variance = (guide - guide.mean(dim=0)).square().sum()
    expected = 1 - ((pooled - guide).square().sum() / variance).item()
    assert figures["r2/branch1"] == pytest.approx(expected, abs=1e-5)


def test_undefined_figures_are_left_out() -> None:
    guide = torch.ones(2, 3)
    one = separation(output(branch(torch.ones(2, 3, 2, 2), guide=guide)))
    assert set(one) == {"feature_norm", "centroid/branch1"}  # equal guides, one branch
    assert SeparationMeter().result() == {}


def test_a_picture_with_an_empty_map_is_passed_over_and_not_in_order() -> None:
    upper, lower = torch.zeros(2, 1, 2, 1), torch.zeros(2, 1, 2, 1)
    upper[:, :, 0], lower[:, :, 1] = 1, 1
    upper[1] = 0
    figures = separation(output(branch(upper), branch(lower)))
    assert figures["centroid/branch1"] == 0.25
    assert figures["map_cosine"] == 0
    assert figures["in_order"] == 0.5


def test_maps_of_different_size_have_centroids_and_no_cosine() -> None:
    figures = separation(output(branch(torch.ones(1, 2, 4, 2)), branch(torch.ones(1, 3, 8, 2))))
    assert "map_cosine" not in figures
    assert figures["centroid/branch2"] == 0.5


def test_a_norm_that_is_not_finite_is_reported() -> None:
    bad = branch(torch.ones(2, 3, 2, 2), torch.tensor([[1.0, 0, 0], [math.nan, 0, 0]]))
    assert math.isnan(separation(output(bad))["feature_norm"])
