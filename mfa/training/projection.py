"""Projection: shorter branches, fitted to a teacher's features by ridge regression (ours).

A linear map follows each branch's BNNeck. Fitted on the branch's vectors as they are, it learns to
read what leaks through the gate from the rest of the picture, and the branches no longer look each
at its own part. So half of what it is fitted on are mixtures: the branch's own stripe comes from
one picture, the rest of the map from another, and the target is the teacher's feature of the first.
What the rest says is there of no use. The other half are the pictures as they are, or the map would
misread them. The measurements are in docs/distillation.md.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from mfa.datasets.loading.images import LoadedImages, load_images
from mfa.errors import InputError
from mfa.models.heads import LocalBranch
from mfa.models.pooling import GeM
from mfa.progress import Progress, reporting
from mfa.records import ReidDataset
from mfa.runs.run import BATCH, Run
from mfa.training.distillation import Teacher

RIDGE = 0.03
"""Weight of the penalty, for inputs of variance 1 and a mean squared error per picture."""


def project(
    run: Run,
    data: ReidDataset,
    teacher: Teacher,
    *,
    width: int = 128,
    pictures: int = 4000,
    progress: bool | Progress = False,
) -> Run:
    """``run`` with a linear map behind each branch's BNNeck, without classifiers.

    The target is the first ``width`` principal components of the teacher's features, the same for
    every branch. The fit has a closed form, so that the same pictures give the same map.

    Args:
        run: a network with local branches, without such a map.
        data: training pictures are taken from it.
        teacher: features of all its training pictures.
        width: numbers of each branch's embedding afterwards.
        pictures: how many training pictures are drawn, by the seed of the run; at most all.
        progress: see ``mfa.progress``.

    Raises:
        InputError: other branches, a width that the teacher or the pictures do not give, or a
            picture without a feature.
    """
    branches = _branches(run)
    draw, size = np.random.default_rng(run.config.seed), run.config.data
    chosen = np.sort(draw.permutation(len(data.train))[:pictures])
    samples = [data.train[index] for index in chosen]
    images = load_images(samples, height=size.height, width=size.width, cache=None)
    targets = teacher.targets(images.samples).numpy()
    most = min(targets.shape) - 1
    if not 0 < width <= most:
        raise InputError(
            f"{len(targets)} pictures of {targets.shape[1]} teacher's numbers each do not give "
            f"{width} numbers",
            f"take a width from 1 to {most}",
        )
    with reporting(progress, f"{run.name} on {len(images)} training pictures") as report:
        stripes = _stripes(run, data, images, branches, report)
    wanted = PCA(width, svd_solver="full").fit_transform(targets)
    other = draw.permutation(len(images))
    # Classifiers read the whole width.
    tensors = {k: v for k, v in run.checkpoint.tensors.items() if ".classifier." not in k}
    for name, head in branches.items():
        own, rest = stripes[name]
        inputs = np.vstack([_necked(head, own + rest), _necked(head, own + rest[other])])
        weight, bias = _fit(inputs, np.vstack([wanted, wanted]))
        start = f"model.heads.{name}.neck.projection"
        tensors |= {f"{start}.weight": weight, f"{start}.bias": bias}
    model = replace(run.config.model, projected_dim=width)
    config = replace(run.config, model=model)
    made = replace(run.checkpoint, config=config, tensors=tensors, identities=0)
    return replace(run, checkpoint=made)


def _branches(run: Run) -> dict[str, LocalBranch]:
    """The run's local branches by name."""
    found = {name: h for name, h in run.model.named_heads() if isinstance(h, LocalBranch)}
    if not found or run.config.model.projected_dim:
        raise InputError(
            f"{run.name} has no local branches, or a projection already",
            "name a run of MFA as it was trained",
        )
    return found


def _stripes(
    run: Run,
    data: ReidDataset,
    images: LoadedImages,
    branches: dict[str, LocalBranch],
    progress: Progress,
) -> dict[str, tuple[Tensor, Tensor]]:
    """By branch, what its stripe and the rest of its map add to the mean of x^p, (N, C) each."""
    found: dict[str, list[tuple[Tensor, Tensor]]] = {name: [] for name in branches}
    for number, output in enumerate(run.outputs(images, data)):
        progress(number * BATCH / len(images))
        for name, head in branches.items():
            x = output.branches[name].map.float()
            powers = x.clamp(min=_floor(head)).pow(_power(head)) / (x.shape[2] * x.shape[3])
            inside = torch.zeros(x.shape[2], dtype=torch.bool, device=x.device)
            inside[head.stripe.rows(x.shape[2])] = True
            own, rest = (powers[:, :, rows].sum(dim=(2, 3)).cpu() for rows in (inside, ~inside))
            found[name].append((own, rest))
    return {
        name: (torch.cat([own for own, _ in sums]), torch.cat([rest for _, rest in sums]))
        for name, sums in found.items()
    }


def _power(head: LocalBranch) -> float:
    return head.pool.p.item() if isinstance(head.pool, GeM) else 1.0


def _floor(head: LocalBranch) -> float:
    return head.pool.eps if isinstance(head.pool, GeM) else 0.0


def _necked(head: LocalBranch, means: Tensor) -> np.ndarray:
    """BNNeck of the vectors (N, C) whose power of p is ``means``, float64."""
    with torch.inference_mode():
        pooled = means.pow(1 / _power(head)).to(next(head.parameters()).device)
        return cast(np.ndarray, head.neck(pooled).double().cpu().numpy())


def _fit(inputs: np.ndarray, wanted: np.ndarray) -> tuple[Tensor, Tensor]:
    """Weight (D, C) and bias (D,) of the linear map from ``inputs`` (N, C) to ``wanted`` (N, D)."""
    scaler = StandardScaler().fit(inputs)
    ridge = Ridge(alpha=RIDGE * len(inputs)).fit(scaler.transform(inputs), wanted)
    weight = ridge.coef_ / scaler.scale_
    bias = ridge.intercept_ - weight @ scaler.mean_
    return torch.from_numpy(weight).float(), torch.from_numpy(bias).float()
