"""The network as it is exported: 8-bit pictures in; embedding, branches and maps out."""

from __future__ import annotations

import copy
import json

import torch
from torch import Tensor, nn

from mfa import __version__
from mfa.errors import InputError
from mfa.explain.ledger import pixel_parts
from mfa.models import ReidNetwork
from mfa.models.heads import Head, ProjectedNeck
from mfa.runs.run import Run

EMBEDDING = "embedding"
"""Output (B, D): the embeddings of all branches side by side, not normalised."""

PARTS = ".parts"
"""Ending of the output (B, C, h, w) of a branch: what each map pixel brings to each value of its
embedding. The product with a direction (C,), summed over C, is the HiResCAM map toward it."""


class ExportedNetwork(nn.Module):
    """Pictures (B, 3, H, W) uint8 RGB to a tuple of outputs.

    Attributes:
        outputs: names of the outputs, in order: the embedding, each branch, and with ``maps`` each
            branch's parts.
    """

    def __init__(self, network: ReidNetwork, *, maps: bool = False) -> None:
        super().__init__()
        self.network = _with_plain_names(network)
        self.maps = maps
        self.branches = tuple(network.heads)
        parts = (f"{name}{PARTS}" for name in self.branches if maps)
        self.outputs = (EMBEDDING, *self.branches, *parts)
        if maps:
            for name, head in network.named_heads():
                self.register_buffer(f"slope_{name}", _slope(name, head))

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        found = self.network(pictures.float() / 255)
        embeddings = [branch.embedding for branch in found.branches.values()]
        if not self.maps:
            return (torch.cat(embeddings, dim=1), *embeddings)
        parts = [
            _through(head, self.get_buffer(f"slope_{name}"), pixel_parts(head.pool, branch.map))
            for name, (_, head), branch in zip(
                self.branches, self.network.named_heads(), found.branches.values(), strict=True
            )
        ]
        return (torch.cat(embeddings, dim=1), *embeddings, *parts)


def _with_plain_names(network: ReidNetwork) -> ReidNetwork:
    """The same modules with another name for each head.

    torch writes Python code from the names of a program's weights, and cannot run a program in
    which one of them is ``global``.
    """
    renamed = copy.copy(network)
    heads = {f"head_{name}": head for name, head in network.named_heads()}
    renamed._modules = {**network._modules, "heads": nn.ModuleDict(heads)}
    return renamed


def _through(head: Head, slope: Tensor, parts: Tensor) -> Tensor:
    """Parts (B, C, h, w) of a pooled vector as parts (B, D, h, w) of the embedding."""
    grown = parts * slope.view(-1, 1, 1)
    if not isinstance(head.neck, ProjectedNeck):
        return grown
    # A product that takes the matrix as it is: the file holds it once, for this and the embedding.
    flat = torch.matmul(head.neck.projection.weight, grown.flatten(2))
    return flat.reshape(*flat.shape[:2], *grown.shape[2:])


def _slope(name: str, head: Head) -> Tensor:
    """How much each channel grows with the pooled vector's in BNNeck, (C,)."""
    neck = head.neck
    if isinstance(neck, nn.Identity):
        return torch.ones(head.pooled_width)
    if not isinstance(neck, nn.BatchNorm1d) or neck.running_var is None:
        raise InputError(
            f"{name} has a neck of the kind {type(neck).__name__}, which mixes channels, so "
            "its maps do not fit into a file",
            "leave --maps out",
        )
    return (neck.weight.double() / (neck.running_var.double() + neck.eps).sqrt()).detach().float()


def describe(run: Run, *, maps: bool, int8: bool) -> str:
    """What a file says of itself, as JSON: whose weights, what goes in, what comes out."""
    return json.dumps(
        {
            "model": run.config.name,
            "weights": run.hash,
            "input": "8-bit RGB, (B, 3, height, width), 0 to 255",
            "size": [run.config.data.height, run.config.data.width],
            "branches": run.model.widths,
            "maps": maps,
            "numbers": "int8" if int8 else "float32",
            "made_by": f"mfa {__version__}",
        }
    )
