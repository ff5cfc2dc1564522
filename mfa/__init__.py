"""MFA: train, score and understand a multi-branch person re-identification network.

Names are loaded on first use, so that ``mfa --help`` needs no PyTorch.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "1.0.0"

_HOME = {
    name: f"mfa.{module}"
    for module, names in {
        "config": "Config",
        "records": "Features ReidDataset",
        "errors": "InputError",
        # Data.
        "datasets.loading.sampler": "PKBatchSampler",
        "datasets.doctor": "examine",
        "datasets": "load_dataset read_image",
        "datasets.loading.images": "load_images",
        "datasets.picture_tags": "read_tags tag_pictures",
        "datasets.prepare.custom_table": "parse_tree preview_lines",
        "datasets.prepare.division": "with_splits",
        "datasets.readers.custom": "write_table",
        # Networks and training.
        "losses": "Criterion",
        "models": "build_model",
        "models.complexity": "complexity",
        "training.fit": "fit",
        "runs.run": "open_run untrained",
        # Retrieval: features, scores, comparisons.
        "retrieval.rerank": "ReciprocalDistances",
        "retrieval.stored": "StoredDistances nearest_stored read_stored write_stored",
        "retrieval.approximate": "make_index",
        "inference.pictures": "branch_shares embed_picture input_pixels",
        "comparison.failures": "brightness_and_size tag_queries",
        "comparison.breakdown": "by_camera_pair by_gallery_size",
        "comparison.slices": "measure_slices query_slices",
        "inference.evaluate": "evaluate extract_features",
        "inference.external.scoring": "evaluate_external",
        "inference.external": "from_callable load_external",
        "retrieval.statistics": "intervals paired_test",
        "comparison.projection": "measure_embedding",
        "retrieval.nearest": "nearest nearest_answers",
        "comparison.compare": "overview",
        "retrieval.metrics": "score",
        "retrieval.branch_weights": "score_branches",
        "datasets.selection": "select_images",
        "retrieval.queries": "select_queries with_descriptor",
        "comparison.verification": "verify",
        "comparison.calibration": "calibrate verify_halves",
        "comparison.identification": "identify",
        "comparison.pair_sample": "sample_pairs",
        # What a branch looks at.
        "explain": "BranchMaps ImagesWithCameras branch_maps sanity_check_maps",
        "explain.pictures": "reference_pictures situations",
        "explain.concepts": "common_parts",
        "explain.correspondence": "correspond",
        "explain.matches": "match_places",
        "explain.pair_maps": "improving_pair_maps pair_maps",
        "explain.pair_faithfulness": "pair_faithfulness",
        "explain.rank_ledgers": "rank_ledgers",
        "explain.paper_claims": "judge_claims",
        "explain.passport": "measure_passport",
        "explain.measure": "measure_attention measure_faithfulness",
        "explain.ledger": "pair_ledger pair_ledgers",
        # What a module is worth.
        "ablation.paired_tests": "compare_rows saved_results",
        "ablation": "estimate load_plan run_plan",
        "ablation.significance": "mean_over_seeds with_tests",
    }.items()
    for name in names.split()
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
