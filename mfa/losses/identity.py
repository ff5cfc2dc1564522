"""The identity term: which person of the training set is this?"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def identity_loss(logits: Tensor, labels: Tensor, smoothing: float = 0.1) -> Tensor:
    """Cross-entropy with label smoothing, mean over the batch [paper]; amount [reconstructed].

    The target gives ``1 - smoothing`` to the label and spreads ``smoothing`` evenly over all
    identities, the label included (torch's own definition).

    Args:
        logits: (B, identities).
        labels: (B,) int64, positions of the identities.
        smoothing: share of the target that is spread, in [0, 1).
    """
    return functional.cross_entropy(logits, labels, label_smoothing=smoothing)
