"""Learning from another network's features instead of labels."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfa.config import DistillConfig
from mfa.records import Output


class Distillation(nn.Module):
    """feature_weight * (1 - cosine) + similarity_weight * squared difference of cosines (ours).

    The student is its descriptor through a linear map that is thrown away after training. The first
    term asks that it points where the teacher's feature points, the second that two pictures are as
    alike to it as they are to the teacher (Tung and Mori 2019 compare such matrices). Comparing the
    descriptors themselves, before the map, was worse, see docs/distillation.md.

    By branch, both terms are the mean over the branches, each with a map of its own.
    """

    def __init__(
        self, config: DistillConfig, widths: Mapping[str, int], teacher_width: int
    ) -> None:
        """Make the linear maps from embeddings, whose ``widths`` stand by branch name."""
        super().__init__()
        self.config = config
        students = [*widths.values()] if config.by_branch else [sum(widths.values())]
        self.maps = nn.ModuleList(nn.Linear(width, teacher_width) for width in students)

    def forward(self, output: Output, targets: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of one batch.

        Args:
            output: of the student in train mode.
            targets: the teacher's features of the same pictures, L2-normalised, (B, D) float32.

        Returns:
            The weighted sum to differentiate, and the detached terms ``teacher`` (1 - cosine) and
            ``teacher_similarity``. In float32, also under autocast.
        """
        embeddings = [branch.embedding.float() for branch in output.branches.values()]
        students = embeddings if self.config.by_branch else [torch.cat(embeddings, dim=1)]
        features, similarities = [], []
        with torch.autocast(targets.device.type, enabled=False):
            for project, x in zip(self.maps, students, strict=True):
                mapped = project(x)
                unit = F.normalize(mapped, dim=1)
                features.append((1 - F.cosine_similarity(mapped, targets, dim=1)).mean())
                similarities.append(F.mse_loss(unit @ unit.T, targets @ targets.T))
            feature, similarity = torch.stack(features).mean(), torch.stack(similarities).mean()
        total = self.config.feature_weight * feature + self.config.similarity_weight * similarity
        return total, {"teacher": feature.detach(), "teacher_similarity": similarity.detach()}
