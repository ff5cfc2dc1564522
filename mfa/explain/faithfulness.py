"""Does a map show what the ranking rests on? Hide its highest pixels, embed and rank again.

Deletion hides the top share of a map (most relevant first), ``least_first`` the bottom share, and
insertion shows only the top share (after Petsiuk et al. 2018, RISE; the retrieval form is ours). A
map is worth something where it loses more AP by deletion, and keeps more by the other two, than the
map of another picture does. What is hidden takes the picture's mean colour, whose outline tells the
network what was hidden, or by ``road`` a noisy linear interpolation of the pixels around it, which
tells less (Rong et al. 2022, arXiv 2202.00449; pytorch-grad-cam's code).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Literal, get_args

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from mfa.errors import InputError
from mfa.explain.capture import undisturbed
from mfa.explain.geometry import MapGrid
from mfa.explain.inputs import ImagesWithCameras
from mfa.explain.part_energy import PERSON
from mfa.explain.tables import EDGES, SHUFFLED, SILHOUETTE
from mfa.models import ReidNetwork
from mfa.progress import Progress, reporting
from mfa.records import Features, FeatureSet
from mfa.retrieval import metrics
from mfa.runs.run import BATCH
from mfa.synthetic import PARTS

Mode = Literal["deletion", "insertion", "least_first"]
Fill = Literal["mean", "road"]

SHARES = (0.05, 0.1, 0.2, 0.4)


def faithfulness(
    network: ReidNetwork,
    features: Features,
    queries: Sequence[int],
    images: Tensor,
    maps: Mapping[str, np.ndarray],
    *,
    grids: Mapping[str, MapGrid] | None = None,
    cameras: Tensor | None = None,
    shares: Sequence[float] = SHARES,
    modes: Sequence[Mode] = ("deletion", "insertion"),
    fill: Fill = "mean",
    shuffled: bool = True,
    progress: bool | Progress = False,
) -> pd.DataFrame:
    """AP and rank of each query with a part of the picture hidden, by the order of each map.

    Args:
        network: that made ``features``.
        features: descriptors of all queries and of the gallery.
        queries: positions of those examined in ``features.query``.
        images: their pictures, (N, 3, H, W) in [0, 1].
        maps: by name, (N, h, w), high where the picture is said to matter.
        grids: where the pixels of each map lie; by default evenly over the picture.
        cameras: (N,) of the pictures, as the network was told them for ``features``, see
            ``mfa.runs.run.Run.cameras_of``.
        shares: of the pixels, in (0, 1).
        modes: what is hidden, see the module.
        fill: what hidden pixels become; ``road`` solves one linear system per picture.
        shuffled: hide by the last map handed on to the next picture as well, the control.
        progress: see ``mfa.progress``.

    Returns:
        One row a query, map, mode and share: ``picture`` (position in ``queries``), ``query``,
        ``map``, ``mode``, ``share``, ``AP``, ``AP_change`` and ``rank_change`` (of the first
        match) against the whole picture. Queries that cannot be scored are left out.

    Raises:
        InputError: numbers of queries, pictures and maps differ, a share is not between 0 and 1,
            or none of the queries can be scored.
    """
    _check(queries, images, maps, shares)
    for words, known in ((modes, get_args(Mode)), ([fill], get_args(Fill))):
        for word in words:
            if word not in known:
                raise InputError(f"no {word!r}; there are {', '.join(known)}")
    last = list(maps)[-1]
    places = dict(grids or {name: MapGrid.even(*heat.shape[1:]) for name, heat in maps.items()})
    given = dict(maps)
    if shuffled and len(images) > 1:
        given[SHUFFLED], places[SHUFFLED] = np.roll(maps[last], 1, axis=0), places[last]
    chosen = features.query.take(np.asarray(queries))
    before = _counted(features, chosen)
    jobs = list(product(given, modes, shares))
    tables = []
    with reporting(progress, "faithfulness") as report:
        for done, (name, mode, share) in enumerate(jobs):
            report(done / len(jobs))
            hidden = hide(images, given[name], share, places[name], mode=mode, fill=fill)
            embedded = replace(chosen, features=_embed(network, hidden, cameras))
            after = _counted(features, embedded)
            picture, ranks = before["query"].to_numpy(), "first_match_rank"
            columns = {
                "picture": picture,
                "query": np.asarray(queries)[picture],
                "map": name,
                "mode": mode,
                "share": share,
                "AP": after["AP"].to_numpy(),
                "AP_change": (after["AP"] - before["AP"]).to_numpy(),
                "rank_change": (after[ranks] - before[ranks]).to_numpy(float),
            }
            tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def picture_controls(images: Tensor, parts: np.ndarray) -> dict[str, np.ndarray]:
    """Maps (N, H, W) that know the pictures (N, 3, H, W) and no network, by name.

    ``SILHOUETTE`` rises towards the middle of the person in the part masks (N, H, W), ``EDGES`` is
    the picture's gradient (Sobel).
    """
    from scipy import ndimage

    persons = np.isin(parts, [PARTS.index(part) for part in PERSON])
    grey = images.mean(dim=1).numpy()
    edges = np.hypot(ndimage.sobel(grey, axis=1), ndimage.sobel(grey, axis=2))
    return {
        SILHOUETTE: np.stack([ndimage.distance_transform_edt(person) for person in persons]),
        EDGES: edges,
    }


def hide(
    images: Tensor,
    maps: np.ndarray,
    share: float,
    grid: MapGrid,
    *,
    mode: Mode = "deletion",
    fill: Fill = "mean",
) -> Tensor:
    """Copies of pictures (N, 3, H, W) with a share of the pixels hidden by the order of a map.

    Maps are (N, h, w), and ``grid`` says where their pixels lie; the rest as in ``faithfulness``.
    """
    fine = torch.from_numpy(grid.enlarge(maps, (images.shape[2], images.shape[3]))).flatten(1)
    count = max(1, round(share * fine.shape[1]))
    end = fine.topk(count, dim=1, largest=mode != "least_first").indices
    chosen = torch.zeros_like(fine, dtype=torch.bool).scatter(1, end, True)
    covered = (~chosen if mode == "insertion" else chosen).view(len(images), 1, *images.shape[2:])
    if fill == "road":
        return _imputed(images, covered[:, 0])
    mean = images.mean(dim=(2, 3), keepdim=True)
    return torch.where(covered.to(images.device), mean, images)


def _imputed(images: Tensor, covered: Tensor) -> Tensor:
    """With covered pixels (N, H, W) interpolated by ROAD; its noise is the same in each call."""
    from pytorch_grad_cam.metrics.road import NoisyLinearImputer

    impute = NoisyLinearImputer()
    shown = (~covered).float()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        filled = [impute(*pair) for pair in zip(images.cpu(), shown, strict=True)]
    return torch.stack(filled).to(images)


def _embed(network: ReidNetwork, images: Tensor, cameras: Tensor | None) -> np.ndarray:
    device = next(network.parameters()).device
    rows = []
    with undisturbed(network):
        for batch in ImagesWithCameras(images, cameras).split(BATCH):
            seen_by = None if batch.cameras is None else batch.cameras.to(device)
            rows.append(network(batch.images.to(device), seen_by).embedding)
    return torch.cat(rows).float().cpu().numpy()


def _counted(features: Features, queries: FeatureSet) -> pd.DataFrame:
    """The rows of the queries that can be scored."""
    return metrics.score(replace(features, query=queries)).counted


def _check(
    queries: Sequence[int], images: Tensor, maps: Mapping[str, np.ndarray], shares: Sequence[float]
) -> None:
    counts = {"queries": len(queries), "pictures": len(images)}
    counts |= {f"maps of {name}": len(values) for name, values in maps.items()}
    if len(set(counts.values())) > 1 or not maps:
        raise InputError(
            "queries, pictures and maps must be as many: "
            + ", ".join(f"{count} {what}" for what, count in counts.items())
        )
    outside = [share for share in shares if not 0 < share < 1]
    if outside or not shares:
        raise InputError(f"shares of a picture lie between 0 and 1, got {outside or shares}")
