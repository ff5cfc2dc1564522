from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from mfa.datasets import load_dataset
from mfa.datasets.readers import counts
from mfa.errors import InputError

Tree = Callable[[Path, dict[str, Iterable[str]]], Path]


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
