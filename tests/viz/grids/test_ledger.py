"""The ledger closes, and each line of it is what it says."""

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from torch import nn
from torch.nn.functional import cross_entropy

from mfa.config import ModelConfig
from mfa.errors import InputError
from mfa.explain.ledger import decompose, ledgers_between, pair_ledger, pair_ledgers, pixel_parts
from mfa.models import build_model
from viz import theme
from viz.grids.ledger import draw_branch_shares, draw_ledger, draw_pair

IMAGES = torch.rand(6, 3, 64, 32, generator=torch.Generator().manual_seed(1))


def build(seed=0, **settings):
    torch.manual_seed(seed)
    network = build_model(ModelConfig(trunk="resnet10", width=8, stride=8, **settings))
    for head in network.heads.values():
        head.neck.running_mean.normal_(0.5, 0.2)
        head.neck.running_var.uniform_(0.01, 2)
        head.neck.weight.data.normal_()
        head.neck.bias.data.normal_()
    return network.eval()


SETTINGS = [
    {"gate": "guided"},
    {"gate": "anchored", "pooling": "gap"},
    {"branches": 0, "cpaa": ()},
    {"branch": "reduce", "reduced_dim": 16},
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_closes_within_1e5_of_the_networks_own_score(settings):
    network = build(**settings)
    with torch.no_grad():
        descriptor = network(IMAGES).descriptor
    for i, ledger in enumerate(pair_ledgers(network, IMAGES[0], IMAGES)):
        assert ledger.score == pytest.approx(float(descriptor[0] @ descriptor[i]), abs=1e-6)
        assert ledger.residual < 1e-5


def test_shares_are_the_descriptors_blocks():
    network = build(gate="guided")
    with torch.no_grad():
        descriptor = network(IMAGES).descriptor.split(64, dim=1)
    ledger = pair_ledger(network, IMAGES[0], IMAGES[1])
    for block, part in zip(descriptor, ledger.branches.values(), strict=True):
        assert part.share == pytest.approx(float(block[0] @ block[1]), abs=1e-6)


@pytest.mark.parametrize("pooling", ["gem", "gap"])
def test_a_pixel_map_equals_a_slow_loop(pooling):
    network = build(branches=2, pooling=pooling)
    with torch.no_grad():
        output = network(IMAGES[:2])
    whole = torch.cat([b.embedding for b in output.branches.values()], dim=1).double()
    lengths = whole.norm(dim=1)
    ledger = pair_ledger(network, IMAGES[0], IMAGES[1])
    for name, branch in output.branches.items():
        head, x = network.heads[name], branch.map[0].double()
        p = head.pool.p.item() if pooling == "gem" else 1.0
        expected, bias = np.zeros(x.shape[1:]), 0.0
        for c in range(x.shape[0]):
            deviation = float(head.neck.running_var[c] + head.neck.eps) ** 0.5
            scale = float(head.neck.weight.detach()[c]) / deviation
            offset = float(head.neck.bias.detach()[c]) - scale * float(head.neck.running_mean[c])
            other = float(branch.embedding[1, c]) / float(lengths[0] * lengths[1])
            bias += offset * other
            powers = [[max(float(v), 1e-6) ** p for v in row] for row in x[c]]
            total = sum(map(sum, powers))
            pooled = (total / x[c].numel()) ** (1 / p)
            for i, row in enumerate(powers):
                for j, power in enumerate(row):
                    expected[i, j] += scale * pooled * power / total * other
        np.testing.assert_allclose(ledger.branches[name].query_map, expected, atol=1e-6)
        assert ledger.branches[name].query_bias == pytest.approx(bias, abs=1e-6)


def test_the_pair_told_backwards_is_the_same_pair():
    network = build(gate="guided")
    there = pair_ledger(network, IMAGES[2], IMAGES[3])
    back = pair_ledger(network, IMAGES[3], IMAGES[2])
    for name, part in there.branches.items():
        np.testing.assert_allclose(part.query_map, back.branches[name].gallery_map, atol=1e-9)
        assert part.gallery_bias == pytest.approx(back.branches[name].query_bias)


def test_many_pairs_at_once_equal_one_at_a_time():
    network = build()
    together = pair_ledgers(network, IMAGES[0], IMAGES[1:4])
    for i, ledger in enumerate(together):
        alone = pair_ledger(network, IMAGES[0], IMAGES[1 + i])
        assert ledger.score == pytest.approx(alone.score, abs=1e-6)
        maps = [x.branches["branch3"].query_map for x in (ledger, alone)]
        np.testing.assert_allclose(*maps, atol=1e-7)


@pytest.mark.parametrize("settings", SETTINGS)
def test_told_against_an_average_picture_it_closes_too(settings):
    network = build(**settings)
    raw = pair_ledger(network, IMAGES[0], IMAGES[1])
    centred = pair_ledger(network, IMAGES[0], IMAGES[1], reference=IMAGES[2:])
    assert centred.residual < 1e-5
    assert centred.centred
    for name, part in centred.branches.items():
        assert part.share == pytest.approx(raw.branches[name].share, abs=1e-9)
        assert part.query_bias != pytest.approx(raw.branches[name].query_bias)
    itself = pair_ledger(network, IMAGES[0], IMAGES[1], reference=IMAGES[:1])
    for part in itself.branches.values():  # the query is the average picture: no pixel stands out
        np.testing.assert_allclose(part.query_map, 0, atol=1e-9)
        assert part.query_bias == pytest.approx(part.share, abs=1e-6)


def test_the_mode_of_the_network_stays():
    network = build().train()
    pair_ledger(network, IMAGES[0], IMAGES[1])
    assert all(module.training for module in network.modules())


def test_a_linear_neck_has_a_ledger_too_and_a_bent_one_is_refused():
    network = build(branches=0, cpaa=())
    network.heads["global"].neck = nn.Linear(64, 16)
    assert pair_ledger(network, IMAGES[0], IMAGES[1]).residual < 1e-5
    network.heads["global"].neck = nn.Sequential(nn.Linear(64, 64), nn.ReLU())
    with pytest.raises(InputError, match="neck is not affine"):
        pair_ledger(network, IMAGES[0], IMAGES[1])


def test_other_poolings_and_two_queries_are_refused():
    with pytest.raises(InputError, match="AdaptiveMaxPool2d has no exact ledger"):
        pixel_parts(nn.AdaptiveMaxPool2d(1), torch.rand(1, 2, 3, 3))
    with pytest.raises(InputError, match="one query, got 2"):
        pair_ledgers(build(), IMAGES[:2], IMAGES)


def test_table_adds_up():
    ledger = pair_ledger(build(), IMAGES[0], IMAGES[1])
    table = ledger.table()
    assert list(table["branch"]) == ["branch1", "branch2", "branch3", "branch4"]
    assert table["share"].sum() == pytest.approx(ledger.score, abs=1e-5)
    np.testing.assert_allclose(table["query_pixels"] + table["query_bias"], table["share"])
    assert ledger.bias == pytest.approx(table["query_bias"].sum())


def colours_of(bars):
    """Of the filled bars, then of the hatched ones, which stand in turn."""
    filled, hatched = bars[::2], bars[1::2]
    found = [bar.get_facecolor() for bar in filled] + [bar.get_edgecolor() for bar in hatched]
    return [to_hex(colour).upper() for colour in found]


def test_figure_shows_the_score_and_its_parts():
    network = build(gate="anchored")
    ledger = pair_ledger(network, IMAGES[0], IMAGES[1])
    figure = draw_pair(network, IMAGES[0], IMAGES[1])
    titles = [axis.get_title() for axis in figure.axes]
    assert f"cosine {ledger.score:.3f}" in titles
    assert titles[1:6] == ["branch1", "branch2", "branch3", "branch4", "fused"]
    bars = figure.axes[-1]
    assert colours_of(bars.patches) == list(theme.BRANCHES[:4]) * 2
    widths = sum(patch.get_width() for patch in bars.patches)
    assert widths == pytest.approx(ledger.score, abs=1e-5)
    assert any(mark.get_gid() == "against" for axis in figure.axes for mark in axis.collections)
    single = pair_ledger(build(branches=0, cpaa=()), IMAGES[0], IMAGES[1])
    assert draw_ledger(single, *IMAGES[:2].permute(0, 2, 3, 1).numpy())


def test_what_is_no_picture_is_refused_in_words():
    ledger = pair_ledger(build(), IMAGES[0], IMAGES[1])
    with pytest.raises(InputError, match="and no picture"):
        draw_ledger(ledger, "query.jpg", IMAGES[1])


def test_stacked_bars_end_at_the_score():
    ledgers = pair_ledgers(build(gate="guided"), IMAGES[0], IMAGES[1:4], reference=IMAGES)
    figure = draw_branch_shares(ledgers, IMAGES[0], IMAGES[1:4], matches=[True, False, False])
    titles = [axis.get_title() for axis in figure.axes]
    assert titles[1:4] == [f"{m} {x.score:.3f}" for m, x in zip("✓✗✗", ledgers, strict=True)]
    for axis, ledger in zip(figure.axes[5:], ledgers, strict=True):
        heights = sum(bar.get_height() for bar in axis.patches)
        assert heights == pytest.approx(ledger.score, abs=1e-5)
        assert axis.lines[1].get_ydata()[0] == ledger.score
        assert colours_of(axis.patches) == list(theme.BRANCHES[:4]) * 2
    figure.draw_without_rendering()
    labels = [tick.label1 for tick in figure.axes[5].yaxis.get_major_ticks()]
    assert all(label.get_visible() and label.get_text() for label in labels)
    with pytest.raises(InputError, match="3 ledgers but 1 gallery"):
        draw_branch_shares(ledgers, IMAGES[0], IMAGES[:1])


@pytest.mark.slow
@pytest.mark.parametrize(("trunk", "steps"), [("resnet18", 3), ("resnet50", 0)])
def test_closes_on_a_thousand_pairs_from_random_and_from_trained_weights(trunk, steps):
    torch.manual_seed(0)
    network = build_model(ModelConfig(trunk=trunk, gate="guided"), 4, pretrained=False)
    images = torch.rand(32, 3, 32, 32)
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3)
    for _ in range(steps):
        output = network.train()(images)
        labels = torch.arange(32) % 4
        optimizer.zero_grad()
        sum(cross_entropy(b.logits, labels) for b in output.branches.values()).backward()
        optimizer.step()
    side = decompose(network, images)
    alone = [decompose(network, image[None]) for image in images]
    ledgers = [x for one in alone for x in ledgers_between(one, side)]
    assert len(ledgers) == 1024
    assert max(x.residual for x in ledgers) < 1e-9
    # ... and what it closes on is the score the network prints.
    assert max(x.rounding for x in ledgers) < 1e-5
    printed = side.descriptor[:1] @ side.descriptor.T
    assert [x.score for x in ledgers[:32]] == pytest.approx(printed[0].tolist(), abs=1e-5)


def test_a_network_that_loses_digits_still_closes_and_says_so():
    network = build(branches=0, cpaa=(), pooling="gap")
    neck = network.heads["global"].neck
    with torch.no_grad():
        pooled = network(IMAGES).branches["global"].pooled
    neck.running_mean.copy_(pooled.mean(dim=0))
    neck.running_var.fill_(0)
    neck.eps = 1e-16
    neck.bias.data.zero_()
    neck.running_mean += 1e-7 * pooled[0]
    ledgers = pair_ledgers(network, IMAGES[0], IMAGES[1:])
    assert max(x.residual for x in ledgers) < 1e-9
    assert all(x.rounding >= 0 for x in ledgers)


def test_features_that_are_not_finite_are_refused():
    network = build(branches=0, cpaa=())
    network.heads["global"].neck.running_mean.fill_(torch.nan)
    with pytest.raises(InputError, match="not finite"):
        pair_ledger(network, IMAGES[0], IMAGES[1])


def test_positions_need_a_dataset():
    with pytest.raises(InputError, match="give pictures, or data="):
        draw_pair(build(), 3, 141)


@pytest.mark.parametrize("width", ["single", "double"])
def test_words_of_the_figures_stay_apart(width, words_apart):
    network = build(gate="anchored")
    ledgers = pair_ledgers(network, IMAGES[0], IMAGES[1:], reference=IMAGES)
    pair = draw_ledger(
        ledgers[0], IMAGES[0].numpy().transpose(1, 2, 0), IMAGES[1].numpy().transpose(1, 2, 0),
        width=width,
    )  # fmt: skip
    words_apart(pair, least=20)
    marks = [True, False, True, False, True]
    words_apart(
        draw_branch_shares(ledgers, IMAGES[:1], IMAGES[1:], matches=marks, width=width), least=12
    )
