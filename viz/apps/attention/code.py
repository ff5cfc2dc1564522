"""The state of ``Attention`` as a script."""

from __future__ import annotations

from collections.abc import Sequence

from viz.apps.attention.state import AttentionState, Compared
from viz.apps.core.code import indented, opening, read_code
from viz.apps.core.session import Session


def code_of(sessions: Sequence[Session], state: AttentionState, pictures: Compared | None) -> str:
    """Code that draws the maps of every model, untrained ones beside where they are shown."""
    if pictures is None:
        return opening(sessions)
    if state.own is None:
        body = read_code(sessions, "picture", f"data.{state.side}[{state.position}]")
    else:
        body = (
            "# the picture you gave is not kept: put its path here\n"
            'picture = mfa.input_pixels(run, "YOUR_PICTURE.jpg")\n'
        )
    body += read_code(sessions, "other", f"data.gallery[{pictures.other.position}]")
    body += _maps(sessions, state, pictures)
    if state.point is not None and sessions[0].adds_up:
        body += _place(state)
    if state.lines and sessions[0].adds_up:
        body += _lines(state)
    if len(sessions) > 1:
        body = "for run in runs:\n" + indented(body)
    return opening(sessions) + body


def _maps(sessions: Sequence[Session], state: AttentionState, pictures: Compared) -> str:
    toward, lines = "", ""
    if state.target == "other":
        toward = ", toward=other"
    if state.target == "contrast" and pictures.wrong is not None:
        lines += read_code(sessions, "wrong", f"data.gallery[{pictures.wrong.position}]")
        toward = ", toward=(other, wrong)"
    lines += f"average = {'mfa.reference_pictures(run, data)' if state.centred else 'None'}\n"
    target = "similarity" if state.target == "other" else state.target
    options = (
        f'    target="{target}"{toward}, method="{state.method}",\n'
        f'    layer="{state.layer}", fused="{state.fused}", reference=average,\n'
    )
    lines += f"maps = mfa.branch_maps(\n    run, picture,\n{options})\n"
    checks = ""
    if state.untrained:
        lines += f"random = mfa.branch_maps(\n    mfa.untrained(run.config), picture,\n{options})\n"
        checks = ', sanity_checks={"untrained": random}'
    return lines + f"viz.draw_maps(maps, picture{checks})\n"


def _place(state: AttentionState) -> str:
    assert state.point is not None
    x, y = state.point
    return (
        f"size = run.config.data\n"
        f"point = int({y:.4f} * size.height), int({x:.4f} * size.width)\n"
        f"average = {_average(state)}\n"
        "found = mfa.correspond(run, picture, other, point, reference=average)\n"
        "viz.draw_correspondence(found, picture, other)\n"
    )


def _lines(state: AttentionState) -> str:
    return (
        f"average = {_average(state)}\n"
        "found = mfa.match_places(run, picture, other, reference=average)\n"
        f"viz.draw_matches(found, picture, other, k={state.lines})\n"
    )


def _average(state: AttentionState) -> str:
    return "mfa.reference_pictures(run, data)" if state.average else "None"
