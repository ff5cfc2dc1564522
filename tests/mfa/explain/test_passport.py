"""Passports: maps that explain nothing fail, by cases worked out by hand and by a run whole."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from mfa.cli import COMMANDS, run
from mfa.datasets import load_dataset
from mfa.errors import InputError
from mfa.explain import passport
from mfa.explain.engine import branch_maps, reference_maps, rule_maps
from mfa.explain.geometry import MapGrid
from mfa.explain.part_masks import part_masks
from mfa.explain.sanity_checks import cascade
from mfa.explain.tables import EDGES, FUSED, SHUFFLED, SILHOUETTE
from mfa.runs.run import open_run, untrained
from mfa.synthetic import SyntheticConfig, write

PERSONS = np.arange(8)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    write(root, SyntheticConfig(train_ids=1, test_ids=3, train_images=4, test_images=4))
    return load_dataset("synthetic", root)


@pytest.fixture
def maps():
    return np.random.default_rng(0).normal(size=(8, 6, 3))


def verdicts(rows, check):
    table = passport.judged(rows, PERSONS)
    return table[table["check"] == check].set_index("rule")["verdict"].to_dict()


def test_likeness_is_a_rank_correlation():
    one = np.array([[[1.0, 2], [3, 40]], [[1, 2], [3, 4]], [[5, 5], [5, 5]], [[1, 2], [3, 4]]])
    two = np.array([[[2.0, 3], [4, 5]], [[4, 3], [2, 1]], [[1, 2], [3, 4]], [[1, 3], [2, 4]]])
    # The last: 1 - 6 (1 + 1) / (4 * 15).
    np.testing.assert_allclose(passport.likeness(one, two), [1, -1, np.nan, 0.8])


def test_a_map_that_stays_when_all_weights_go_fails(maps):
    anew = np.random.default_rng(1).normal(size=maps.shape)
    stages = {
        "heads": {"stays": maps, "goes": 0.5 * maps + anew},
        "stem": {"stays": maps, "goes": -maps},
    }
    rows = passport.likeness_rows({"stays": maps, "goes": maps}, stages, {EDGES: anew})
    assert verdicts(rows, passport.CHANGES) == {"stays": "fails", "goes": "holds"}
    alike = rows[rows["check"] == passport.LIKENESS].groupby(["rule", "against"])["value"].mean()
    assert alike["stays", "heads"] == alike["stays", "stem"] == 1
    assert alike["goes", "stem"] == -1 < alike["goes", "heads"] < 1
    assert set(rows["against"]) == {"heads", "stem", EDGES, SHUFFLED}


def test_the_same_map_for_every_picture_shows_no_change_of_weights():
    same = np.broadcast_to(np.arange(6.0).reshape(1, 3, 2), (8, 3, 2))
    rows = passport.likeness_rows({"position": same}, {"stem": {"position": same}}, {})
    assert verdicts(rows, passport.CHANGES) == {"position": "fails"}


def test_a_map_is_ahead_of_the_baselines_only_where_its_order_costs_more():
    loss = {
        SILHOUETTE: 0.3,
        EDGES: 0.1,
        "silhouette again": 0.3,
        "better": 0.5,
        "upside down": -0.2,
    }
    rows = [
        (name, mode, share, picture, "mean", change + 0.01 * picture)
        for name, most in loss.items()
        for mode, change in (("deletion", -most), ("least_first", 0))
        for share in (0.1, 0.4)
        for picture in PERSONS
    ]
    names = ["map", "mode", "share", "picture", "fill", "AP_change"]
    table = passport.judged(passport.hiding_rows(pd.DataFrame(rows, columns=names)), PERSONS)
    ahead = table[table["check"] == passport.BEATS].set_index(["rule", "against"])
    assert ahead["verdict"].to_dict() == {
        ("silhouette again", SILHOUETTE): "fails",
        ("better", SILHOUETTE): "holds",
        ("upside down", SILHOUETTE): "fails",
        ("silhouette again", EDGES): "holds",
        ("better", EDGES): "holds",
        ("upside down", EDGES): "fails",
    }
    assert ahead.loc[("better", EDGES), "mean"] == pytest.approx(0.4)
    orders = table[table["check"] == passport.ORDERS].set_index("rule")
    assert orders["mean"].to_dict() == pytest.approx(loss)
    assert orders.loc["upside down", "verdict"] == "fails"
    most = table[(table["check"] == "most relevant first") & (table["rule"] == "better")]
    assert most["mean"].tolist() == pytest.approx([-0.465, -0.465])
    assert most["share"].tolist() == [0.1, 0.4]


def test_rules_share_a_pass_and_give_the_maps_that_each_gives_alone(tiny_run):
    model = open_run(tiny_run, "cpu")
    images = torch.rand(3, 3, 64, 32, generator=torch.Generator().manual_seed(1))
    rules = ("HiResCAM", "EigenGradCAM", "ShapleyCAM", "AblationCAM")
    for rule, maps in rule_maps(model, images, rules).items():
        alone = branch_maps(model, images, method=rule).raw
        assert maps.keys() == alone.keys()
        for name in alone:
            np.testing.assert_allclose(maps[name], alone[name], atol=1e-5)
    centred = rule_maps(model, images, ["LayerCAM"], reference=reference_maps(model, images))
    alone = branch_maps(model, images, method="LayerCAM", reference=images).raw
    np.testing.assert_allclose(centred["LayerCAM"][FUSED], alone[FUSED], atol=1e-5)


def test_the_cascade_goes_from_the_heads_to_the_whole_network(tiny_run):
    trained = open_run(tiny_run, "cpu")
    start = untrained(trained.config, "cpu").model.state_dict()
    own = {name: value.clone() for name, value in trained.model.state_dict().items()}
    before = 0
    for stage, network in cascade(trained):
        now = network.model.state_dict()
        anew = {name for name in start if torch.equal(now[name], start[name])}
        assert len(anew) > before, stage
        if stage == "heads":
            assert all(torch.equal(now[n], own[n]) for n in now if n.startswith("trunk."))
        before = len(anew)
    assert stage == "stem"
    assert before == len(start)
    assert all(torch.equal(value, own[n]) for n, value in trained.model.state_dict().items())


@pytest.mark.filterwarnings("ignore:__array_wrap__:DeprecationWarning")
def test_the_person_as_a_map_scores_as_the_baseline_and_knows_no_weights(
    tiny_run, drawn, monkeypatch
):
    """In place of the engine stands one that paints the person, whatever the network."""
    positions = list(range(len(drawn.query)))
    images = torch.zeros(len(positions), 3, 64, 32)
    parts = part_masks(drawn, positions, 64, 32).parts
    person = passport.picture_controls(images, parts)[SILHOUETTE]
    painted, grids = {"HiResCAM": {FUSED: person}}, {FUSED: MapGrid.even(64, 32)}
    monkeypatch.setattr(passport, "collect_maps", lambda *args, **settings: painted)
    monkeypatch.setattr(passport, "fused_grids", lambda *args: grids)
    table = passport.measure_passport(
        open_run(tiny_run, "cpu"), drawn, methods=["HiResCAM"], queries=None, reference=0
    )
    own = table[table["rule"] == "HiResCAM"]
    assert own[own["check"] == passport.CHANGES]["verdict"].tolist() == ["fails"]
    beside = own[own["against"] == SILHOUETTE].groupby(["check"])
    assert beside.get_group((passport.LIKENESS,))["mean"].tolist() == pytest.approx([1])
    ahead = beside.get_group((passport.BEATS,))
    assert ahead["fill"].tolist() == ["mean", "road"]
    assert ahead["mean"].tolist() == [0, 0]
    assert ahead["verdict"].tolist() == ["fails", "fails"]
    curves = table[table["check"].isin(passport.CURVES)]
    curves = curves.pivot(index=["check", "fill", "share"], columns="rule", values="mean")
    assert len(curves) == 16
    np.testing.assert_array_equal(curves["HiResCAM"], curves[SILHOUETTE])


@pytest.mark.filterwarnings("ignore:__array_wrap__:DeprecationWarning")
def test_the_command_writes_one_table_of_runs_and_rules(tiny_run, drawn, tmp_path, capsys):
    out = tmp_path / "passport.csv"
    words = ["--data", "synthetic", "--data-root", str(drawn.root.parent), "--reference", "2"]
    words += ["--queries", "3", "--fills", "mean", "--methods", "HiResCAM", "--out", str(out)]
    words = ["explain", "passport", str(tiny_run), *words]
    assert run("mfa", COMMANDS, [*words[:3], *words[2:], "--methods", "HiResCAM", "EigenCAM"]) == 0
    said = capsys.readouterr().out
    assert "changes with the weights" in said
    assert "layer4" in said
    table = pd.read_csv(out)
    assert set(table["rule"]) == {"HiResCAM", "EigenCAM", SILHOUETTE, EDGES}
    assert {"run", "checkpoint", "dataset", "reference", "verdict"} < set(table)
    assert run("mfa", COMMANDS, [*words, "--json"]) == 0
    rows = pd.DataFrame(json.loads(capsys.readouterr().out))
    assert set(rows["rule"]) == set(table["rule"]) - {"EigenCAM"}


def test_what_cannot_have_a_passport_is_said_in_a_sentence(tiny_run, tiny_data, drawn):
    trained = open_run(tiny_run, "cpu")
    with pytest.raises(InputError, match="no method 'NoCAM'"):
        passport.measure_passport(trained, drawn, methods=["NoCAM"])
    with pytest.raises(InputError, match="masks"):
        passport.measure_passport(trained, tiny_data)
    with pytest.raises(InputError, match="got 1 with a trusted mask"):
        passport.measure_passport(trained, drawn, queries=1)
