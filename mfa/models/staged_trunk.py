"""Base of MFA's trunks that are not ResNets: a stem and four stages with CPAA after some."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from mfa.config import ModelConfig
from mfa.errors import InputError
from mfa.models.backbones import LAYERS
from mfa.models.cpaa import CPAA
from mfa.models.trunk import Trunk


class StagedTrunk(Trunk):
    """A stem and four stages that answer the same calls as the ResNet trunk (ours).

    The stages are named ``layer1`` to ``layer4`` after the ResNet layers whose strides they have:
    4, 8, 16 and 16 pixels of the input, or 4, 8, 8 and 8. The channels are their own.
    """

    def __init__(
        self,
        config: ModelConfig,
        stem: nn.Module,
        layers: tuple[nn.Module, nn.Module, nn.Module, nn.Module],
        widths: tuple[int, int, int, int],
    ) -> None:
        """Register the stages and add the CPAA modules that ``config.cpaa`` names.

        Args:
            config: its ``cpaa`` and ``cpaa_affinity`` are used.
            stem: normalised images to the input of the first layer.
            layers: the four stages.
            widths: channels after each of them.
        """
        named: Mapping[str, nn.Module] = dict(zip(LAYERS, layers, strict=True))
        super().__init__({"stem": stem, **named}, widths[-1])
        self.cpaa = nn.ModuleDict(
            {
                f"layer{number}": CPAA(widths[number - 1], affinity=config.cpaa_affinity)
                for number in sorted(config.cpaa)
            }
        )

    def run_stage(self, name: str, x: Tensor) -> Tensor:
        """Run the stem, or a layer with its CPAA where it has one."""
        x = super().run_stage(name, x)
        return self.cpaa[name](x) if name in self.cpaa else x


def refuse_settings(config: ModelConfig) -> None:
    """Refuse the settings that only a ResNet trunk reads.

    Raises:
        InputError: ``width`` is not 64, ``ibn`` is on, or ``stride`` is neither 8 nor 16.
    """
    if config.width != 64:
        raise InputError(f"the trunk {config.trunk} has one width only", "set model.width to 64")
    if config.ibn:
        raise InputError(f"the trunk {config.trunk} has no IBN", "set model.ibn to false")
    if config.stride not in (8, 16):
        raise InputError(
            f"the trunk {config.trunk} has no stride {config.stride}",
            "set model.stride to 8 or 16",
        )
