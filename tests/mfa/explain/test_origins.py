"""Origins: from vectors and from a ledger they are one thing, and they sum to the cosine."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import mfa
from mfa.config import ModelConfig
from mfa.explain.origins import Origins
from mfa.models import build_model

IMAGES = torch.rand(5, 3, 32, 16, generator=torch.Generator().manual_seed(1))


def test_by_hand() -> None:
    found = Origins.of(np.array([3.0, 1.0]), np.array([3.0, -1.0]), np.array([3.0, 0.0]))
    assert (found.average, found.mixed, found.pair) == pytest.approx((0.9, 0.0, -0.1))
    assert found.score == pytest.approx(0.8)
    assert str(found) == (
        "-0.100 of the cosine 0.800 is about these two alone; "
        "+0.900 comes with the average picture."
    )


@pytest.mark.parametrize("reference", [None, IMAGES[2:]])
def test_a_ledger_says_what_its_descriptors_say(reference: torch.Tensor | None) -> None:
    torch.manual_seed(0)
    config = ModelConfig(trunk="resnet10", width=8, stride=8, gate="guided", branches=2)
    network = build_model(config).eval()
    for head in network.heads.values():
        head.neck.running_mean.normal_(0.5, 0.2)
        head.neck.bias.data.normal_()
    with torch.no_grad():
        query, gallery, *others = network(IMAGES).embedding.numpy()
        necks = [head.neck for head in network.heads.values()]
        offset = np.concatenate([neck(torch.zeros(1, neck.num_features))[0] for neck in necks])
    average = offset if reference is None else np.mean(others, axis=0)
    expected = Origins.of(query, gallery, average)
    found = mfa.pair_ledger(network, IMAGES[0], IMAGES[1], reference=reference)
    assert vars(found.origins) == pytest.approx(vars(expected), abs=1e-5)
    assert found.origins.score == pytest.approx(found.score, abs=1e-12)
    matched = mfa.match_places(network, IMAGES[0], IMAGES[1], reference=reference)
    assert found.origins.pair == pytest.approx(sum(matched.pairs.values()), abs=1e-12)
