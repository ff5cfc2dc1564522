from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from mfa.errors import InputError
from mfa.records import ReidDataset, Sample
from mfa.training.distillation import compute_teacher, read_teacher


def write(file: Path, names: list[str], features: np.ndarray) -> Path:
    np.savez(file, name=np.array(names), feature=features)
    return file


def samples(*names: str) -> list[Sample]:
    return [Sample(Path("somewhere") / name, pid=1) for name in names]


def test_rows_come_in_the_order_of_the_samples_and_with_length_one(tmp_path: Path) -> None:
    features = np.array([[3, 4], [0, 2], [5, 0]], dtype=np.float16)
    teacher = read_teacher(write(tmp_path / "t.npz", ["a.jpg", "b.jpg", "c.jpg"], features))
    targets = teacher.targets(samples("c.jpg", "a.jpg"))
    assert torch.allclose(targets, torch.tensor([[1.0, 0.0], [0.6, 0.8]]))


def test_the_fingerprint_follows_features_and_names(tmp_path: Path) -> None:
    ones = np.ones((2, 3), dtype=np.float32)
    one = read_teacher(write(tmp_path / "1.npz", ["a", "b"], ones)).fingerprint
    assert one == read_teacher(write(tmp_path / "2.npz", ["a", "b"], ones)).fingerprint
    assert one != read_teacher(write(tmp_path / "3.npz", ["b", "a"], ones)).fingerprint
    assert one != read_teacher(write(tmp_path / "4.npz", ["a", "b"], 2 * ones)).fingerprint


@pytest.mark.parametrize(
    ("names", "features", "words"),
    [
        (["a", "b"], [[1.0, np.nan], [1.0, 1.0]], "NaN.*1 pictures|1 pictures.*NaN"),
        (["a", "b"], [[1.0, 1.0], [0.0, 0.0]], "all zero, first b"),
        (["a", "a"], [[1.0, 1.0], [1.0, 2.0]], "more than once"),
        (["a"], [[1.0, 1.0], [1.0, 2.0]], r"got \(2, 2\) and \(1,\)"),
        (["a", "b"], [1.0, 2.0], "must be"),
        ([], np.zeros((0, 4)), "must be"),
    ],
)
def test_a_bad_file_is_refused_in_words(
    tmp_path: Path, names: list[str], features: object, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        read_teacher(write(tmp_path / "bad.npz", names, np.array(features)))


def test_another_split_is_refused_naming_a_picture(tmp_path: Path) -> None:
    teacher = read_teacher(write(tmp_path / "t.npz", ["a", "b"], np.ones((2, 2))))
    with pytest.raises(InputError, match=r"no feature for 2 of 3 training pictures, first x\.jpg"):
        teacher.targets(samples("a", "x.jpg", "y.jpg"))


def test_what_is_no_npz_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no teacher file"):
        read_teacher(tmp_path / "absent.npz")
    cut = tmp_path / "cut.npz"
    whole = write(tmp_path / "whole.npz", ["a"], np.ones((1, 2))).read_bytes()
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="is not a plain"):
        read_teacher(cut)
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("feature.npy", bytes(2**27))
        archive.writestr("name.npy", b"")
    with pytest.raises(InputError, match="unpacks to"):
        read_teacher(tmp_path / "bomb.npz")
    np.savez(tmp_path / "objects.npz", feature=np.array([{}]), name=np.array(["a"]))
    with pytest.raises(InputError, match="not Python objects") as caught:
        read_teacher(tmp_path / "objects.npz")
    assert "allow_pickle" not in str(caught.value)
    np.savez(tmp_path / "other.npz", query=np.ones(3))
    with pytest.raises(InputError, match="no array 'feature', only query"):
        read_teacher(tmp_path / "other.npz")


class MeanColour:
    """A model whose feature is the mean of each channel, and one more column."""

    size = (16, 8)

    def embed(self, pictures: np.ndarray) -> np.ndarray:
        assert pictures.shape[1:] == (3, 16, 8)
        assert pictures.dtype == np.uint8
        means = pictures.mean(axis=(2, 3)) + 1
        return np.concatenate([means, np.ones((len(means), 1))], axis=1).astype(np.float32)


def test_a_model_is_run_once_over_the_training_pictures(
    tiny_data: ReidDataset, tmp_path: Path
) -> None:
    file = tmp_path / "deep" / "teacher.npz"
    compute_teacher(MeanColour(), tiny_data, file)
    targets = read_teacher(file).targets(tiny_data.train)
    assert targets.shape == (len(tiny_data.train), 4)
    assert torch.allclose(targets.norm(dim=1), torch.ones(len(targets)))
    assert [path.name for path in file.parent.iterdir()] == ["teacher.npz"]
