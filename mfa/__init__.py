"""MFA: train, score and understand a multi-branch person re-identification network.

Names are loaded on first use, so that ``mfa --help`` needs no PyTorch.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "Config": "mfa.config",
    "Features": "mfa.records",
    "InputError": "mfa.errors",
    "ReidDataset": "mfa.records",
    # Data.
    "PKBatchSampler": "mfa.datasets.loading.sampler",
    "examine": "mfa.datasets.doctor",
    "load_dataset": "mfa.datasets",
    "load_images": "mfa.datasets.loading.images",
    "parse_tree": "mfa.datasets.prepare.custom_table",
    "read_image": "mfa.datasets",
    "preview_lines": "mfa.datasets.prepare.custom_table",
    "with_splits": "mfa.datasets.prepare.division",
    "write_table": "mfa.datasets.readers.custom",
    # Networks and training.
    "Criterion": "mfa.losses",
    "build_model": "mfa.models",
    "complexity": "mfa.models.complexity",
    "fit": "mfa.training.fit",
    "open_run": "mfa.runs.run",
    "untrained": "mfa.runs.run",
    # Retrieval: features, scores, comparisons.
    "ReciprocalDistances": "mfa.retrieval.rerank",
    "branch_shares": "mfa.inference.pictures",
    "brightness_and_size": "mfa.comparison.failures",
    "by_camera_pair": "mfa.comparison.breakdown",
    "by_gallery_size": "mfa.comparison.breakdown",
    "embed_picture": "mfa.inference.pictures",
    "evaluate": "mfa.inference.evaluate",
    "evaluate_external": "mfa.inference.external.scoring",
    "extract_features": "mfa.inference.evaluate",
    "from_callable": "mfa.inference.external",
    "input_pixels": "mfa.inference.pictures",
    "intervals": "mfa.retrieval.statistics",
    "measure_embedding": "mfa.comparison.projection",
    "nearest": "mfa.retrieval.nearest",
    "overview": "mfa.comparison.compare",
    "nearest_answers": "mfa.retrieval.nearest",
    "paired_test": "mfa.retrieval.statistics",
    "score": "mfa.retrieval.metrics",
    "score_branches": "mfa.retrieval.branch_weights",
    "select_images": "mfa.datasets.selection",
    "select_queries": "mfa.retrieval.queries",
    "tag_queries": "mfa.comparison.failures",
    "with_descriptor": "mfa.retrieval.queries",
    "verify": "mfa.comparison.verification",
    # What a branch looks at.
    "BranchMaps": "mfa.explain",
    "ImagesWithCameras": "mfa.explain",
    "reference_pictures": "mfa.explain.pictures",
    "branch_maps": "mfa.explain",
    "sanity_check_maps": "mfa.explain",
    "common_parts": "mfa.explain.concepts",
    "correspond": "mfa.explain.correspondence",
    "rank_ledgers": "mfa.explain.rank_ledgers",
    "judge_claims": "mfa.explain.paper_claims",
    "measure_attention": "mfa.explain.measure",
    "measure_faithfulness": "mfa.explain.measure",
    "pair_ledger": "mfa.explain.ledger",
    "pair_ledgers": "mfa.explain.ledger",
    "situations": "mfa.explain.pictures",
    # What a module is worth.
    "compare_rows": "mfa.ablation.paired_tests",
    "estimate": "mfa.ablation",
    "load_plan": "mfa.ablation",
    "mean_over_seeds": "mfa.ablation.significance",
    "run_plan": "mfa.ablation",
    "saved_results": "mfa.ablation.paired_tests",
    "with_tests": "mfa.ablation.significance",
}
"""Where each public name lives."""

_MODULES = ("presets", "synthetic")
"""Submodules reached as attributes."""

__all__ = sorted([*_HOME, *_MODULES, "__version__"])


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    if name in _MODULES:
        return importlib.import_module(f"mfa.{name}")
    raise AttributeError(f"module 'mfa' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
