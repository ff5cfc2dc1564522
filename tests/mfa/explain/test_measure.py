"""Attention of an untrained run on a small synthetic set: the tables, not their values."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from mfa import presets
from mfa.datasets import load_dataset
from mfa.errors import InputError
from mfa.explain import measure
from mfa.explain.measure import METHOD, measure_attention, measure_faithfulness
from mfa.explain.paper_claims import judge_claims
from mfa.explain.pictures import reference_pictures, sample_positions, situations
from mfa.explain.tables import persons_of
from mfa.runs.checkpoint import save_checkpoint
from mfa.runs.run import Run, untrained
from mfa.synthetic import SyntheticConfig, write
from viz.charts.attention import plot_attention, plot_attention_regions, plot_faithfulness
from viz.cli import attention as attention_command
from viz.grids.ledger import draw_pair


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    config = SyntheticConfig(train_ids=1, test_ids=4, train_images=4, test_images=4, distractors=2)
    write(root, config)
    return load_dataset("synthetic", root)


@pytest.fixture(scope="module")
def run():
    config = presets.variant(presets.demo(), "anchored")
    return untrained(replace(config, data=replace(config.data, cache=False)))


@pytest.fixture(scope="module")
def attention(run, data):
    return measure_attention(run, data, pictures=5, reference=4)


@pytest.fixture(scope="module")
def summary(attention):
    return attention.summary()


def test_summary_has_every_branch_and_both_weights(attention, summary):
    assert set(summary["weights"]) == {"trained", "random"}
    everyone = summary[(summary["condition"] == "all") & (summary["measure"] == "person")]
    own = everyone[everyone["weights"] == "trained"]
    assert list(own["branch"]) == ["branch1", "branch2", "branch3", "branch4", "fused", "even"]
    assert own["pictures"].between(1, 5).all()  # a map without a positive value does not count
    assert own.set_index("branch").loc["even", "pictures"] == 5
    bounded = summary.dropna(subset=["low", "high"])  # one identity alone has no interval
    assert len(bounded) > len(summary) / 2
    assert (bounded["low"] <= bounded["mean"] + 1e-9).all()
    assert (bounded["mean"] <= bounded["high"] + 1e-9).all()
    assert attention.card["pictures"] == 5
    assert "4 gallery pictures" in attention.card["reference"]


def test_covered_pictures_show_nobody_there_and_count_as_occluded(run, data, monkeypatch):
    seen = []
    monkeypatch.setattr(
        measure, "collect_maps",
        lambda model, images, methods, **_: seen.extend(images) or {METHOD: {"fused": flat}},
    )  # fmt: skip
    flat = np.ones((4, 12, 6), np.float32)
    found = measure_attention(run, data, pictures=4, reference=0, cover=0.25)
    images = torch.cat(seen[: len(seen) // 2])  # those of random weights come again
    for image, (top, bottom) in zip(images, [(0, 24), (72, 96)] * 2, strict=True):
        inside = image[:, top:bottom].flatten(1)
        torch.testing.assert_close(inside, inside[:, :1].expand_as(inside))
        assert image.flatten(1).std() > 0
    for name, wanted in (("nothing above", [0, 2]), ("nothing below", [1, 3])):
        assert found.conditions[name][wanted].all()
    assert found.conditions["occluded"].all()
    rows = found.regions.query("measure == 'occluder' and branch == 'even' and weights == 'random'")
    assert (rows["value"] > 0.2).all()  # three of twelve rows, some halved by the true centres
    with pytest.raises(InputError, match="below 1 can be covered, got 1"):
        measure_attention(run, data, cover=1)


def test_shares_of_a_picture_add_up(attention):
    rows = attention.regions
    parts = rows[~rows["measure"].isin(["person", "centroid", "pointing"])]
    totals = parts.groupby(["weights", "picture", "branch"])["value"].sum(min_count=1)
    assert len(totals.dropna()) > len(totals) / 2
    np.testing.assert_allclose(totals.dropna(), 1, atol=1e-5)


def test_anchored_gates_put_the_branches_in_order(run, summary):
    rows = summary.query("weights == 'random' and condition == 'all' and measure == 'centroid'")
    centres = rows.set_index("branch")["mean"][list(run.model.heads)]
    assert centres.is_monotonic_increasing
    assert len(judge_claims(summary, tuple(run.model.heads))) == 8


def test_chart_has_a_mark_for_each_branch_and_region(summary):
    axis = plot_attention_regions(summary)
    labels = [text.get_text() for text in axis.get_legend().get_texts()]
    assert labels == ["even", "branch1", "branch2", "branch3", "branch4", "fused"]
    with pytest.raises(InputError, match="no rows of random"):
        plot_attention_regions(summary, weights="random", measures=["hat"])


def test_faithfulness_of_maps_and_controls(run, data):
    table = measure_faithfulness(run, data, queries=4, shares=(0.2,), reference=0, controls=True)
    assert list(table["map"].unique()) == [
        "random weights",
        "person's silhouette",
        "edges of the picture",
        "branch1",
        "branch2",
        "branch3",
        "branch4",
        "fused",
        "another picture's map",
    ]
    assert set(table["mode"]) == {"deletion", "insertion"}
    axis = plot_faithfulness(table, mode="insertion", maps=["fused", "random weights"])
    assert axis.get_xlabel() == "pixels shown (%)"
    lines = {c.get_label(): c.lines[0] for c in axis.containers}
    assert lines["fused"].get_linestyle() == "-"
    assert lines["random weights"].get_linestyle() == ":"  # a control
    own = table[(table["map"] == "fused") & (table["mode"] == "insertion")]
    np.testing.assert_allclose(lines["fused"].get_ydata(), [100 * own["AP_change"].mean()])
    with pytest.raises(InputError, match="no rows of mode"):
        plot_faithfulness(table, mode="blur")


def test_a_pair_named_by_positions_is_told_against_the_gallery(run, data):
    figure = draw_pair(run, 0, 1, data=data)
    assert "reference" in figure.axes[-1].get_xlabel()
    with pytest.raises(InputError, match="the list has 0 to"):
        draw_pair(run, 0, 999, data=data)


def test_drawing_is_seeded_and_keeps_the_order(run, data):
    assert sample_positions(10, None, 0).tolist() == list(range(10))
    chosen = sample_positions(100, 5, 0)
    assert chosen.tolist() == sorted(sample_positions(100, 5, 0).tolist())
    assert reference_pictures(run, data, 3).shape == (3, 3, 96, 48)
    assert reference_pictures(run, data, 0) is None


def test_points_show_trained_and_random_weights_of_a_measure(summary):
    axis = plot_attention(summary, "centroid")
    own = summary[(summary["condition"] == "all") & (summary["measure"] == "centroid")]
    own = own[(own["weights"] == "random") & (own["branch"] != "even")]
    hollow = axis.containers[1].lines[0]
    assert hollow.get_markerfacecolor() == "white"
    np.testing.assert_allclose(hollow.get_ydata(), own["mean"])
    assert axis.get_ylim() == (1, 0)  # down, as in the picture
    words = [label.get_text() for label in plot_attention(summary, "cosine").get_xticklabels()]
    assert words[0] == "1 + 2"
    with pytest.raises(InputError, match="no measure 'hat'"):
        plot_attention(summary, "hat")


def test_situations_are_shown_once_each(data):
    found = situations(data, 3)
    assert len(found) == 3
    assert set(found.values()) <= {
        "whole", "occluded", "nothing above", "nothing below", "as it comes"
    }  # fmt: skip
    assert all(0 <= place < len(data.query) for place in found)


def test_persons_of_a_faithfulness_table_go_by_picture():
    table = pd.DataFrame({"picture": [0, 2, 2], "pid": [7, 9, 9], "AP_change": [0, 0, 0]})
    assert persons_of(table).tolist() == [7, -1, 9]
    assert persons_of(table.drop(columns="pid")) is None


@pytest.mark.filterwarnings("ignore:__array_wrap__:DeprecationWarning")
def test_the_command_writes_tables_of_every_run_and_rule_and_charts_of_the_first(
    run, data, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(attention_command, "POINTS", {"cosine": "Cosine."})  # one chart of four
    trained = Run(tmp_path / "own", run.checkpoint)
    save_checkpoint(trained.checkpoint, tmp_path / "own" / "checkpoint.safetensors")
    attention_command.main(
        [str(trained.path), str(trained.path), "--data", "synthetic", "--data-root",
         str(data.root.parent), "--pictures", "4", "--queries", "2", "--reference", "4", "--json",
         "--modes", "least_first", "--fill", "road", "--controls",
         "--methods", "HiResCAM", "LayerCAM"]
    )  # fmt: skip
    printed = json.loads(capsys.readouterr().out)
    assert len(printed["claims"]) == len(printed["cards"]) == 4
    assert [card["method"] for card in printed["cards"]] == ["HiResCAM", "LayerCAM"] * 2
    out = trained.path / "attention"
    table = pd.read_csv(out / "attention.csv")
    assert {"run", "seed", "checkpoint", "fingerprint", "mean", "low", "high"} <= set(table)
    assert set(table["method"]) == {"HiResCAM", "LayerCAM"}
    table = pd.read_csv(out / "faithfulness.csv")
    assert set(table["change"]) == {"AP", "rank"}
    assert {"person's silhouette", "edges of the picture"} < set(table["map"])
    for name in ("regions", "cosine", "least_first"):
        assert (out / f"{name}.pdf").stat().st_size > 0
        details = (out / f"{name}.details.md").read_text(encoding="utf-8")
        assert run.hash[:12] in details
        words = (out / f"{name}.caption.md").read_text(encoding="utf-8")
        assert "95 % bootstrap over persons" in words
