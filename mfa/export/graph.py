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
from mfa.models.heads import Head
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

    Raises:
        InputError: maps are wanted of a branch whose neck mixes channels.
    """

    def __init__(self, network: ReidNetwork, *, maps: bool = False) -> None:
        super().__init__()
        self.network = network
        self.maps = maps
        names = tuple(network.heads)
        self.outputs = (EMBEDDING, *names, *(f"{name}{PARTS}" for name in names if maps))
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
            pixel_parts(head.pool, found.branches[name].map)
            * self.get_buffer(f"slope_{name}").view(-1, 1, 1)
            for name, head in self.network.named_heads()
        ]
        return (torch.cat(embeddings, dim=1), *embeddings, *parts)


def _slope(name: str, head: Head) -> Tensor:
    """How much a branch's embedding grows with each channel of its pooled vector, (C,)."""
    if not isinstance(head.neck, nn.BatchNorm1d | nn.Identity):
        raise InputError(
            f"{name} has a neck of the kind {type(head.neck).__name__}, which mixes channels, so "
            "its maps do not fit into a file",
            "leave --maps out",
        )
    neck = copy.deepcopy(head.neck).double().eval()
    with torch.no_grad():
        ends = neck(torch.eye(2, dtype=torch.float64)[:, :1].expand(2, head.width))
    return (ends[0] - ends[1]).float()


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
