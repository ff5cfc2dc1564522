"""Files in other projects' formats: written here under their names, read, and equal in value."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchvision.models import resnet18

from mfa import presets
from mfa.cli import COMMANDS, run
from mfa.datasets import load_dataset
from mfa.errors import InputError
from mfa.models import build_model
from mfa.models.tensor_files import read_tensors
from mfa.models.weight_conversion import SOURCES, convert
from mfa.runs.run import open_run

PEOPLE = 7
State = dict[str, Tensor]

NETWORKS: dict[str, tuple[str, dict[str, object]]] = {
    "bagtricks": ("bagtricks", {"trunk": "resnet18"}),
    "agw": ("agw", {"width": 8}),
    "fast-reid": ("agw", {"width": 8}),
    "torchreid": ("osnet", {"width": 16}),
    "layumi": ("layumi", {"trunk": "resnet18"}),
    "transreid": ("transreid", {"width": 8, "stride": 16}),
    "lightmbn": ("osnet", {"width": 16}),
}
"""The network of ours that a project's files become, small."""


@cache
def made(source: str) -> State:
    """A network of ours no two tensors of which are alike, under the names of ``source``.

    That the names are the project's, the tests against the authors' forward pass hold.
    """
    network, small = NETWORKS[source]
    config = replace(presets.get(network).model, weights="none", sie=False, **small)  # type: ignore[arg-type]
    torch.manual_seed(0)
    state = build_model(config, PEOPLE).state_dict()
    found = {}
    for name, value in state.items():
        for theirs, ours in SOURCES[source].rules:
            if not ours.startswith("(") and name.startswith(ours):
                noise = torch.rand_like(value) / 10 if value.is_floating_point() else 0
                found[theirs + name.removeprefix(ours)] = value + noise
                break
    if source == "transreid":
        cls, rest = found.pop("base.cls_position"), found.pop("base.position")
        found["base.pos_embed"] = torch.cat([cls.flatten(1), rest[0].flatten(1).T])[None]
        found["base.sie_embed"] = torch.randn(6, 1, cls.shape[1]) / 10
        found["base.norm.weight"] = torch.ones(cls.shape[1])
    return found


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("backbone.conv1.weight", "trunk.conv1.weight"),
        ("backbone.NL_2.1.theta.bias", "trunk.layer2.non_local3.theta.bias"),
        ("backbone.NL_3.0.W.1.running_var", "trunk.layer3.non_local3.w.1.running_var"),
        ("heads.pool_layer.p", "heads.global.pool.p"),
        ("heads.bottleneck.0.bias", "heads.global.neck.bias"),
        ("heads.bnneck.bias", "heads.global.neck.bias"),
        ("heads.weight", "heads.global.classifier.weight"),
        ("heads.cls_layer.weight", "heads.global.classifier.weight"),
    ],
)
def test_names_of_fast_reid(theirs: str, ours: str) -> None:
    assert SOURCES["fast-reid"].rename(theirs) == ours


@pytest.mark.parametrize("source", NETWORKS)
def test_every_tensor_arrives(source: str, tmp_path: Path) -> None:
    state = made(source)
    content = {"model": state, "epoch": 3, "optimizer": {}, "rank1": np.float32(0.9)}
    torch.save(content, tmp_path / "theirs.pth.tar")
    imported = convert(read_tensors(tmp_path / "theirs.pth.tar").tensors, source)
    assert imported.config.network == NETWORKS[source][0]
    absent = "heads." if source == "lightmbn" else "nothing"
    assert all(name.startswith(absent) for name in imported.missing), imported.missing
    # Each value of the file is in the network exactly once, unless there is a reason.
    own = imported.network.state_dict()
    values = sorted(own[name].double().sum().item() for name in imported.loaded)
    theirs = SOURCES[source].adapt(state).items()
    wanted = sorted(t.double().sum().item() for n, t in theirs if n not in imported.left_out)
    np.testing.assert_allclose(values, wanted, rtol=1e-9)
    assert all(imported.left_out.values())


def test_transreids_cameras_come_along() -> None:
    state = dict(made("transreid"))
    imported = convert(state, "transreid", cameras=(1, 2, 3, 5, 8, 9))
    assert imported.config.sie
    assert imported.cameras == (1, 2, 3, 5, 8, 9)
    own = imported.network.state_dict()["sie.embedding"]
    assert torch.equal(own, state["base.sie_embed"][:, 0])
    assert convert(state, "transreid").cameras == (0, 1, 2, 3, 4, 5)
    with pytest.raises(InputError, match=r"of 6 cameras, but .* trained on 2 \(1, 2\)"):
        convert(state, "transreid", cameras=(1, 2))


def test_torchvisions_trunk_gives_torchvisions_map() -> None:
    plain = resnet18(weights=None).eval()
    imported = convert(plain.state_dict(), "torchvision")
    assert imported.config.network == "bagtricks"
    assert all(name.startswith("heads.") for name in imported.missing)
    assert "ImageNet's classifier" in imported.left_out["fc.weight"]
    plain.layer4[0].conv1.stride = plain.layer4[0].downsample[0].stride = (1, 1)
    images = torch.rand(2, 3, 64, 32)
    with torch.no_grad():
        x = imported.network.normalise(images)
        for part in list(plain.children())[:-2]:
            x = part(x)
        torch.testing.assert_close(imported.network.trunk_map(images), x)


def test_a_classifier_of_other_people_is_explained() -> None:
    imported = convert(made("bagtricks"), "bagtricks", identities=5)
    assert imported.identities == 5
    assert "a classifier of 7 people, not 5" in imported.left_out["classifier.weight"]
    assert imported.missing == ("heads.global.classifier.weight",)
    none = convert(made("bagtricks"), "bagtricks", identities=0)
    assert "without classifiers" in none.left_out["classifier.weight"]


@pytest.mark.parametrize(
    ("source", "state", "sentence"),
    [
        ("torchreid", {"a": torch.zeros(1)}, "no torchreid file.*no layer1"),
        ("layumi", {"a": torch.zeros(1)}, "no classifier.add_block.0.weight"),
        ("transreid", {"a": torch.zeros(1)}, "no base.pos_embed"),
        ("transreid", {"base.pos_embed": torch.zeros(1, 197, 96)}, "196 positions"),
        ("lightmbn", {"a": torch.zeros(1)}, "no backone"),
        ("bagtricks", {"base.layer1.0.se_module.fc1.weight": torch.zeros(1)}, "SE layers"),
        (
            "torchreid",
            {"conv2.0.conv2a.conv1.weight": torch.zeros(1), "conv2.0.IN.weight": torch.zeros(1)},
            "instance normalisation",
        ),
        ("torchreid", {"fc.0.weight": torch.zeros(1)}, "layer behind its pooling"),
        ("nothing", {}, "no source 'nothing'"),
    ],
)
def test_files_of_another_project_are_refused(source: str, state: State, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        convert(state, source)


def test_a_pooling_with_an_exponent_is_kept() -> None:
    state = made("bagtricks") | {"global_pool.p": torch.full((1,), 2.5)}
    imported = convert(state, "agw")
    assert (imported.config.network, imported.config.pooling) == ("bagtricks", "gem")
    assert imported.missing == ()
    assert imported.network.state_dict()["heads.global.pool.p"].item() == 2.5
    with pytest.raises(InputError, match="0 classes"):
        convert(state, "agw", identities=-1)


@pytest.mark.parametrize(
    ("source", "prefix"),
    [
        ("bagtricks", "module."),
        ("bagtricks", "ema.module."),
        ("torchreid", "_orig_mod."),
        ("torchreid", "backbone."),
        ("layumi", "model."),
        ("transreid", "model.module."),
    ],
)
def test_prefixes_of_wrappers_are_taken_off(source: str, prefix: str) -> None:
    state = made(source)
    wrapped = {prefix + name: value for name, value in state.items()}
    plain = convert(state, source)
    imported = convert(wrapped | {"loss.center": torch.zeros(2)}, source)
    assert set(imported.loaded) == set(plain.loaded)
    assert imported.left_out["loss.center"]


def test_averaged_weights_are_named(tmp_path: Path) -> None:
    torch.save({"model": {"a": torch.ones(1)}, "ema": {"a": torch.zeros(1)}}, tmp_path / "both")
    both = read_tensors(tmp_path / "both")
    assert both.tensors["a"].item() == 1
    assert "averaged" in both.notes[0]
    torch.save({"state_dict_ema": {"a": torch.zeros(1)}}, tmp_path / "one")
    one = read_tensors(tmp_path / "one")
    assert one.tensors["a"].item() == 0
    assert "averaged" in one.notes[0]


def test_a_wrong_source_says_which_fits() -> None:
    with pytest.raises(InputError, match=r"no transreid file.*--from torchreid"):
        convert(made("torchreid"), "transreid")
    with pytest.raises(InputError, match=r"no agw file.*--from lightmbn"):
        convert(made("lightmbn"), "agw")


def test_half_a_file_is_refused() -> None:
    kept = ("base.conv1", "base.layer1.0", "base.layer2")
    state = {name: value for name, value in made("bagtricks").items() if name.startswith(kept)}
    with pytest.raises(InputError, match="tensors of bagtricks are in this file"):
        convert(state, "bagtricks")


def test_code_in_a_file_is_not_run(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2), tmp_path / "whole.pth")  # a pickled module, as BagTricks saves it
    with pytest.raises(InputError, match=r"object \(torch.nn.*Linear\).*save its state_dict\(\) "):
        read_tensors(tmp_path / "whole.pth")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [([1, 2], "no table of named tensors but list"), ({"a": 1}, "no tensors")],
)
def test_files_without_named_tensors(tmp_path: Path, content: object, sentence: str) -> None:
    torch.save(content, tmp_path / "file.pth")
    with pytest.raises(InputError, match=sentence):
        read_tensors(tmp_path / "file.pth")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("text.pth", b"hello", r"text\.pth is no readable weights file .*is it whole"),
        ("empty.safetensors", b"", r"empty\.safetensors is no readable weights file .*is it whole"),
        ("page.pth", b"\n<!DOCTYPE html><html>Quota exceeded</html>", r"page\.pth is a web page"),
        ("some.pth", b"version https://git-lfs.github.com/spec/v1\noid 1", "pointer.*git lfs pull"),
        ("nowhere.pth", None, "no weights file"),
    ],
)
def test_files_that_hold_no_weights(
    tmp_path: Path, name: str, content: bytes | None, sentence: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=sentence):
        read_tensors(tmp_path / name)


def test_the_command_writes_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": made("torchreid")}, "osnet_x0_25.pth.tar")
    words = ["import-weights", "osnet_x0_25.pth.tar", "--from", "torchreid", "--height", "64"]
    assert run("mfa", COMMANDS, [*words, "--width", "32", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["network"] == "osnet"
    assert printed["missing"] == []
    opened = open_run("osnet_x0_25")
    assert (opened.config.model.width, opened.config.data.height) == (16, 64)
    images = torch.rand(2, 3, 64, 32)
    with torch.no_grad():
        wanted = convert(read_tensors(Path("osnet_x0_25.pth.tar")).tensors, "torchreid").network(
            images
        )
        assert torch.equal(opened.model(images).descriptor, wanted.descriptor)
    assert "osnet_x0_25.pth.tar (sha256 " in opened.checkpoint.facts["imported"]
    assert run("mfa", COMMANDS, words) == 2
    assert "already holds a run" in capsys.readouterr().err
    assert run("mfa", COMMANDS, [*words, "--run", "other", "--identities", "3"]) == 0
    assert "a classifier of 7 people, not 3" in capsys.readouterr().out


def test_the_command_learns_whose_cameras_they_are(
    tmp_path: Path,
    tiny_root: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    state = dict(made("transreid"))
    state["base.sie_embed"] = state["base.sie_embed"][:2]
    torch.save(state, "theirs.pth")
    words = ["import-weights", "theirs.pth", "--from", "transreid"]
    assert run("mfa", COMMANDS, words) == 0
    assert "embeddings of 2 cameras; say with --trained-on" in capsys.readouterr().out
    trained = ["--trained-on", "synthetic", "--data-root", str(tiny_root), "--run", "told"]
    assert run("mfa", COMMANDS, [*words, *trained]) == 0
    assert "--trained-on" not in capsys.readouterr().out
    data = load_dataset("synthetic", tiny_root)
    assert open_run("theirs").cameras_of(data.query, data) is None
    opened = open_run("told")
    assert opened.checkpoint.cameras == (1, 2)
    assert opened.cameras_of(data.query, data).tolist() == [1] * 4  # type: ignore[union-attr]
    torch.save(made("transreid"), "six.pth")
    assert run("mfa", COMMANDS, ["import-weights", "six.pth", "--from", "transreid", *trained]) == 2
    assert "embeddings of 6 cameras, but it is said to be trained on 2" in capsys.readouterr().err
