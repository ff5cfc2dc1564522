"""The first page: what this is, and for each app a picture, a question and a start."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from functools import lru_cache
from html import escape
from pathlib import Path

from PIL import Image

from mfa.files import shipped
from viz.apps.core.labels import distinct_names

PICTURES = shipped("docs/images")

WHAT = (
    "Person re-identification finds a person again in the pictures of other cameras. Here you see "
    "how a network with several branches does it, where it looks, and where it fails."
)

QUESTIONS: Mapping[str, str] = {
    "ranks": "Who was found for a picture, by which model, and why?",
    "attention": "What does each branch look at?",
    "branches": "What is each branch worth?",
    "occlusion": "What if this part were hidden?",
    "failures": "What do the wrong answers have in common?",
    "threshold": "Same person or not? Where is the line, and what does it cost?",
    "embedding": "Who lies near whom, branch by branch?",
    "dataset": "Who is in the dataset, and is it sound?",
    "ablation": "Which module helps, and is that more than chance?",
    "training": "How do the branches learn?",
}
"""Every app of the page, and the question it answers."""

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


def landing(names: Sequence[str], runs: Sequence[str]) -> str:
    """The page as HTML."""
    doors = "".join(_door(name, QUESTIONS[name]) for name in names)
    lessons = "".join(_door(name, words) for name, words in LESSONS.items())
    shown = ", ".join(distinct_names([Path(run) for run in runs], least=2))
    several = f"; {' and '.join(SEVERAL)} show all, the others the first" if len(runs) > 1 else ""
    return (
        f"<h1 class='mfa-heading'>MFA workbench</h1><p class='mfa-note'>{WHAT}</p>"
        f"<p>Runs: {escape(shown + several)}</p>"
        f"<div class='mfa-doors'>{doors}</div>"
        f"<h2 class='mfa-heading'>Lessons: one idea each</h2><div class='mfa-doors'>{lessons}</div>"
        "<p class='mfa-note'>Nobody else sees what you change, and it is gone when you leave. The "
        "address of the page holds it: keep the link, and it comes back.</p>"
    )


def _door(name: str, question: str) -> str:
    image = _picture(name)
    picture = f"<img alt='' src='{image}'>" if image else ""
    return (
        f"<div class='mfa-door'>{picture}<div>{escape(question)}</div>"
        f"<a class='mfa-link' href='?app={name}'>Start {escape(name.replace('_', ' '))}</a></div>"
    )


@lru_cache(maxsize=32)
def _picture(name: str) -> str:
    """The app's picture of the documents as a small data address; empty where there is none."""
    path = PICTURES / f"app-{name.replace('_', '-')}.png"
    if not path.is_file():
        return ""
    with Image.open(path) as picture:
        small = picture.convert("RGB")
    wide = small.crop((0, 0, small.width, min(small.height, round(0.6 * small.width))))
    wide.thumbnail((360, 240))
    buffer = io.BytesIO()
    wide.save(buffer, "JPEG", quality=75)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
