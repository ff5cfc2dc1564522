"""The filmstrip of a training: what fixed queries look like to the weights of each epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mfa.datasets.image_list import ImageList
from mfa.explain.probes import measure_probes
from mfa.records import ListPosition, ReidDataset
from mfa.runs.run import Run
from viz.apps.core.images import SHOWN, laid_over
from viz.apps.widgets import Item


class Strip(NamedTuple):
    """The cards of one probe, oldest first, and what they are."""

    images: list[bytes]
    items: list[Item]
    label: str


class Filmstrip:
    """Pictures of the probes, one per epoch.

    Args:
        data: the dataset.
        probes: positions in the query list.
    """

    def __init__(self, data: ReidDataset, probes: Sequence[int]) -> None:
        self._data, self._probes = data, tuple(probes)
        self._frames: dict[int, dict[int, tuple[bytes, Item]]] = {}

    def has(self, epoch: int) -> bool:
        """Whether an epoch has been added."""
        return epoch in self._frames

    def add(self, run: Run) -> None:
        """Look at the probes with the weights of a run."""
        images = ImageList.of(self._data, "query")
        epoch, frames = run.checkpoint.epoch, {}
        for probe in measure_probes(run, self._data, self._probes):
            picture = images.at(ListPosition(probe.position)).pixels(*SHOWN)
            rank = f"rank {probe.rank} of {probe.crowd}" if probe.rank else "no match here"
            title = f"epoch {epoch}"
            item = Item(
                kind="plain", title=title, sub=rank, alt=f"map of probe {probe.position}, {title}"
            )
            image = laid_over(picture, probe.heat, probe.limit, grid=probe.grid)
            frames[probe.position] = (image, item)
        self._frames[epoch] = frames

    def strips(self) -> list[Strip]:
        """One strip per probe."""
        return [self._strip(probe) for probe in self._probes]

    def _strip(self, probe: int) -> Strip:
        frames = [self._frames[epoch][probe] for epoch in sorted(self._frames)]
        name = self._data.query[probe].path.name
        label = (
            f"Probe {name}: fused map by epoch (red for, blue against), and the rank of its first "
            "match among some gallery pictures"
        )
        return Strip([image for image, _ in frames], [item for _, item in frames], label)
