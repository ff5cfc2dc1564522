"""The twenty splits of classic CUHK03, on split files as deep-person-reid writes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

from mfa.datasets import load_dataset
from mfa.datasets.doctor import examine
from mfa.errors import InputError
from mfa.records import Features, FeatureSet, Sample
from mfa.retrieval.protocols import single_shot

Tree = Callable[[Path, dict[str, Iterable[str]]], Path]

PEOPLE = [(1, 1), (1, 2), (2, 1), (5, 1)]
"""Camera pair, and the person in it."""


def pictures(pair: int, person: int) -> list[str]:
    """Two by each camera of the pair."""
    return [f"{pair}_{person:03}_{1 + (i > 5)}_{i:02}.png" for i in (1, 2, 6, 7)]


def split(tested: list[tuple[int, int]]) -> dict[str, object]:
    """As written there: people numbered from 0 on each side, test pictures in both lists."""

    def rows(people: list[tuple[int, int]]) -> list[list[object]]:
        return [
            [f"/elsewhere/images_detected/{name}", number, int(name.split("_")[2]) - 1]
            for number, person in enumerate(people)
            for name in pictures(*person)
        ]

    test = rows(tested)
    train = rows([person for person in PEOPLE if person not in tested])
    return {"train": train, "query": test, "gallery": test, "num_train_pids": len(PEOPLE) - 2}


@pytest.fixture
def root(tmp_path: Path, tree: Tree) -> Path:
    """Two splits: the first tests people 1002 and 2001, the second 1001 and 5001."""
    names = [name for person in PEOPLE for name in pictures(*person)]
    tree(tmp_path / "cuhk03", {"images_detected": names})
    splits = [split([(1, 2), (2, 1)]), split([(1, 1), (5, 1)])]
    (tmp_path / "cuhk03/splits_classic_detected.json").write_text(json.dumps(splits))
    return tmp_path


def people(samples: Iterable[Sample]) -> set[tuple[int, int]]:
    return {(sample.pid, sample.camid) for sample in samples}


def test_a_split_searches_from_the_first_camera_to_the_second(root: Path) -> None:
    data = load_dataset("cuhk03_classic", root)
    assert people(data.train) == {(1001, 1), (1001, 2), (5001, 1), (5001, 2)}
    assert people(data.query) == {(1002, 1), (2001, 1)}
    assert people(data.gallery) == {(1002, 2), (2001, 2)}
    assert [len(data.train), len(data.query), len(data.gallery)] == [8, 4, 4]
    assert any("split 1 of 20, the detected pictures" in note for note in data.notes)


def test_another_split_is_named_by_its_number(root: Path) -> None:
    second = load_dataset("cuhk03_classic_2", root)
    assert people(second.query) == {(1001, 1), (5001, 1)}
    assert {pid for pid, _ in people(second.train)} == {1002, 2001}
    first = load_dataset("cuhk03_classic_1", root)
    assert first.fingerprint == load_dataset("cuhk03_classic", root).fingerprint
    assert first.fingerprint != second.fingerprint
    with pytest.raises(InputError, match=r"not a split file of CUHK03 with a split 3 .*extract it"):
        load_dataset("cuhk03_classic_3", root)
    for name in ("cuhk03_classic_0", "cuhk03_classic_21", "cuhk03_classic_one"):
        with pytest.raises(InputError, match=r"split of classic CUHK03, .*_1 to .*_20"):
            load_dataset(name, root)


def test_the_doctor_reads_what_the_reader_reads(root: Path) -> None:
    report = examine("cuhk03_classic_2", root)
    assert report.clean, report.text()
    assert report.text().startswith("CUHK03 (detected, classic split 2) in ")
    assert [(s.split, s.images, s.identities) for s in report.summaries] == [
        ("train", 8, 2),
        ("query", 4, 2),
        ("gallery", 4, 2),
    ]


def test_a_missing_picture_is_named_once(root: Path) -> None:
    (root / "cuhk03/images_detected" / pictures(2, 1)[0]).unlink()
    data = load_dataset("cuhk03_classic", root)
    assert len(data.query) == 3
    assert "left out 1: " in " ".join(data.notes)


def test_labeled_pictures_have_lists_of_their_own(root: Path, tree: Tree) -> None:
    with pytest.raises(InputError, match=r"images_labeled, splits_classic_labeled\.json"):
        load_dataset("cuhk03_classic_labeled", root)
    place = tree(root / "cuhk03", {"images_labeled": [n for p in PEOPLE for n in pictures(*p)]})
    splits = (place / "splits_classic_detected.json").read_text()
    (place / "splits_classic_labeled.json").write_text(splits)
    data = load_dataset("cuhk03_classic_labeled_2", root)
    assert {sample.path.parent.name for sample in data.query} == {"images_labeled"}


def test_one_gallery_picture_a_person_is_drawn(root: Path) -> None:
    """Features that tell people apart: right in every draw, from a gallery of two."""
    data = load_dataset("cuhk03_classic", root)

    def side(samples: tuple[Sample, ...]) -> FeatureSet:
        pids = np.array([sample.pid for sample in samples])
        return FeatureSet(
            features=np.eye(2, dtype=np.float32)[(pids == 2001).astype(int)],
            pids=pids,
            camids=np.array([sample.camid for sample in samples]),
            names=np.array([sample.path.name for sample in samples]),
        )

    drawn = single_shot(Features(side(data.query), side(data.gallery)), draws=5)
    assert (drawn.gallery, drawn.drawn) == (4, 2)
    assert drawn.summary()["rank1"] == 1
