"""How each project names its weights: a network of ours for a file, and our name for a tensor.

A rule gives our name, or a sentence in parentheses why the tensor has no place. Names are facts of
the projects' files; none of their code is here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from mfa.config import ModelConfig, Trunk
from mfa.errors import InputError
from mfa.models.network import IMAGENET_MEAN, IMAGENET_STD

RESNET50 = ModelConfig(network="bagtricks", trunk="resnet50", cpaa=(), branches=0, pooling="gap")

PROJECTION = "base.patch_embed.proj."
"""TransReID's first layer."""

LIGHTMBN = ("backone", "backbone")
"""What LightMBN calls its trunk; its first files have the misspelt name."""

Weights = Mapping[str, Tensor]


@dataclass(frozen=True)
class Source:
    """A project whose files can be read.

    Attributes:
        network: the configuration a file's tensors belong to.
        rules: beginnings of names there and here, or ``(why not)``; the first that fits counts.
        notes: in which points the vectors of the network differ from theirs.
        adapt: the tensors, under their names there, as the network here needs them.
    """

    network: Callable[[Weights], ModelConfig]
    rules: Sequence[tuple[str, str]]
    notes: tuple[str, ...] = ()
    adapt: Callable[[Weights], Weights] = lambda state: state

    def rename(self, name: str) -> str:
        """A tensor's name there to its name here, or ``(why not)``."""
        for theirs, ours in self.rules:
            if name.startswith(theirs):
                return ours if ours.startswith("(") else ours + name.removeprefix(theirs)
        return "(no part of the network has this name)"


def _resnet_by_shapes(state: Weights, block: str) -> ModelConfig:
    """BagTricks or AGW on resnet18, 34 or 50, by the blocks there are; with GeM if it is there."""
    if any(re.search(r"\.(se|se_module)\.", name) for name in state):
        raise InputError("its trunk has SE layers, which no network here has")
    deep = f"{block}layer3.5.conv1.weight" in state
    wide = f"{block}layer1.0.conv3.weight" in state
    if not {f"{block}conv1.weight", f"{block}layer1.0.conv1.weight"} <= set(state):
        raise InputError(f"no {block}layer1.0.conv1.weight is in it")
    if f"{block}layer3.6.conv1.weight" in state or (wide and not deep):
        raise InputError("it is a ResNet other than 18, 34 and 50, which no network here has")
    trunk: Trunk = "resnet50" if wide else "resnet34" if deep else "resnet18"
    return replace(
        RESNET50,
        network="agw" if any("NL_" in name for name in state) else "bagtricks",
        trunk=trunk,
        width=state[f"{block}conv1.weight"].shape[0],
        ibn=f"{block}layer1.0.bn1.IN.weight" in state,
        pooling="gem" if {"heads.pool_layer.p", "global_pool.p"} & set(state) else "gap",
    )


def _strong_baseline(state: Weights) -> ModelConfig:
    """BagTricks or AGW; their plain trunks have no ReLU behind the first normalisation."""
    config = _resnet_by_shapes(state, "base.")
    return replace(config, authors_code=not config.ibn)


def _layumi(state: Weights) -> ModelConfig:
    if "classifier.add_block.0.weight" not in state:
        raise InputError("no classifier.add_block.0.weight is in it")
    return replace(_resnet_by_shapes(state, "model."), network="layumi", stride=32)


def _torchreid(state: Weights) -> ModelConfig:
    if "conv2.0.conv2a.conv1.weight" in state:
        if "conv2.0.IN.weight" in state:
            raise InputError("it is an OSNet with instance normalisation, which is not built here")
        width = state["conv1.conv.weight"].shape[0]
        return replace(RESNET50, network="osnet", trunk="osnet", width=width)
    if any(name.startswith("fc.0.") for name in state):
        raise InputError("it is a ResNet with a layer behind its pooling, which is not built here")
    return replace(_resnet_by_shapes(state, ""), stride=32)


def _transreid(state: Weights) -> ModelConfig:
    positions = state.get("base.pos_embed")
    if positions is None:
        raise InputError("no base.pos_embed is in it; these are no weights of TransReID")
    strides: dict[int, Literal[12, 16]] = {128: 16, 210: 12}
    count = positions.shape[1] - 1
    if count not in strides:
        raise InputError(
            f"it has {count} positions; a network here has those of pictures of 256x128 at stride "
            "16 (128) or 12 (210)"
        )
    if "b1.0.norm1.weight" not in state:
        raise InputError("it has no jigsaw branch (JPM); TransReID is built with it")
    width, sie = positions.shape[2] // 12, "base.sie_embed" in state
    vit = replace(RESNET50, network="transreid", trunk="vit_b16", width=width)
    return replace(vit, stride=strides[count], sie=sie, authors_code=True)


def _adapt_patches(state: Weights) -> Weights:
    """Positions in two, and the patches' first layer for pictures normalised as here.

    Theirs took one half throughout. (x - 1/2) / (1/2) is an affine function of
    (x - mean) / deviation, and patches have no border that is filled up, so weights and bias take
    it in exactly.
    """
    cls, positions = state["base.pos_embed"][0].tensor_split([1])
    made = {**state, "base.cls_position": cls, "base.position": positions.T}
    del made["base.pos_embed"]
    weight, bias = (state.get(f"{PROJECTION}{part}") for part in ("weight", "bias"))
    if weight is not None and bias is not None:
        mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
        shift = (weight * (mean - 0.5) / 0.5).sum(dim=(1, 2, 3))
        made |= {f"{PROJECTION}weight": weight * std / 0.5, f"{PROJECTION}bias": bias + shift}
    return made


def _lightmbn(state: Weights) -> ModelConfig:
    for name in LIGHTMBN:
        if f"{name}.0.conv.weight" in state:
            width = state[f"{name}.0.conv.weight"].shape[0]
            return replace(RESNET50, network="osnet", trunk="osnet", width=width)
    raise InputError(f"no {LIGHTMBN[0]}.0.conv.weight is in it")


_CLASSIFIER = ("classifier.", "heads.global.classifier.")
_FC = "(ImageNet's classifier; retrieval has no use for it)"
_NECK = ("bottleneck.", "heads.global.neck.")


def _trunk_rules(prefix: str) -> list[tuple[str, str]]:
    """A ResNet-50's names behind ``prefix``; AGW's non-local blocks stand in lists of their own."""
    rules = []
    for layer in (2, 3):  # as many blocks as the layer's number, behind its last ones
        for i in range(layer):
            theirs, ours = f"{prefix}NL_{layer}.{i}.", f"trunk.layer{layer}.non_local{layer + i}."
            rules += [(f"{theirs}W.", f"{ours}w."), (theirs, ours)]
    return [*rules, (f"{prefix}fc.", _FC), (prefix, "trunk.")]


_STRONG_BASELINE = Source(
    _strong_baseline,
    [
        *_trunk_rules("base."),
        ("global_pool.p", "heads.global.pool.p"),
        _NECK,
        _CLASSIFIER,
        ("module.classifier.", "heads.global.classifier."),
    ],
)

SOURCES: Mapping[str, Source] = {
    "torchvision": Source(
        lambda state: _resnet_by_shapes(state, ""), [("fc.", _FC), ("", "trunk.")]
    ),
    "bagtricks": _STRONG_BASELINE,
    "agw": _STRONG_BASELINE,
    "layumi": Source(
        _layumi,
        [
            ("model.fc.", _FC),
            ("model.", "trunk."),
            ("classifier.add_block.0.", "heads.global.pool.layers."),
            ("classifier.add_block.1.", "heads.global.neck."),
            ("classifier.classifier.0.", "heads.global.classifier."),
        ],
        (
            "files of 2019 and before end in a leaky ReLU, which has no tensors and is not "
            "applied here",
        ),
    ),
    "fast-reid": Source(
        lambda state: _resnet_by_shapes(state, "backbone."),
        [
            ("pixel_", "(the network normalises pictures itself)"),
            *_trunk_rules("backbone."),
            ("heads.pool_layer.p", "heads.global.pool.p"),
            ("heads.bottleneck.0.", "heads.global.neck."),
            ("heads.bnneck.", "heads.global.neck."),
            ("heads.weight", "heads.global.classifier.weight"),
            ("heads.cls_layer.weight", "heads.global.classifier.weight"),
            ("heads.classifier.weight", "heads.global.classifier.weight"),
        ],
        (
            "fast-reid's configurations differ in ways that a file does not state (stride, feature "
            "before or after the neck); compare a descriptor with theirs before trusting figures",
        ),
    ),
    "torchreid": Source(
        _torchreid, [("fc.", "heads.global.pool.layers."), _CLASSIFIER, ("", "trunk.")]
    ),
    "transreid": Source(
        _transreid,
        [
            ("base.sie_embed", "sie.embedding"),
            ("base.fc.", _FC),
            ("base.head.", _FC),
            ("base.norm.", "(the ViT's own last normalisation, which JPM does not use)"),
            ("base.cls_token", "trunk.patches.cls_token"),
            ("base.cls_position", "trunk.patches.cls_position"),
            ("base.position", "trunk.patches.position"),
            (PROJECTION, "trunk.patches.proj."),
            ("base.blocks.11.", "(the ViT's own last block, which JPM does not use)"),
            *((f"base.blocks.{i}.", f"trunk.block{i + 1}.") for i in range(11)),
            ("b1.0.", "stems.whole.block."),
            ("b1.1.", "stems.whole.norm."),
            ("b2.0.", "stems.jigsaw.block."),
            ("b2.1.", "stems.jigsaw.norm."),
            *((f"bottleneck_{i}.", f"heads.part{i}.neck.") for i in range(1, 5)),
            *((f"classifier_{i}.", f"heads.part{i}.classifier.") for i in range(1, 5)),
            _NECK,
            _CLASSIFIER,
        ],
        (
            "the authors score the vectors before the necks and divide those of the parts by 4; "
            "here they are scored after the necks, all alike",
        ),
        adapt=_adapt_patches,
    ),
    "lightmbn": Source(
        _lightmbn,
        [
            *((f"{name}.0.", "trunk.conv1.") for name in LIGHTMBN),
            *((f"{name}.2.", "trunk.conv2.") for name in LIGHTMBN),
            *((f"{name}.3.", "trunk.conv3.0.") for name in LIGHTMBN),
            ("global_branch.0.0.", "trunk.conv3.1."),
            ("global_branch.0.1.", "trunk.conv3.2."),
            ("global_branch.1.", "trunk.conv4."),
            ("global_branch.2.", "trunk.conv5."),
            ("", "(LightMBN's own branches and heads are not built here)"),
        ],
        (
            "LightMBN's trunk and global branch become an OSNet's, whose last layer stays random: "
            "a start for training, not a model to score",
        ),
    ),
}
"""By the name that ``mfa import-weights --from`` takes."""
