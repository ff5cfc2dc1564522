"""What the losses read of a batch that several processes share."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from mfa.processes import ProcessGroup
from mfa.records import Output

_READ = ("pooled", "logits", "guide")


def whole_batch(output: Output, labels: Tensor, ranks: ProcessGroup) -> tuple[Output, Tensor]:
    """The pooled vectors, logits and guides of all processes' pictures, with their labels.

    So triplets are mined in the batch of all processes, and centers are moved by it. Gradients
    reach the rows of this process alone; those of all processes add up to the gradient of the whole
    batch. Maps, embeddings and the descriptor stay those of this process.
    """
    if ranks.world == 1:
        return output, labels
    own = [
        value.float()
        for branch in output.branches.values()
        for name in _READ
        if (value := getattr(branch, name)) is not None
    ]
    widths = [value.shape[1] for value in own]
    whole = iter(torch.split(ranks.rows(torch.cat(own, dim=1)), widths, dim=1))  # sent at once
    branches = {
        key: replace(
            branch, **{name: next(whole) for name in _READ if getattr(branch, name) is not None}
        )
        for key, branch in output.branches.items()
    }
    return replace(output, branches=branches), ranks.rows(labels)
