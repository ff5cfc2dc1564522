"""Plans change what their table says, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mfa import presets
from mfa.ablation import PLANS, load_plan
from mfa.errors import InputError

BASE = presets.demo()


def test_table2_adds_attention_layer_after_layer() -> None:
    rows = load_plan("table2", BASE)
    assert [row.config.model.cpaa for row in rows] == [(), (2,), (2, 3), (2, 3, 4)]
    assert {row.config.model.branches for row in rows} == {0}
    assert {row.config.loss.gla for row in rows} == {"off"}


def test_table3_is_the_six_combinations() -> None:
    modules = {
        row.name: (
            bool(row.config.model.cpaa),
            bool(row.config.model.branches),
            row.config.loss.gla != "off",
        )
        for row in load_plan("table3", BASE)
    }
    assert modules == {
        "Baseline": (False, False, False),
        "+ CPAA": (True, False, False),
        "+ Branches": (False, True, False),
        "+ CPAA + Branches": (True, True, False),
        "+ Branches + GLA": (False, True, True),
        "+ CPAA + Branches + GLA": (True, True, True),
    }


@pytest.mark.parametrize("plan", sorted(PLANS))
def test_rows_share_data_and_schedule(plan: str) -> None:
    rows = load_plan(plan, BASE)
    assert len({row.name for row in rows}) == len(rows)
    assert {row.config.optim for row in rows} == {BASE.optim}
    assert {row.config.data for row in rows} == {BASE.data}


def test_a_file_names_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"rows": {"two": {"model.branches": 2}, "as it is": {}}}))
    rows = load_plan(str(path), BASE)
    assert [row.name for row in rows] == ["two", "as it is"]
    assert rows[0].config == replace(BASE, model=replace(BASE.model, branches=2))
    assert rows[1].config == BASE


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"rows": {"a": {"model.branchs": 2}}}', "model.branchs"),
        ('{"rows": {"a": {"model.branches": "two"}}}', "model.branches"),
        ('{"rows": {}}', "no rows"),
        ('{"row": {}}', "no plan"),
        ("not json", "no JSON"),
        ("[" * 200_000, "no JSON"),
        ("[1]", "no plan"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(content)
    with pytest.raises(InputError, match=words):
        load_plan(str(path), BASE)


def test_unknown_plan() -> None:
    with pytest.raises(InputError, match="table2"):
        load_plan("table9", BASE)


def test_modules_are_added_one_by_one_from_one_trunk() -> None:
    rows = {row.name: row.config for row in load_plan("modules", BASE)}
    assert list(rows) == [
        "Baseline",
        "+ CPAA",
        "+ Branches",
        "+ Branches + GLA (paper)",
        "+ Branches + GLA (guided)",
        "+ Branches + GLA (anchored)",
        "+ CPAA + Branches + GLA (anchored)",
    ]
    described = {
        name: (c.model.cpaa, c.model.branches, c.model.gate, c.loss.gla) for name, c in rows.items()
    }
    assert described["Baseline"] == ((), 0, "none", "off")
    assert described["+ CPAA"] == ((2, 3, 4), 0, "none", "off")
    assert described["+ Branches"] == ((), 4, "none", "off")
    assert described["+ Branches + GLA (paper)"] == ((), 4, "none", "mse")
    assert described["+ Branches + GLA (guided)"] == ((), 4, "guided", "mse")
    assert described["+ CPAA + Branches + GLA (anchored)"] == ((2, 3, 4), 4, "anchored", "mse")
    assert {(c.optim, c.data, c.model.trunk) for c in rows.values()} == {
        (BASE.optim, BASE.data, BASE.model.trunk)
    }


def test_peers_have_equal_budgets_and_their_own_recipes() -> None:
    rows = load_plan("peers", BASE)
    assert [row.name for row in rows] == ["bagtricks", "agw", "osnet", "mgn", "pcb", "MFA"]
    assert [row.config.model.network for row in rows] == [*(r.name for r in rows[:-1]), "mfa"]
    assert rows[-1].config == BASE
    for row in rows:
        assert (row.config.data, row.config.optim) == (BASE.data, BASE.optim)
        trunk = "osnet" if row.name == "osnet" else BASE.model.trunk
        assert row.config.model.trunk == trunk
    assert {row.config.loss.triplet for row in rows if row.name == "agw"} == {"weighted"}


def test_the_2_x_2_of_competing_gates_and_gla() -> None:
    rows = load_plan("competing-and-gla", BASE)
    assert [(row.config.model.gate, row.config.loss.gla) for row in rows] == [
        ("none", "off"),
        ("none", "cosine"),
        ("competing", "off"),
        ("competing", "cosine"),
    ]
    assert {row.config.model.guide_pooling for row in rows} == {"gem"}
