"""Sanity checks: the same maps made meaningless on purpose, to stand beside the real ones.

A map that looks the same from random weights shows the picture or the architecture (a stripe, an
anchored gate), not what was learned. A map that looks the same for another target does not explain
this pair (after Adebayo et al. 2018, Sanity checks for saliency maps).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from mfa.errors import InputError
from mfa.explain.engine import branch_maps, descriptors
from mfa.explain.inputs import as_batch, input_size, network_of
from mfa.explain.record import BranchMaps
from mfa.explain.targets import Target
from mfa.models import ReidNetwork
from mfa.runs.run import Run, untrained

RANDOM = "random weights"
SHUFFLED = "shuffled target"


def sanity_check_maps(
    model: Any,
    images: Any,
    *,
    target: str | Target = "similarity",
    toward: Any = None,
    **settings: Any,
) -> dict[str, BranchMaps]:
    """Sanity checks of ``branch_maps`` with the same arguments, by name, for ``draw_maps``.

    - ``random weights``: the network as it was before training.
    - ``shuffled target``: each picture compared with what belongs to the picture before it; only
      where each picture has a target of its own.

    ``toward`` takes pictures alone, since a descriptor belongs to one network.

    Raises:
        InputError: descriptors were given in ``toward``, or what ``branch_maps`` refuses.
    """
    settings = {"target": target, **settings}
    if isinstance(model, Run):
        start: Any = untrained(model.config, model.device, model.precision)
    else:
        start = random_weights(network_of(model))
    found = {RANDOM: branch_maps(start, images, toward=toward, **settings)}
    count = len(as_batch(images))
    if target == "similarity" and count > 1:
        others = images if toward is None else toward
        if isinstance(others, Tensor) and others.ndim < 3:
            raise InputError(
                "sanity checks need pictures in toward, so that a network with random weights can "
                "embed them itself"
            )
        rows = descriptors(network_of(model), others, input_size(model))
        if len(rows) == count:
            found[SHUFFLED] = branch_maps(model, images, toward=rows.roll(1, dims=0), **settings)
    return found


def random_weights(network: ReidNetwork, seed: int = 0) -> ReidNetwork:
    """A copy with every layer's weights drawn anew, as its kind starts, and fresh statistics.

    Scalars outside layers (GeM's p, a gate's k) stay: they are settings more than knowledge. For
    a run, ``mfa.untrained`` knows the exact start.
    """
    with torch.inference_mode(False), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        device = next(network.parameters()).device
        replica = copy.deepcopy(network).cpu()  # the same weights wherever the network is
        for module in replica.modules():
            reset = getattr(module, "reset_parameters", None)
            if isinstance(module, nn.Module) and callable(reset):
                reset()
    return replica.to(device)


def cascade(run: Run) -> Iterator[tuple[str, Run]]:
    """The run with its heads as before training, then stage by stage down to the whole network.

    Named after what was put back last; the last one is ``mfa.untrained(run.config)``. Tensors that
    a start lacks (classifiers, embeddings of cameras) stay as they are.
    """
    stages = run.model.trunk.stages
    weights = run.checkpoint.tensors
    start = untrained(run.config, run.device, run.precision).checkpoint.tensors
    for stage in ("heads", *reversed(stages)):
        own = {name: tensor for name, tensor in start.items() if _stage(name, stages) == stage}
        if own:  # a pooling stage has no weights
            weights = {**weights, **own}
            yield (
                stage,
                replace(run, path=None, checkpoint=replace(run.checkpoint, tensors=weights)),
            )


def _stage(name: str, stages: tuple[str, ...]) -> str:
    """Where a tensor of a checkpoint is used; a ResNet's first layers have no name of their own."""
    _, part, *rest = name.split(".")
    if part != "trunk":
        return "heads"
    return next((place for place in rest[:2] if place in stages), stages[0])
