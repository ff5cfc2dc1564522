"""Activations and gradients of every branch, leaving the network as it was found.

The forward runs once, without gradients, down to the map in question; a graph starts at that map
and goes through the heads only. So no hook is set, no parameter gets a gradient, and nothing of
the backward pass reaches the trunk. The heads get a copy of the map, lest one that writes in
place change what is explained.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mfa.errors import InputError
from mfa.explain.inputs import ImagesWithCameras
from mfa.explain.targets import Target
from mfa.models import ReidNetwork
from mfa.models.heads import Head
from mfa.records import Branch

BRANCH = "branch"
TRUNK = "trunk"


@dataclass(frozen=True)
class Captured:
    """What a weighting needs, by branch name.

    Attributes:
        activations: (B, C, h, w); for a shared layer the same tensor under every name.
        gradients: of the branch's part of the score by its activations, same shape.
        scores: the branch's part of the score, (B,).
    """

    activations: dict[str, Tensor]
    gradients: dict[str, Tensor]
    scores: dict[str, Tensor]


def check_place(network: ReidNetwork, layer: str, names: Sequence[str]) -> None:
    """Refuse a layer or a branch that the network does not have.

    Raises:
        InputError: names what there is.
    """
    unknown = [name for name in names if name not in network.heads]
    if unknown or not names:
        raise InputError(f"no branch {unknown or names}; there are {', '.join(network.heads)}")
    layers = (BRANCH, TRUNK, *network.layers)
    if layer not in layers:
        raise InputError(f"no layer {layer!r}; there are {', '.join(layers)}")


@contextmanager
def undisturbed(network: torch.nn.Module) -> Iterator[None]:
    """Eval mode and no gradients inside; every module's own mode afterwards, come what may.

    Eval mode keeps BN's running statistics still. Inference mode is left, since no graph can be
    made in it.
    """
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        with torch.inference_mode(False), torch.no_grad():
            yield
    finally:
        for module, training in modes:
            module.training = training


def capture(
    network: ReidNetwork,
    images: Tensor | ImagesWithCameras,
    target: Target,
    *,
    layer: str = BRANCH,
    names: Sequence[str],
    second_order: bool = False,
) -> Captured:
    """Activations and gradients of the branches ``names`` at ``layer``.

    Args:
        network: any mode, any precision, frozen or not.
        images: (B, 3, H, W) in [0, 1].
        target: the score.
        layer: ``branch`` (the map a branch pools), ``trunk`` or one of ``network.layers``.
        names: branches wanted; all of them are run, since a target may need the whole descriptor.
        second_order: keep the graph of the gradients, one graph per branch.

    Raises:
        InputError: the target does not fit.
    """
    with undisturbed(network):
        heads = exact_heads(network)
        maps = layer_maps(network, network_input(network, images), heads, layer)
        if layer != BRANCH:
            shared = next(iter(maps.values()))
            return _at_shared(network, shared, heads, target, layer, names, second_order)
        leaves = {name: found.detach().requires_grad_() for name, found in maps.items()}
        with torch.enable_grad():
            parts = target.parts({n: head.read(leaves[n].clone()) for n, head in heads.items()})
        gradients = _gradients(parts, {name: leaves[name] for name in names}, second_order)
        scores = {name: parts[name].detach() for name in names}
        return Captured({name: leaves[name] for name in names}, gradients, scores)


def layer_maps(
    network: ReidNetwork, given: ImagesWithCameras, heads: Mapping[str, Head], layer: str
) -> dict[str, Tensor]:
    """Each branch's map (B, C, h, w) at ``layer``; one tensor under all names for a shared one."""
    if layer == BRANCH:
        trunk = network.trunk_map(given.images, given.cameras).float()
        return {name: head.refine(trunk) for name, head in heads.items()}
    if layer == TRUNK:
        return dict.fromkeys(heads, network.trunk_map(given.images, given.cameras))
    return dict.fromkeys(heads, network.map_at(layer, given.images, given.cameras))


def mean_maps(
    network: ReidNetwork, images: Tensor | ImagesWithCameras, *, layer: str, names: Sequence[str]
) -> dict[str, Tensor]:
    """Mean map (C, h, w) of some pictures at ``layer``, for each name, batch by batch."""
    totals: dict[str, Tensor] = {}
    with undisturbed(network):
        heads = exact_heads(network)
        for batch in network_input(network, images).split(32):
            maps = layer_maps(network, batch, heads, layer)
            for name in names:
                totals[name] = totals.get(name, 0) + maps[name].sum(dim=0)
    return {name: total / len(images) for name, total in totals.items()}


def embed(network: ReidNetwork, images: Tensor | ImagesWithCameras) -> Tensor:
    """Descriptors (B, D) of pictures, float32, as explanations see them: eval mode, no graph."""
    with undisturbed(network):
        branches = _branches(network, images, exact_heads(network))
        whole = torch.cat([branch.embedding for branch in branches.values()], dim=1)
        return torch.nn.functional.normalize(whole, dim=1)


def directions(
    network: ReidNetwork, images: Tensor | ImagesWithCameras, target: Target, names: Sequence[str]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Gradient of each branch's part by the branch's embedding, (B, C), and the parts, (B,).

    For a target that is linear in the embeddings the part is their product plus a constant.
    """
    with undisturbed(network):
        heads = exact_heads(network)
        found = _branches(network, images, heads)
        with torch.enable_grad():
            branches = {name: _from_embedding(heads[name], found[name]) for name in heads}
            parts = target.parts(branches)
        gradients = _gradients(parts, {name: branches[name].embedding for name in names})
    return gradients, {name: parts[name].detach() for name in names}


def _branches(
    network: ReidNetwork, images: Tensor | ImagesWithCameras, heads: Mapping[str, Head]
) -> dict[str, Branch]:
    given = network_input(network, images)
    trunk = network.trunk_map(given.images, given.cameras).float()
    return {name: head(trunk) for name, head in heads.items()}


def _from_embedding(head: Head, branch: Branch) -> Branch:
    embedding = branch.embedding.detach().requires_grad_()
    logits = None if head.classifier is None else head.classifier(embedding)
    return replace(branch, embedding=embedding, logits=logits)


def _gradients(
    parts: Mapping[str, Tensor], leaves: Mapping[str, Tensor], second_order: bool = False
) -> dict[str, Tensor]:
    """Of each part by the leaf of the same name; zero where a target leaves a branch out."""
    with torch.enable_grad():
        total = torch.stack([parts[name].sum() for name in leaves]).sum()
        found = torch.autograd.grad(
            total, list(leaves.values()), create_graph=second_order, materialize_grads=True
        )
    return dict(zip(leaves, found, strict=True))


def _at_shared(
    network: ReidNetwork,
    found: Tensor,
    heads: Mapping[str, Head],
    target: Target,
    layer: str,
    names: Sequence[str],
    second_order: bool,
) -> Captured:
    """One backward pass per branch from a map that all of them read."""
    captured = Captured({}, {}, {})
    leaf, parts = found, dict[str, Tensor]()
    for name in names:
        with torch.enable_grad():
            if second_order or not parts:
                leaf = found.detach().requires_grad_()
                start = leaf.clone()
                trunk = start if layer == TRUNK else network.forward_from(layer, start)
                branches = {other: head(trunk.float()) for other, head in heads.items()}
                parts = target.parts(branches)
            (gradient,) = torch.autograd.grad(
                parts[name].sum(),
                leaf,
                retain_graph=True,
                create_graph=second_order,
                materialize_grads=True,
            )
        captured.activations[name], captured.gradients[name] = leaf, gradient
        captured.scores[name] = parts[name].detach()
    return captured


def network_input(network: ReidNetwork, images: Tensor | ImagesWithCameras) -> ImagesWithCameras:
    """Pictures, and cameras where they are given, on the network's device and in its precision.

    Channels last, which saves a sixth of a ResNet's time on CPUs.
    """
    weights = next(network.parameters())
    given = images if isinstance(images, ImagesWithCameras) else ImagesWithCameras(images)
    cameras = None if given.cameras is None else given.cameras.to(weights.device)
    images = given.images.to(weights).contiguous(memory_format=torch.channels_last)
    return ImagesWithCameras(images, cameras)


def exact_heads(network: ReidNetwork) -> dict[str, Head]:
    """The heads, as copies in float32 where the network is coarser or made in inference mode."""
    heads = dict(network.named_heads())
    plain = all(p.dtype == torch.float32 and not p.is_inference() for p in network.parameters())
    return heads if plain else {name: copy.deepcopy(head).float() for name, head in heads.items()}
