"""The apps bench measures every app and what it names, in the small."""

from __future__ import annotations

import mfa
from benchmarks.apps import TARGETS, run


def test_every_kind_of_reaction_is_measured(world: object) -> None:
    config = mfa.open_run(world.anchored).config  # type: ignore[attr-defined]
    found = run(1, config=config, people=8, market=(60, 200))
    assert set(TARGETS) <= set(found)
    assert all(seconds > 0 for seconds in found.values())
    for app in ("ranks", "attention", "branches", "occlusion", "failures", "threshold", "triplets"):
        assert f"{app}_first_s" in found
