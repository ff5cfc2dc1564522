"""Words on the command line: runs, feature files, and models with settings of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from mfa.cli.models import ExternalSettings, Scoring, free, scored, settings
from mfa.errors import InputError
from mfa.records import ReidDataset

MEANS = """def means(values):
    return values.reshape(len(values), 48, -1).mean(axis=2)
"""


@pytest.mark.parametrize(
    ("word", "model", "own"),
    [
        ("theirs.onnx", "theirs.onnx", {}),
        ("a,b.onnx", "a,b.onnx", {}),
        ("theirs.onnx,inputs=half", "theirs.onnx", {"inputs": "half"}),
        (
            "timm:vit@w,1.pth,size=384x128,inputs=half,name=big",
            "timm:vit@w,1.pth",
            {"size": (384, 128), "inputs": "half", "name": "big"},
        ),
        ("own.py:means,name=x,size=64x32", "own.py:means", {"name": "x", "size": (64, 32)}),
        ("own.py:means,colour=red", "own.py:means,colour=red", {}),
    ],
)
def test_settings_stand_behind_a_model(word: str, model: str, own: dict[str, object]) -> None:
    assert settings(word) == (model, own)


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("a.onnx,size=256", "such as 256x128, got '256'"),
        ("a.onnx,size=0x128", "got '0x128'"),
        ("a.onnx,size=1000000000x128", "1 to 4096 pixels"),
        ("a.onnx,inputs=half,inputs=unit", "inputs= stands twice"),
    ],
)
def test_settings_that_are_none(word: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        settings(word)


def test_each_model_is_fed_what_it_says(
    tmp_path: Path, tiny_data: ReidDataset, tiny_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(MEANS)
    common = ExternalSettings(inputs="unit", size=(32, 16))
    name, result = scored("own.py:means", tiny_data, common, Scoring())
    assert (name, result.card["input_size"], result.card["inputs"]) == ("means", "32x16", "unit")
    word = "own.py:means,size=64x32,inputs=bgr255,name=mine"
    name, result = scored(word, tiny_data, common, Scoring(camera_filter=False))
    assert (name, result.card["input_size"], result.card["inputs"]) == ("mine", "64x32", "bgr255")
    assert result.card["camera_filter"] is False
    with pytest.raises(InputError, match="no input convention 'rgb'"):
        scored("own.py:means,inputs=rgb", tiny_data, common, Scoring())
    with pytest.raises(InputError, match="knows its own input; size behind a name"):
        scored(f"{tiny_run},size=64x32", tiny_data, common, Scoring())
    with pytest.raises(InputError, match="--data NAME"):
        scored("own.py:means", None, common, Scoring())


def test_vectors_of_other_inputs_are_not_taken_for_each_other(
    tmp_path: Path, tiny_data: ReidDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file's kept vectors are of the inputs it was fed."""
    import torch
    from torch import nn

    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 8, 5), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    program = torch.export.export(network.eval(), (torch.zeros(2, 3, 64, 32),))
    torch.export.save(program, "theirs.pt2")
    found = {
        inputs: scored(
            f"theirs.pt2,size=64x32,inputs={inputs}", tiny_data, ExternalSettings(), Scoring()
        )
        for inputs in ("unit", "bgr255", "unit")
    }
    assert len(list((tmp_path / "runs/external").iterdir())) == 2
    vectors = [result.features.query.features for _, result in found.values()]  # type: ignore[union-attr]
    assert abs(vectors[0] - vectors[1]).max() > 0.01


def test_a_name_that_is_free() -> None:
    assert free("a", []) == "a"
    assert free("a", ["a", "a (2)"]) == "a (3)"
