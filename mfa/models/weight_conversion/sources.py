"""How each project names its weights: a network of ours for a file, and our name for a tensor.

A source's ``rename`` gives our name, or a sentence in parentheses why the tensor has no place.
Names are facts of the projects' files; none of their code is here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from mfa.config import ModelConfig, Trunk
from mfa.errors import InputError
from mfa.models.network import IMAGENET_MEAN, IMAGENET_STD

RESNET50 = ModelConfig(network="bagtricks", trunk="resnet50", cpaa=(), branches=0, pooling="gap")

GEM = ("heads.pool_layer.p", "global_pool.p")
"""Where fast-reid and AGW keep the exponent of GeM pooling."""

PROJECTION = "base.patch_embed.proj."
"""TransReID's first layer."""

CAMERAS = "base.sie_embed"
"""Where TransReID keeps the embeddings of its cameras, (cameras, 1, C)."""

LIGHTMBN = ("backone", "backbone")
"""What LightMBN calls its trunk; its first files have the misspelt name."""

SKIPPED = "(counts batches; not needed)"

Weights = Mapping[str, Tensor]


@dataclass(frozen=True)
class Source:
    """A project whose files can be read.

    Attributes:
        network: the configuration a file's tensors belong to.
        rename: a tensor's name there to its name here, or ``(why not)``.
        notes: of the network's configuration, in which points its vectors differ from theirs.
        adapt: the tensors, under their names there, as the network here needs them.
    """

    network: Callable[[Weights], ModelConfig]
    rename: Callable[[str], str]
    notes: Callable[[ModelConfig], tuple[str, ...]] = lambda config: ()
    adapt: Callable[[Weights], Weights] = lambda state: state


def _first(rules: list[tuple[str, str]]) -> Callable[[str], str]:
    """Rename by the first pattern that matches from the start."""

    def rename(name: str) -> str:
        for pattern, target in rules:
            found = re.match(pattern, name)
            if found:
                if target.startswith("("):
                    return target
                return found.expand(target) + name[found.end() :]
        return "(no part of the network has this name)"

    return rename


def _resnet_by_shapes(state: Weights, block: str) -> ModelConfig:
    """resnet18, 34 or 50 from the blocks there are; with GeM where its exponent is there."""
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
        trunk=trunk,
        width=state[f"{block}conv1.weight"].shape[0],
        ibn=f"{block}layer1.0.bn1.IN.weight" in state,
        pooling="gem" if any(name in state for name in GEM) else "gap",
    )


def _strong_baseline(state: Weights) -> ModelConfig:
    """BagTricks or AGW; their plain trunks have no ReLU behind the first normalisation."""
    config = _with_non_local(_resnet_by_shapes(state, "base."), state)
    return replace(config, authors_code=not config.ibn)


def _layumi(state: Weights) -> ModelConfig:
    if "classifier.add_block.0.weight" not in state:
        raise InputError("no classifier.add_block.0.weight is in it")
    return replace(_resnet_by_shapes(state, "model."), network="layumi", stride=32)


def _with_non_local(config: ModelConfig, state: Weights) -> ModelConfig:
    return replace(config, network="agw") if any("NL_" in name for name in state) else config


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
    width, sie = positions.shape[2] // 12, CAMERAS in state
    vit = replace(RESNET50, network="transreid", trunk="vit_b16", width=width)
    return replace(vit, stride=strides[count], sie=sie, authors_code=True)


def _seen_with_our_normalisation(state: Weights) -> Weights:
    """Patches' first layer for pictures normalised as here, where theirs took one half throughout.

    (x - 1/2) / (1/2) is an affine function of (x - mean) / deviation, and patches have no border
    that is filled up, so weights and bias take it in exactly.
    """
    names = [f"{PROJECTION}{part}" for part in ("weight", "bias")]
    if not set(names) <= set(state):
        return state
    weight, bias = (state[name] for name in names)
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
    shift = (weight * (mean - 0.5) / 0.5).sum(dim=(1, 2, 3))
    return {**state, names[0]: weight * std / 0.5, names[1]: bias + shift}


def _lightmbn(state: Weights) -> ModelConfig:
    for name in LIGHTMBN:
        if f"{name}.0.conv.weight" in state:
            width = state[f"{name}.0.conv.weight"].shape[0]
            return replace(RESNET50, network="osnet", trunk="osnet", width=width)
    raise InputError(f"no {LIGHTMBN[0]}.0.conv.weight is in it")


HEAD = r"heads.global."
_CLASSIFIER = (r"(?:module\.)?classifier\.", HEAD + "classifier.")
_FC = "(ImageNet's classifier; retrieval has no use for it)"
_NECK = (r"bottleneck\.", HEAD + "neck.")

_STRONG_BASELINE = [
    (r"base\.NL_2\.(\d+)\.", r"trunk.layer2.non_local{2+\1}."),
    (r"base\.NL_3\.(\d+)\.", r"trunk.layer3.non_local{3+\1}."),
    (r"base\.fc\.", _FC),
    (r"base\.", "trunk."),
    (r"global_pool\.p$", HEAD + "pool.p"),
    _NECK,
    _CLASSIFIER,
]


def _placed(rename: Callable[[str], str]) -> Callable[[str], str]:
    """Fill in ``{2+1}``, AGW's non-local names, and theirs for what is inside."""

    def added(found: re.Match[str]) -> str:
        return str(int(found[1]) + int(found[2]))

    def place(name: str) -> str:
        renamed = re.sub(r"\{(\d+)\+(\d+)\}", added, rename(name))
        return re.sub(r"(non_local\d+)\.W\.", r"\1.w.", renamed)

    return place


def _differs(*notes: str) -> Callable[[ModelConfig], tuple[str, ...]]:
    return lambda config: notes


def _torchreid_notes(config: ModelConfig) -> tuple[str, ...]:
    if config.network == "osnet":
        return ()
    return (
        "a ResNet's file does not state its stride; it is read as one of stride 32, torchreid's "
        "default",
    )


_RENAME_STRONG = _placed(_first(_STRONG_BASELINE))

SOURCES: Mapping[str, Source] = {
    "torchvision": Source(
        lambda state: _resnet_by_shapes(state, ""), _first([(r"fc\.", _FC), (r"", "trunk.")])
    ),
    "bagtricks": Source(_strong_baseline, _RENAME_STRONG),
    "agw": Source(_strong_baseline, _RENAME_STRONG),
    "layumi": Source(
        _layumi,
        _first(
            [
                (r"model\.fc\.", _FC),
                (r"model\.", "trunk."),
                (r"classifier\.add_block\.0\.", HEAD + "pool.layers."),
                (r"classifier\.add_block\.1\.", HEAD + "neck."),
                (r"classifier\.classifier\.0\.", HEAD + "classifier."),
            ]
        ),
        _differs(
            "the file does not state its stride; it is read as one of stride 32, the project's "
            "default",
            "files of 2019 and before end in a leaky ReLU, which has no tensors and is not "
            "applied here",
        ),
    ),
    "fast-reid": Source(
        lambda state: _with_non_local(_resnet_by_shapes(state, "backbone."), state),
        _placed(
            _first(
                [
                    (r"pixel_(mean|std)$", "(the network normalises pictures itself)"),
                    (r"backbone\.NL_2\.(\d+)\.", r"trunk.layer2.non_local{2+\1}."),
                    (r"backbone\.NL_3\.(\d+)\.", r"trunk.layer3.non_local{3+\1}."),
                    (r"backbone\.", "trunk."),
                    (r"heads\.pool_layer\.p$", HEAD + "pool.p"),
                    (r"heads\.(?:bottleneck\.0|bnneck)\.", HEAD + "neck."),
                    (
                        r"heads\.(?:weight$|cls_layer\.weight$|classifier\.weight$)",
                        HEAD + "classifier.weight",
                    ),
                ]
            )
        ),
        _differs(
            "fast-reid's configurations differ in ways that a file does not state (stride, feature "
            "before or after the neck); compare a descriptor with theirs before trusting figures"
        ),
    ),
    "torchreid": Source(
        _torchreid,
        _first(
            [
                (r"fc\.(\d)\.", HEAD + r"pool.layers.\1."),
                _CLASSIFIER,
                (r"", "trunk."),
            ]
        ),
        _torchreid_notes,
    ),
    "transreid": Source(
        _transreid,
        _placed(
            _first(
                [
                    (r"base\.sie_embed$", "sie.embedding"),
                    (r"base\.(fc|head)\.", _FC),
                    (r"base\.norm\.", "(the ViT's own last normalisation, which JPM does not use)"),
                    (r"base\.cls_token$", "trunk.patches.cls_token"),
                    (r"base\.patch_embed\.proj\.", "trunk.patches.proj."),
                    (r"base\.blocks\.11\.", "(the ViT's own last block, which JPM does not use)"),
                    (r"base\.blocks\.(\d+)\.", r"trunk.block{1+\1}."),
                    (r"b1\.0\.", "stems.whole.block."),
                    (r"b1\.1\.", "stems.whole.norm."),
                    (r"b2\.0\.", "stems.jigsaw.block."),
                    (r"b2\.1\.", "stems.jigsaw.norm."),
                    (r"bottleneck_(\d)\.", r"heads.part\1.neck."),
                    (r"classifier_(\d)\.", r"heads.part\1.classifier."),
                    _NECK,
                    _CLASSIFIER,
                ]
            )
        ),
        _differs(
            "the authors score the vectors before the necks and divide those of the parts by 4; "
            "here they are scored after the necks, all alike"
        ),
        adapt=_seen_with_our_normalisation,
    ),
    "lightmbn": Source(
        _lightmbn,
        _first(
            [
                (r"back(?:b)?one\.0\.", "trunk.conv1."),
                (r"back(?:b)?one\.2\.", "trunk.conv2."),
                (r"back(?:b)?one\.3\.", "trunk.conv3.0."),
                (r"global_branch\.0\.0\.", "trunk.conv3.1."),
                (r"global_branch\.0\.1\.", "trunk.conv3.2."),
                (r"global_branch\.1\.", "trunk.conv4."),
                (r"global_branch\.2\.", "trunk.conv5."),
                (r"", "(LightMBN's own branches and heads are not built here)"),
            ]
        ),
        _differs(
            "LightMBN's trunk and global branch become an OSNet's, whose last layer stays random: "
            "a start for training, not a model to score"
        ),
    ),
}
"""By the name that ``mfa import-weights --from`` takes."""
