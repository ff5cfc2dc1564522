from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from mfa.datasets import load_dataset
from mfa.datasets.readers import counts
from mfa.errors import InputError

Tree = Callable[[Path, dict[str, Iterable[str]]], Path]
REPOSITORY = Path(__file__).resolve().parents[4]


@pytest.fixture
def true_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "TABLE", REPOSITORY / "data/published/datasets.csv")


@pytest.mark.usefixtures("true_table")
def test_the_table_beside_the_code() -> None:
    market = counts.published("market1501")
    assert [market[s].images for s in ("train", "query", "gallery")] == [12936, 3368, 19732]
    assert market["train"].identities == 751
    assert market["train"].checked
    assert counts.published("cuhk03", "labeled")["gallery"].images == 5328
    assert counts.published("cuhk03", "detected")["gallery"].images == 5332
    assert not counts.published("msmt17", "V1")["train"].checked
    assert counts.published("partial_reid")["query"].cameras is None
    assert counts.published("synthetic") == {}
    assert counts.published("") == {}


def test_without_a_table_nothing_is_compared(monkeypatch: pytest.MonkeyPatch, market: Path) -> None:
    monkeypatch.setattr(counts, "TABLE", Path("not there.csv"))
    for path in sorted((market / "market1501/bounding_box_train").iterdir())[:6]:
        path.unlink()
    assert len(load_dataset("market1501", market).train) == 6


@pytest.mark.parametrize(("confidence", "refused"), [("read", True), ("unverified", False)])
def test_only_a_checked_number_refuses_a_folder(
    small_counts: Path, tmp_path: Path, tree: Tree, confidence: str, refused: bool
) -> None:
    with small_counts.open("a") as table:
        table.write(f"dukemtmc,,train,702,16522,8,somebody,{confidence}\n")
    names = ["0001_c2_f0046182.jpg"]
    folders = ("bounding_box_train", "query", "bounding_box_test")
    tree(tmp_path / "dukemtmc", dict.fromkeys(folders, names))
    if refused:
        with pytest.raises(InputError, match="1 of the published 16,522"):
            load_dataset("dukemtmc", tmp_path)
    else:
        (note,) = load_dataset("dukemtmc", tmp_path).notes
        assert "16,522 pictures, 702 people, 8 cameras, a number nobody has verified" in note
