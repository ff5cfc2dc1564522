"""The state of ``Ranks`` as a script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from viz.apps.core.pair_cards import code_of as explanation
from viz.apps.core.session import Subject, opening

if TYPE_CHECKING:
    from viz.apps.ranks.app import RanksState


def code_of(subjects: Sequence[Subject], state: RanksState) -> str:
    """Code that draws the ranks, and the explanation of the chosen card."""
    lines = [opening(subjects[0]), "from mfa.inference.evaluate import extract_features\n"]
    names = [str(subject.run.path) for subject in subjects]
    query = state.query or 0
    if state.upload:
        return "\n".join([*lines, _asked(state)])
    lines.append(f"runs = [mfa.open_run(name) for name in {names!r}]")
    lines.append("results = {}\nfor run in runs:")
    lines.append(f"    features = extract_features(run, data, flip={state.flip})")
    imports = ["from mfa.retrieval.metrics import score"]
    if state.camera is not None:
        imports.append("from dataclasses import replace")
        lines.append(f"    seen = (features.gallery.camids == {state.camera}).nonzero()[0]")
        lines.append("    features = replace(features, gallery=features.gallery.take(seen))")
    distance = ""
    if state.rerank:
        imports.append("from mfa.retrieval.rerank import ReciprocalDistances")
        distance = ", distance=ReciprocalDistances(features)"
    lines.append(f"    result = score(features, camera_filter={state.camera_filter}{distance})")
    junk = f", include_junk={state.junk}" if state.junk else ""
    lines.append("    results[run.name] = result")
    lines.append(f"figure = viz.draw_rank_grid(results, data, [{query}], k={state.k}{junk})")
    if state.card is not None:
        model, place = state.card
        lines.append(f"run = runs[{model}]")
        lines.append(f"{explanation(subjects[model], str(query), str(place))}figure = explained")
    return "\n".join([lines[0], *imports, *lines[1:]]) + "\n"


def _asked(state: RanksState) -> str:
    seen = ""
    if state.camera is not None:
        seen = f"gallery = gallery.take((gallery.camids == {state.camera}).nonzero()[0])\n"
    return (
        "from mfa.retrieval.nearest import nearest\n"
        "from viz.apps.core.session import Subject\nfrom viz.apps.core.upload import uploaded\n\n"
        "subject = Subject(run, data)\n"
        "# the picture you gave is not kept: put its path here\n"
        "pixels = uploaded(Path('YOUR_PICTURE.jpg').read_bytes(), subject.size)\n"
        f"gallery = extract_features(run, data, flip={state.flip}).gallery\n{seen}"
        f"table = nearest(gallery, subject.embed(pixels, flip={state.flip}), {state.k})\n"
        "print(table)\n"
    )
