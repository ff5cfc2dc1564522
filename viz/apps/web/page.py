"""What a visitor of the web page sees: a page of links, or the app the address names."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import ipywidgets

import viz.apps
from mfa.errors import InputError
from viz.apps import lessons
from viz.apps.core import html
from viz.apps.core.labels import told_apart

WORDS: Mapping[str, str] = {
    "ranks": "Who was found for a picture, by which model, and why.",
    "attention": "What each branch looks at, for a score, a rule and a layer of choice.",
    "branches": "Weigh the branches, or switch them off; scores and ranks follow at once.",
    "occlusion": "Hide or move a part of the query; maps, shares and ranks follow.",
    "failures": "Queries with a wrong first answer, grouped by what holds of them.",
    "embedding": "Pictures on a plane a branch, linked; lasso some to see them.",
    "dataset": "The dataset: people, cameras, and what the doctor found.",
    "ablation": "Which module helps: published, measured, spread, and a paired test.",
    "training": "Start, watch, pause, stop and resume a training.",
}
"""Every app of the page, and what it is for."""

LESSONS: Mapping[str, str] = {
    "pk_batch": "What is in a batch?",
    "triplets": "Which triplet teaches?",
    "smoothing": "Why not ask for certainty?",
    "gem": "Between the mean and the maximum",
    "bnneck": "Before and after BNNeck",
    "stripes": "How a branch finds its stripe",
    "ranked_list": "From a ranked list to CMC, AP and mINP",
    "reciprocal": "Neighbours who agree",
}
"""The lessons, in the order of the course, and their questions."""

SEVERAL = ("ranks", "attention")
"""Apps that show all runs; the others get the first."""

LOCAL_ONLY = ("training",)
"""Apps that start programs: only for those who sit at the machine."""


def page(
    runs: Sequence[str],
    data: str | None = None,
    data_root: str | None = None,
    start: str = "",
    local: bool = True,
) -> Any:
    """The widget of one visit; the address' ``?app=`` chooses, else ``start``.

    Args:
        runs: folders of the runs.
        data: dataset, by default the one the first run was trained on.
        data_root: where datasets lie.
        start: app of the plain address; the page of links where empty.
        local: whether the page is served to this machine alone.
    """
    query = parse_qs(os.environ.get("QUERY_STRING", ""), keep_blank_values=True)
    wanted = query.get("app", [start])[0]
    names = [name for name in WORDS if local or name not in LOCAL_ONLY]
    top = ipywidgets.HTML(html.style() + _links(names, wanted))
    if not wanted:
        return ipywidgets.VBox([top, ipywidgets.HTML(_landing(names, runs))])
    try:
        if wanted not in (*names, *LESSONS):
            raise InputError(f"there is no app {wanted!r} here; choose one above")
        app = open_app(wanted, runs, data, None if data_root is None else Path(data_root))
    except InputError as error:
        return ipywidgets.VBox([top, ipywidgets.HTML(html.message(str(error), error=True))])
    return ipywidgets.VBox([top, app.view])


def open_app(name: str, runs: Sequence[str], data: str | None, root: Path | None) -> Any:
    """An app or a lesson with what it needs of the runs and their dataset.

    Raises:
        InputError: what the app itself raises.
    """
    if name in LESSONS and name != "pk_batch":
        return getattr(lessons, name)()
    make = getattr(lessons, name) if name in LESSONS else viz.apps.opener(name)
    if name == "ablation":
        return make()
    if name in ("dataset", "pk_batch", "training"):
        from mfa.inference.evaluate import (
            resolve,  # loads PyTorch, which the page of links can do without
        )
        from mfa.runs.run import open_run

        dataset = resolve(open_run(runs[0]), data, root)
        if name == "training":
            return make(Path(runs[0]).parent / "training", data=dataset)
        return make(dataset)
    return make(list(runs) if name in SEVERAL else runs[0], data=data, data_root=root)


def _links(names: Sequence[str], wanted: str) -> str:
    links = [f"<a href='?app=' {_here(not wanted)}>all apps</a>"]
    links += [f"<a href='?app={name}' {_here(name == wanted)}>{name}</a>" for name in names]
    return f"<nav class='mfa-nav' aria-label='Apps'>{' '.join(links)}</nav>"


def _here(same: bool) -> str:
    return "aria-current='page' class='mfa-link'" if same else "class='mfa-link'"


def _landing(names: Sequence[str], runs: Sequence[str]) -> str:
    rows = "".join(
        f"<li><a class='mfa-link' href='?app={name}'><strong>{name}</strong></a> "
        f"{escape(WORDS[name])}</li>"
        for name in names
    )
    lessons = "".join(
        f"<li><a class='mfa-link' href='?app={name}'>{escape(words)}</a></li>"
        for name, words in LESSONS.items()
    )
    shown = ", ".join(told_apart([Path(run) for run in runs], least=2))
    rest = f"; {' and '.join(SEVERAL)} show all, the others the first" if len(runs) > 1 else ""
    return (
        f"<h1 class='mfa-heading'>MFA workbench</h1><p>Runs: {escape(shown + rest)}</p>"
        f"<ul class='mfa-apps'>{rows}</ul><h2 class='mfa-heading'>Lessons</h2>"
        f"<ul class='mfa-apps'>{lessons}</ul>"
        "<p class='mfa-note'>Each visit has its own kernel: what you change, nobody else sees, "
        "and it is gone when you leave.</p>"
    )
