"""Counterparts of the paper's figures and tables: ``PaperInputs`` in, figures and tables out."""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "CaptionedFigure": "viz.paper.inputs",
    "PaperInputs": "viz.paper.inputs",
    "ablation_rows": "viz.paper.published",
    "bars2": "viz.paper.ablation_tables",
    "bars3": "viz.paper.ablation_tables",
    "bars_variants": "viz.paper.ablation_tables",
    "build_paper": "viz.paper.build",
    "fig3": "viz.paper.figures",
    "fig4": "viz.paper.figures",
    "fig5": "viz.paper.figures",
    "fig6": "viz.paper.figures",
    "fig7": "viz.paper.figures",
    "published_of": "viz.paper.published",
    "table1": "viz.paper.tables",
    "table2": "viz.paper.ablation_tables",
    "table3": "viz.paper.ablation_tables",
    "table4": "viz.paper.tables",
    "table5": "viz.paper.tables",
    "table6": "viz.paper.tables",
}
"""Where each public name lives."""

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'viz.paper' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
