"""The state of ``Ranks`` as a script."""

from __future__ import annotations

from collections.abc import Sequence

from mfa.datasets.image_list import ListedImage
from viz.apps.core.code import indented, opening
from viz.apps.core.pair_cards import explain_code
from viz.apps.core.session import Session
from viz.apps.ranks.state import RanksState


def code_of(sessions: Sequence[Session], state: RanksState, query: ListedImage | None) -> str:
    """Code that draws the ranks of ``query``, and the explanation of the chosen card."""
    if query is None:
        return opening(sessions)
    if state.own is not None:
        return opening(sessions[:1]) + _own(state)
    ignored = ", include_junk=True" if state.ignored else ""
    draw = f"data, [{query.row}], k={state.k}{ignored})\n"
    if len(sessions) == 1:
        body = _scored(state) + f"viz.draw_rank_grid(result, {draw}"
    else:
        scored = _scored(state) + "results[run.name] = result\n"
        body = "results = {}\nfor run in runs:\n" + indented(scored)
        body += f"viz.draw_rank_grid(results, {draw}"
    if state.card is not None:
        model, place = state.card
        which = f"run = runs[{model}]\n" if len(sessions) > 1 else ""
        body += which + explain_code(sessions[model], str(query.position), str(place))
    return opening(sessions) + body


def _scored(state: RanksState) -> str:
    """Features and their score, for the switches of the state."""
    if not (state.rerank or state.camera is not None):
        options = f", flip={state.flip}, camera_filter={state.camera_filter}"
        return f"result = mfa.evaluate(run, data{options})\n"
    lines = f"features = mfa.extract_features(run, data, flip={state.flip})\n"
    if state.camera is not None:
        lines += f"features = features.by_camera({state.camera})\n"
    distance = ", distance=mfa.ReciprocalDistances(features)" if state.rerank else ""
    return lines + f"result = mfa.score(features, camera_filter={state.camera_filter}{distance})\n"


def _own(state: RanksState) -> str:
    by = "" if state.camera is None else f".by_camera({state.camera})"
    return (
        f"features = mfa.extract_features(run, data, flip={state.flip}){by}\n"
        "# the picture you gave is not kept: put its path here\n"
        f'descriptor = mfa.embed_picture(run, "YOUR_PICTURE.jpg", flip={state.flip})\n'
        f"mfa.nearest(features.gallery, descriptor, {state.k})\n"
    )
