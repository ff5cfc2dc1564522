"""Files in other projects' formats: written here under their names, read, and equal in value."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchvision.models import resnet18

from mfa import presets
from mfa.cli import COMMANDS, run
from mfa.config import ModelConfig
from mfa.datasets import load_dataset
from mfa.errors import InputError
from mfa.models import build_model
from mfa.models.tensor_files import read_tensors
from mfa.models.weight_conversion import SOURCES, convert
from mfa.runs.run import open_run

PEOPLE = 7
State = dict[str, Tensor]


def ours(network: str, **changes: object) -> ModelConfig:
    """The configuration of a network on a trunk that is quickly made."""
    config = presets.get(network).model
    small = {"trunk": "resnet18"} if network == "bagtricks" else {}
    return replace(config, weights="none", sie=False, **{**small, **changes})  # type: ignore[arg-type]


def made(network: str, **changes: object) -> State:
    """A network of ours no two tensors of which are alike."""
    torch.manual_seed(0)
    state = build_model(ours(network, **changes), PEOPLE).state_dict()
    return {
        k: v + torch.rand_like(v) / 10 if v.is_floating_point() else v for k, v in state.items()
    }


def renamed(state: State, *rules: tuple[str, str]) -> State:
    """The tensors under other names, each by the first rule that fits; others are dropped."""
    found = {}
    for name, value in state.items():
        for start, target in rules:
            if name.startswith(start):
                found[target + name.removeprefix(start)] = value
                break
    return found


def bagtricks() -> State:
    return renamed(
        made("bagtricks"),
        ("trunk.", "base."),
        ("heads.global.neck.", "bottleneck."),
        ("heads.global.classifier.", "classifier."),
    )


def _non_local(prefix: str, state: State) -> State:
    """AGW's two lists of blocks, numbered by themselves, with a capital W."""
    theirs = {}
    for name, value in state.items():
        for layer, first in ((2, 2), (3, 3)):
            for block in range(first, first + layer):
                ours = f"{prefix}layer{layer}.non_local{block}."
                if name.startswith(ours):
                    inside = name.removeprefix(ours).replace("w.", "W.", 1)
                    theirs[f"{prefix}NL_{layer}.{block - first}.{inside}"] = value
    plain = {name: value for name, value in state.items() if "non_local" not in name}
    return plain | theirs


def agw() -> State:
    state = renamed(
        made("agw", width=8),
        ("trunk.", "base."),
        ("heads.global.pool.p", "global_pool.p"),
        ("heads.global.neck.", "bottleneck."),
        ("heads.global.classifier.", "classifier."),
    )
    state["global_pool.p"] = state["global_pool.p"].reshape(1)
    return _non_local("base.", state)


def fast_reid() -> State:
    state = renamed(
        made("agw", width=8),
        ("trunk.", "backbone."),
        ("heads.global.pool.p", "heads.pool_layer.p"),
        ("heads.global.neck.", "heads.bottleneck.0."),
        ("heads.global.classifier.weight", "heads.weight"),
    )
    state["heads.pool_layer.p"] = state["heads.pool_layer.p"].reshape(1)
    state["pixel_mean"] = torch.zeros(1, 3, 1, 1)
    return _non_local("backbone.", state)


def torchreid() -> State:
    return renamed(
        made("osnet", width=16),
        ("heads.global.pool.layers.", "module.fc."),
        ("heads.global.classifier.", "module.classifier."),
        ("trunk.", "module."),
    )


def transreid(stride: int = 16) -> State:
    state = made("transreid", width=8, stride=stride)
    position = state.pop("trunk.patches.position")[0].flatten(1).T
    cls = state.pop("trunk.patches.cls_position").view(1, -1)
    theirs = renamed(
        state,
        ("trunk.patches.proj.", "base.patch_embed.proj."),
        ("trunk.patches.cls_token", "base.cls_token"),
        *((f"trunk.block{i + 1}.", f"base.blocks.{i}.") for i in range(11)),
        ("stems.whole.block.", "b1.0."),
        ("stems.whole.norm.", "b1.1."),
        ("stems.jigsaw.block.", "b2.0."),
        ("stems.jigsaw.norm.", "b2.1."),
        *((f"heads.part{i}.neck.", f"bottleneck_{i}.") for i in range(1, 5)),
        *((f"heads.part{i}.classifier.", f"classifier_{i}.") for i in range(1, 5)),
        ("heads.global.neck.", "bottleneck."),
        ("heads.global.classifier.", "classifier."),
    )
    theirs["base.cls_token"] = theirs["base.cls_token"].view(1, 1, -1)
    theirs["base.pos_embed"] = torch.cat([cls, position])[None]
    theirs["base.sie_embed"] = torch.randn(6, 1, cls.shape[1]) / 10
    theirs["base.norm.weight"] = torch.ones(cls.shape[1])
    return theirs


def layumi() -> State:
    return renamed(
        made("layumi", trunk="resnet18"),
        ("trunk.", "model."),
        ("heads.global.pool.layers.", "classifier.add_block.0."),
        ("heads.global.neck.", "classifier.add_block.1."),
        ("heads.global.classifier.", "classifier.classifier.0."),
    )


def lightmbn() -> State:
    return renamed(
        made("osnet", width=16),
        ("trunk.conv1.", "backone.0."),
        ("trunk.conv2.", "backone.2."),
        ("trunk.conv3.0.", "backone.3."),
        ("trunk.conv3.1.", "global_branch.0.0."),
        ("trunk.conv3.2.", "global_branch.0.1."),
        ("trunk.conv4.", "global_branch.1."),
        ("trunk.conv5.", "global_branch.2."),
    ) | {"partial_branch.0.0.conv1.conv.weight": torch.zeros(2)}


def torchvision() -> State:
    torch.manual_seed(0)
    return resnet18(weights=None).state_dict()


FILES: dict[str, tuple[Callable[[], State], str, str]] = {
    "torchvision": (torchvision, "bagtricks", ""),
    "bagtricks": (bagtricks, "bagtricks", ""),
    "agw": (agw, "agw", ""),
    "fast-reid": (fast_reid, "agw", "model"),
    "torchreid": (torchreid, "osnet", "state_dict"),
    "layumi": (layumi, "layumi", ""),
    "transreid": (transreid, "transreid", ""),
    "lightmbn": (lightmbn, "osnet", ""),
}
"""What each project writes: its tensors, the network they are, what they are wrapped in."""

RANDOM = {"torchvision": "heads.", "lightmbn": "heads."}
"""Tensors that stay as they were where the file has none for them."""


def test_every_source_has_a_file_here() -> None:
    assert set(FILES) == set(SOURCES)


@pytest.mark.parametrize("source", FILES)
def test_every_tensor_arrives(source: str, tmp_path: Path) -> None:
    write, network, wrapper = FILES[source]
    state = write()
    beside = {"epoch": 3, "optimizer": {}, "rank1": np.float32(0.9)}
    content: object = {wrapper: state, **beside} if wrapper else state
    torch.save(content, tmp_path / "theirs.pth.tar")
    read = read_tensors(tmp_path / "theirs.pth.tar").tensors
    imported = convert(read, source)
    assert imported.config.network == network
    own = imported.network.state_dict()
    absent = RANDOM.get(source, "nothing")
    assert all(name.startswith(absent) for name in imported.missing), imported.missing
    # Each value of the file is in the network exactly once, unless the file is told to hold it
    # for nothing.
    values = sorted(t.double().sum().item() for n, t in own.items() if n in imported.loaded)
    progress = set(imported.left_out)
    read = {name.removeprefix("module."): value for name, value in read.items()}
    theirs = dict(SOURCES[source].adapt(read))
    theirs = {n: t for n, t in theirs.items() if n not in progress and "num_batches" not in n}
    if source == "transreid":
        positions = theirs.pop("base.pos_embed")
        theirs |= {"cls": positions[:, :1], "rest": positions[:, 1:]}
    wanted = sorted(t.double().sum().item() for t in theirs.values())
    np.testing.assert_allclose(values, wanted, rtol=1e-9)
    for name, why in imported.left_out.items():
        assert why, name


def test_transreids_cameras_come_along() -> None:
    state = transreid()
    imported = convert(state, "transreid", cameras=(1, 2, 3, 5, 8, 9))
    assert imported.config.sie
    assert imported.cameras == (1, 2, 3, 5, 8, 9)
    own = imported.network.state_dict()["sie.embedding"]
    assert torch.equal(own, state["base.sie_embed"][:, 0])
    assert convert(state, "transreid").cameras == (0, 1, 2, 3, 4, 5)
    with pytest.raises(InputError, match=r"of 6 cameras, but .* trained on 2 \(1, 2\)"):
        convert(state, "transreid", cameras=(1, 2))


def test_torchvisions_trunk_gives_torchvisions_map() -> None:
    state = torchvision()
    plain = resnet18(weights=None).eval()
    plain.load_state_dict(state)
    plain.layer4[0].conv1.stride = plain.layer4[0].downsample[0].stride = (1, 1)
    imported = convert(state, "torchvision")
    images = torch.rand(2, 3, 64, 32)
    with torch.no_grad():
        x = imported.network.normalise(images)
        for part in (plain.conv1, plain.bn1, plain.relu, plain.maxpool, plain.layer1):
            x = part(x)
        for part in (plain.layer2, plain.layer3, plain.layer4):
            x = part(x)
        torch.testing.assert_close(imported.network.trunk_map(images), x)
    assert "ImageNet's classifier" in imported.left_out["fc.weight"]


def test_a_classifier_of_other_people_is_explained() -> None:
    imported = convert(bagtricks(), "bagtricks", identities=5)
    assert imported.identities == 5
    assert "a classifier of 7 people, not 5" in imported.left_out["classifier.weight"]
    assert imported.missing == ("heads.global.classifier.weight",)
    none = convert(bagtricks(), "bagtricks", identities=0)
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
    state = bagtricks() | {"global_pool.p": torch.full((1,), 2.5)}
    imported = convert(state, "agw")
    assert (imported.config.network, imported.config.pooling) == ("bagtricks", "gem")
    assert imported.missing == ()
    assert imported.network.state_dict()["heads.global.pool.p"].item() == 2.5
    with pytest.raises(InputError, match="0 classes"):
        convert(state, "agw", identities=-1)


@pytest.mark.parametrize(
    "prefix", ["module.", "_orig_mod.", "model.", "model.module.", "ema.module.", "backbone."]
)
@pytest.mark.parametrize("source", ["bagtricks", "torchreid", "layumi", "transreid"])
def test_prefixes_of_wrappers_are_taken_off(prefix: str, source: str) -> None:
    state = {k.removeprefix("module."): v for k, v in FILES[source][0]().items()}
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
        convert(torchreid(), "transreid")
    with pytest.raises(InputError, match=r"no agw file.*--from lightmbn"):
        convert(lightmbn(), "agw")


def test_half_a_file_is_refused() -> None:
    kept = ("base.conv1", "base.layer1.0", "base.layer2")
    state = {name: value for name, value in bagtricks().items() if name.startswith(kept)}
    with pytest.raises(InputError, match="tensors of bagtricks are in this file"):
        convert(state, "bagtricks")


def test_code_in_a_file_is_not_run(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2), tmp_path / "whole.pth")  # a pickled module, as BagTricks saves it
    with pytest.raises(
        InputError, match=r"object \(torch\.nn\..*Linear\).*save its state_dict\(\) "
    ):
        read_tensors(tmp_path / "whole.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(InputError, match="no table of named tensors but list"):
        read_tensors(tmp_path / "list.pth")
    torch.save({"epoch": 1}, tmp_path / "bare.pth")
    with pytest.raises(InputError, match="no tensors under names"):
        read_tensors(tmp_path / "bare.pth")
    (tmp_path / "text.pth").write_text("hello")
    whole = (tmp_path / "list.pth").read_bytes()
    (tmp_path / "cut.pth").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.safetensors").write_bytes(b"")
    (tmp_path / "page.pth").write_text("\n<!DOCTYPE html><html>Quota exceeded</html>")
    (tmp_path / "pointer.pth").write_text("version https://git-lfs.github.com/spec/v1\noid 1")
    with pytest.raises(InputError, match=r"page\.pth is a web page"):
        read_tensors(tmp_path / "page.pth")
    with pytest.raises(InputError, match=r"pointer\.pth is a git-LFS pointer.*git lfs pull"):
        read_tensors(tmp_path / "pointer.pth")
    for name in ("text.pth", "cut.pth", "empty.safetensors"):
        with pytest.raises(InputError, match=rf"{name} is no readable weights file .*is it whole"):
            read_tensors(tmp_path / name)
    with pytest.raises(InputError, match="no weights file"):
        read_tensors(tmp_path / "nowhere.pth")


def test_the_command_writes_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": torchreid()}, "osnet_x0_25.pth.tar")
    words = ["import-weights", "osnet_x0_25.pth.tar", "--from", "torchreid", "--height", "64"]
    assert run("mfa", COMMANDS, [*words, "--width", "32", "--json"]) == 0
    progress = json.loads(capsys.readouterr().out)
    assert progress["network"] == "osnet"
    assert progress["missing"] == []
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
    state = transreid()
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
    torch.save(transreid(), "six.pth")
    assert run("mfa", COMMANDS, ["import-weights", "six.pth", "--from", "transreid", *trained]) == 2
    assert "embeddings of 6 cameras, but it is said to be trained on 2" in capsys.readouterr().err
