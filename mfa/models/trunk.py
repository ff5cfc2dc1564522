"""The trunk: what turns a picture into the map that all branches read."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn


class Trunk(nn.Module):
    """Named stages that run one after the other.

    The map after any stage can be taken out, and the rest can be run from there.

    Attributes:
        channels: channels of the last stage's map.
        stages: names of the stages, in order.
    """

    def __init__(self, stages: Mapping[str, nn.Module], channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.stages = tuple(stages)
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
        """Run consecutive stages."""
        for name in names:
            x = self.run_stage(name, x)
        return x

    def run_stage(self, name: str, x: Tensor) -> Tensor:
        """Run one stage."""
        return self.get_submodule(name)(x)
