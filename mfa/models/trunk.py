"""The trunk: what turns a picture into the map that all branches read."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from mfa.config import ModelConfig
from mfa.models.cpaa import CPAA

LAYERS = ("layer1", "layer2", "layer3", "layer4")
"""Names of the stages of MFA's trunks behind the stem."""


class Trunk(nn.Module):
    """Named stages that run one after the other.

    The map after any stage can be taken out, and the rest can be run from there.

    Attributes:
        channels: channels of the last stage's map.
        stages: names of the stages, in order.
        cpaa: by the name of a stage the attention that follows it.
    """

    cpaa: nn.ModuleDict | dict[str, nn.Module]

    def __init__(self, stages: Mapping[str, nn.Module], channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.stages = tuple(stages)
        self.cpaa = {}
        for name, stage in stages.items():
            self.add_module(name, stage)

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images (B, 3, H, W) to the trunk map (B, C, h, w)."""
        return self.run(images, self.stages)

    def up_to(self, layer: str, images: Tensor) -> Tensor:
        """The map after stage ``layer``."""
        return self.run(images, self.stages[: self.stages.index(layer) + 1])

    def after(self, layer: str, x: Tensor) -> Tensor:
        """The trunk map from the map after stage ``layer``."""
        return self.run(x, self.stages[self.stages.index(layer) + 1 :])

    def run(self, x: Tensor, names: tuple[str, ...]) -> Tensor:
        """Run consecutive stages, each with its CPAA where it has one."""
        for name in names:
            x = self.run_stage(name, x)
            x = self.cpaa[name](x) if name in self.cpaa else x
        return x

    def run_stage(self, name: str, x: Tensor) -> Tensor:
        """Run one stage without its CPAA."""
        return self.get_submodule(name)(x)


class StagedTrunk(Trunk):
    """A trunk of MFA that is no ResNet: a stem, four stages, and CPAA after some (ours).

    The stages are named ``layer1`` to ``layer4`` after the ResNet layers whose strides they have:
    4, 8, 16 and 16 pixels of the input, or 4, 8, 8 and 8. The channels are their own.
    """

    def __init__(
        self,
        config: ModelConfig,
        stem: nn.Module,
        layers: tuple[nn.Module, ...],
        widths: tuple[int, int, int, int],
    ) -> None:
        """Register the stages, and CPAA where ``config.cpaa`` has it.

        ``widths`` are the channels after each of the four ``layers``.
        """
        super().__init__({"stem": stem, **dict(zip(LAYERS, layers, strict=True))}, widths[-1])
        self.cpaa = nn.ModuleDict(
            {
                f"layer{number}": CPAA(widths[number - 1], affinity=config.cpaa_affinity)
                for number in sorted(config.cpaa)
            }
        )


def initialise(*modules: nn.Module) -> None:
    """Draw the weights of all convolutions as He et al. (2015) and torchvision do."""
    for module in modules:
        for part in module.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
