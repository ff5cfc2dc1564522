"""A trunk as a row of named stages."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn


class Staged(nn.Module):
    """Stages run one after the other; each one's map can be asked for and gone on from.

    Attributes:
        channels: C of the last stage's map.
        stages: their names, in order.
    """

    def __init__(self, stages: Mapping[str, nn.Module], channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.stages = tuple(stages)
        for name, stage in stages.items():
            self.add_module(name, stage)

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images (B, 3, H, W) to the trunk map."""
        return self.run(images, self.stages)

    def up_to(self, layer: str, images: Tensor) -> Tensor:
        """The map after ``layer``."""
        return self.run(images, self.stages[: self.stages.index(layer) + 1])

    def after(self, layer: str, x: Tensor) -> Tensor:
        """The trunk map from the map after ``layer``."""
        return self.run(x, self.stages[self.stages.index(layer) + 1 :])

    def run(self, x: Tensor, names: tuple[str, ...]) -> Tensor:
        """Run some of the stages."""
        for name in names:
            x = getattr(self, name)(x)
        return x
