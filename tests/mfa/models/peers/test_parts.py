"""What the compared methods are made of, against hand counts and loops."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from mfa.config import ModelConfig
from mfa.models.backbones import IBN
from mfa.models.complexity import count_parameters
from mfa.models.peers import aaformer, transreid
from mfa.models.peers.abd_net import spectral_gap
from mfa.models.peers.gasm_like import matched
from mfa.models.peers.gcp import Related
from mfa.models.peers.parts.attention import NonLocal, SecondOrder
from mfa.models.peers.parts.peer import resnet
from mfa.models.peers.parts.pixelclusters import part_labels
from mfa.models.peers.parts.transformer import as_map, as_tokens
from mfa.models.peers.sona import Drop
from mfa.models.pooling import Stripe


@pytest.mark.parametrize(
    ("height", "count", "number", "length", "rows"),
    [
        # 7 rows in 3 stripes: neighbours share one.
        (7, 3, 0, 1, slice(0, 3)),
        (7, 3, 1, 1, slice(2, 5)),
        (7, 3, 2, 1, slice(4, 7)),
        (6, 4, 1, 1, slice(1, 3)),
        (4, 6, 1, 2, slice(0, 2)),
        (24, 6, 4, 1, slice(16, 20)),
    ],
)
def test_a_stripe_keeps_rows_that_are_cut_through(
    height: int, count: int, number: int, length: int, rows: slice
) -> None:
    x = torch.rand(2, 4, height, 3)
    assert Stripe(count, number, length).rows(height) == rows
    cut = Stripe(count, number, length, scaled=True).only(x)
    torch.testing.assert_close(cut.mean(dim=(2, 3)), x[:, :, rows].mean(dim=(2, 3)))
    wanted = torch.zeros_like(x)
    wanted[:, :, rows] = x[:, :, rows]
    assert torch.equal(Stripe(count, number, length).only(x), wanted)


def test_non_local_equals_a_loop() -> None:
    torch.manual_seed(0)
    block = NonLocal(4, 2).eval()
    x = torch.randn(1, 4, 2, 3)
    assert torch.equal(block(x), x)
    torch.nn.init.ones_(block.w[1].weight)
    g, theta, phi = (conv(x)[0].flatten(1) for conv in (block.g, block.theta, block.phi))
    mixed = torch.zeros(2, 6)
    for i in range(6):
        for j in range(6):
            mixed[:, i] += theta[:, i] @ phi[:, j] / 6 * g[:, j]
    torch.testing.assert_close(block(x), x + block.w(mixed.view(1, 2, 2, 3)))


def test_ibn_normalises_half_by_picture() -> None:
    x = torch.randn(2, 6, 4, 5) * 3 + 1
    found = IBN(6).train()(x)
    flat = found.flatten(2)
    torch.testing.assert_close(flat[:, :3].mean(dim=2), torch.zeros(2, 3), atol=1e-5, rtol=0)
    assert flat[:, 3:].mean(dim=2).abs().max() > 1e-3
    torch.testing.assert_close(flat[:, 3:].mean(dim=(0, 2)), torch.zeros(3), atol=1e-5, rtol=0)
    config = ModelConfig(trunk="resnet10", width=8, cpaa=(), ibn=True)
    trunk = resnet(config)
    assert count_parameters(trunk) == count_parameters(resnet(replace(config, ibn=False)))
    assert sum(isinstance(module, IBN) for module in trunk.modules()) == 3


def test_the_patches_of_jpm_by_hand() -> None:
    # 8 patches, shifted by 5: 5 6 7 0 1 2 3 4; in two groups: 5 6 7 0 and 1 2 3 4; one of each.
    assert transreid.dealt(8) == [[5, 1], [6, 2], [7, 3], [0, 4]]
    assert sorted(i for part in transreid.dealt(18) for i in part) == list(range(18))


def test_tokens_and_maps_are_each_others_inverse() -> None:
    tokens = torch.randn(2, 7, 5)
    torch.testing.assert_close(as_tokens(as_map(tokens, 3, 2)), tokens)
    assert torch.equal(as_map(tokens, 3, 2)[0, :5, 2, 1], tokens[0, 6])


def test_spectral_gap_of_a_known_map() -> None:
    x = torch.diag(torch.tensor([5.0, 3.0, 2.0])).view(1, 3, 3, 1)
    assert spectral_gap(x).item() == pytest.approx(9.0)


def test_clusters_find_the_stripes_of_a_made_person() -> None:
    torch.manual_seed(0)
    # Two people, two pictures each: a weak border, and three bands of a direction of their own.
    bands = torch.nn.functional.normalize(torch.randn(2, 3, 8), dim=2)
    maps = torch.zeros(4, 8, 9, 5)
    wanted = torch.zeros(4, 9, 5, dtype=torch.int64)
    for picture in range(4):
        for band in range(3):
            rows = slice(3 * band, 3 * band + 3)
            strength = 4 + torch.rand(3, 3)
            direction = bands[picture // 2, band][:, None, None]
            maps[picture, :, rows, 1:4] = direction * strength
            wanted[picture, rows, 1:4] = band + 1
    maps += 0.05 * torch.rand_like(maps)
    found = part_labels(maps, torch.tensor([7, 7, 9, 9]), 3)
    assert torch.equal(found, wanted)
    even = part_labels(torch.ones(2, 4, 3, 3), torch.tensor([0, 0]), 2)
    assert bool((even > 0).all())


def test_gasm_matches_pixels_like_a_loop() -> None:
    torch.manual_seed(0)
    maps, saliency = torch.randn(3, 4, 2, 3), torch.rand(3, 2, 3)
    found = matched(maps, saliency)
    for a in range(3):
        for b in range(3):
            total = 0.0
            for i in range(6):
                pixel = maps[a].flatten(1)[:, i]
                likest = max(
                    torch.cosine_similarity(pixel, maps[b].flatten(1)[:, j], dim=0).item()
                    for j in range(6)
                )
                total += saliency[a].flatten()[i].item() * (1 - likest)
            assert found[a, b].item() == pytest.approx(total / saliency[a].sum().item(), abs=1e-5)
    # What is hidden does not count: a picture and its upper half, the rest without saliency.
    half = maps.clone()
    half[:, :, 1:] = torch.randn(3, 4, 1, 3)
    upper = torch.tensor([1.0, 0.0]).view(1, 2, 1).expand(3, 2, 3)
    together = matched(torch.cat([half, maps]), torch.cat([upper, upper]))
    torch.testing.assert_close(together[:3, 3:].diagonal(), torch.zeros(3), atol=1e-6, rtol=0)


def test_gcps_stripe_and_its_rest_by_hand() -> None:
    # Two channels, four rows of one pixel, two stripes: maxima (3, 5) and (4, 1).
    x = torch.tensor([[[1.0, 3, 4, 2]], [[5.0, 0, 1, 1]]]).permute(1, 0, 2)[..., None]
    for number, own, rest in ((0, [3, 5], [4, 1]), (1, [4, 1], [3, 5]), (None, [4, 5], [3, 1])):
        found = Related(2, 2, number).seen(x)
        assert [part[0].tolist() for part in found] == [own, rest]
    # Three stripes: the rest is a mean.
    x = torch.tensor([1.0, 5.0, 2.0]).view(1, 1, 3, 1)
    assert Related(1, 3, 0).seen(x)[1].item() == pytest.approx(3.5)
    assert Related(1, 3, None).seen(x)[1].item() == pytest.approx(1.5)


def test_second_order_attention_equals_a_loop() -> None:
    torch.manual_seed(0)
    block = SecondOrder(4).eval()
    x = torch.randn(1, 4, 2, 3)
    assert torch.equal(block(x), x)
    torch.nn.init.ones_(block.last[1].weight)  # type: ignore[arg-type]
    theta, g = block.theta(x)[0].flatten(1), block.g(x)[0].flatten(1)  # (2, 6)
    mixed = torch.zeros(2, 6)
    for i in range(6):
        scores = torch.stack(
            [
                sum(
                    (theta[c, i] - theta[:, i].mean()) * (theta[c, j] - theta[:, j].mean())
                    for c in range(2)
                )
                / 2
                / 2**0.5
                for j in range(6)
            ]
        )
        weights = scores.exp() / scores.exp().sum()
        mixed[:, i] = (weights * g).sum(dim=1)
    torch.testing.assert_close(block(x), x + block.last(mixed.view(1, 2, 2, 3)))


def test_sona_drops_one_band_of_the_batch_in_training_alone() -> None:
    x = torch.ones(3, 2, 12, 5)
    assert torch.equal(Drop().eval()(x), x)
    torch.manual_seed(0)
    seen = set()
    for _ in range(20):
        rows = Drop().train()(x).flatten(3).sum(dim=(0, 1, 3))
        gone = [i for i, value in enumerate(rows.tolist()) if value == 0]
        assert len(gone) == 4
        assert gone == list(range(gone[0], gone[0] + 4))
        seen.add(gone[0])
    assert len(seen) > 4


def test_patches_are_dealt_evenly_and_to_the_part_they_are_like() -> None:
    likeness = torch.zeros(1, 2, 6)
    likeness[0, 0, :3] = 0.5
    likeness[0, 1, 3:] = 0.5
    assert aaformer.dealt(likeness).tolist() == [[0, 0, 0, 1, 1, 1]]
    # One part is a little nearer to everything: evening out still gives the other its share.
    likeness[0, 0] += 0.2
    assert aaformer.dealt(likeness).tolist() == [[0, 0, 0, 1, 1, 1]]
    torch.manual_seed(0)
    block = aaformer.AlignedBlock(24)
    q, k = torch.randn(2, 12, 14, 2), torch.randn(2, 12, 14, 2)
    seen = block._seen(q, k)[:, 0] == 0
    assert bool(seen[:, 0].all())
    assert bool(seen[:, 6:].all())
    own = seen[:, 1:6, 6:].sum(dim=1)
    assert torch.equal(own, torch.ones_like(own))  # every patch is seen by one part
    assert torch.equal(seen[0, 1:6, 1:6], torch.eye(5, dtype=torch.bool))
    assert not bool(seen[:, 1:6, 0].any())
