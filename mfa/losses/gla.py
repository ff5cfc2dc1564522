"""The guide term (GLA): each branch vector resembles the vector of its own stripe."""

from __future__ import annotations

from typing import Literal

from torch import Tensor
from torch.nn import functional


def gla(
    pooled: Tensor, guide: Tensor, kind: Literal["mse", "cosine"] = "mse", detach: bool = True
) -> Tensor:
    """How far a branch vector is from its guide; pairing [paper], form [reconstructed] (SCPNet).

    ``mse`` is the mean over batch and channels of the squared difference, and is met by shrinking
    both; ``cosine`` is the mean of 1 - cosine, which does not see length (ours).

    Args:
        pooled: (B, C), the branch's pooled vector.
        guide: (B, C), the pooled vector of its stripe.
        kind: ``mse`` or ``cosine``.
        detach: stop the gradient at the guide [reconstructed], so that the branch learns the
            stripe and not the stripe the branch.
    """
    if detach:
        guide = guide.detach()
    if kind == "cosine":
        return (1 - functional.cosine_similarity(pooled, guide, dim=1)).mean()
    return functional.mse_loss(pooled, guide)
