"""The total training loss of a network with named branches."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mfa.config import LossConfig
from mfa.errors import InputError
from mfa.losses.center import CenterLoss
from mfa.losses.gla import gla
from mfa.losses.identity import identity_loss
from mfa.losses.pairs import PAIR_LOSSES
from mfa.records import Branch, Output


class Criterion(nn.Module):
    """mean over branches of (ID + triplet + center) + GLA summed over branches, each weighted.

    Which terms there are is [paper], weights and forms are [reconstructed]; the warm-up of the
    center and GLA weights is ours. Holds the centers, and no parameters.
    """

    def __init__(self, config: LossConfig, identities: int, widths: Mapping[str, int]) -> None:
        """Prepare the loss for pooled vectors as long as ``widths`` says by branch name."""
        super().__init__()
        self.config = config
        self.center = CenterLoss(identities, widths, config.center_rate)

    def ramp(self, progress: float) -> float:
        """Factor of the center and GLA weights at ``progress`` (0 to 1) of the training."""
        if self.config.warmup == 0:
            return 1.0
        return min(1.0, max(0.0, progress) / self.config.warmup)

    def forward(
        self, output: Output, labels: Tensor, progress: float = 1.0
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of one batch.

        Args:
            output: of the network in train mode.
            labels: (B,) int64, positions of the identities.
            progress: share of the whole training that is done, 0 to 1.

        Returns:
            The weighted total to differentiate, and the detached, unweighted terms: ``total``,
            ``id``, ``triplet``, ``center`` (means over branches), ``gla`` (sum over branches; 0
            when off), and each of a branch as ``branch1/id``. In float32, also under autocast.

        Raises:
            InputError: a branch has no logits but the identity term has a weight.
        """
        with torch.autocast(labels.device.type, enabled=False):
            by_branch = {
                name: self._terms(name, branch, labels) for name, branch in output.branches.items()
            }
        count = len(by_branch)
        zero = torch.zeros((), device=labels.device)
        sums = {
            term: sum((terms[term] for terms in by_branch.values() if term in terms), zero)
            for term in ("id", "triplet", "center", "gla")
        }
        means = {term: sums[term] / count for term in ("id", "triplet", "center")}
        ramp = self.ramp(progress)
        total = (
            self.config.id_weight * means["id"]
            + self.config.triplet_weight * means["triplet"]
            + self.config.center_weight * ramp * means["center"]
            + self.config.gla_weight * ramp * sums["gla"]
        )
        record = {"total": total, **means, "gla": sums["gla"]}
        for name, terms in by_branch.items():
            record |= {f"{name}/{term}": value for term, value in terms.items()}
        return total, {name: value.detach() for name, value in record.items()}

    @torch.no_grad()
    def update(self, output: Output, labels: Tensor) -> None:
        """Move the centers; call it after the optimiser's step, with the same batch."""
        for name, branch in output.branches.items():
            self.center.update(name, branch.pooled.float(), labels)

    def _terms(self, name: str, branch: Branch, labels: Tensor) -> dict[str, Tensor]:
        """The unweighted terms of one branch, in float32."""
        pooled = branch.pooled.float()
        terms = {
            "triplet": PAIR_LOSSES[self.config.triplet](pooled, labels),
            "center": self.center(name, pooled, labels),
        }
        if branch.logits is not None:
            smoothing = self.config.label_smoothing
            terms["id"] = identity_loss(branch.logits.float(), labels, smoothing)
        elif self.config.id_weight:
            raise InputError(
                f"{name} has no logits, which the identity loss needs; build the network with the "
                "number of identities, or set loss.id_weight to 0"
            )
        if self.config.gla != "off" and branch.guide is not None:
            kind, detach = self.config.gla, self.config.gla_detach
            terms["gla"] = gla(pooled, branch.guide.float(), kind, detach)
        return terms
