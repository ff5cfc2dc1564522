"""Lists as they are: an unreadable picture first, a query without a match, distractors, junk.

Behind the unreadable picture list positions and feature rows differ, which every app must survive.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import viz
from mfa.records import ReidDataset, Sample
from viz.apps.core.images import thumbnail

APPS = ("ranks", "attention", "branches", "occlusion", "failures", "embedding")


@pytest.fixture(scope="module")
def hard(world: Any, tmp_path_factory: pytest.TempPathFactory) -> ReidDataset:
    """The drawn people with a broken query first, and one query of nobody in the gallery."""
    folder = tmp_path_factory.mktemp("hard")
    broken, alone = folder / "0001_c1s1_000001_00.jpg", folder / "0999_c1s1_000001_00.jpg"
    broken.write_bytes(b"no picture")
    alone.write_bytes(Path(world.data.query[0].path).read_bytes())
    query = (
        Sample(broken, world.data.query[0].pid, 1), *world.data.query, Sample(alone, 999, 1)
    )  # fmt: skip
    return replace(world.data, query=query, fingerprint="hard" * 16)


@pytest.mark.parametrize("name", APPS)
def test_apps_show_the_right_pictures(world: Any, keep: Any, hard: Any, name: str) -> None:
    app = keep(viz.apps.opener(name)(world.anchored, data=hard))
    for query in (3, len(hard.query) - 1):
        if "query" in type(app.state).__dataclass_fields__:
            app.set(query=query)
        elif name == "attention":
            app.set(position=query)
        app.wait()
        assert "inside the app" not in app.error
    if name == "ranks":
        app.set(query=3)
        app.wait()
        assert app.rows[0].images[0] == thumbnail(hard.query[3].path)
        assert hard.query[3].path.name in app.rows[0].label
        app.set(query=0)
        app.wait()
        assert "cannot be read, so it has no ranks" in app.error
    if name == "failures":
        for image, entry in zip(app.shown.images, app.group.items, strict=True):
            assert f"id {hard.query[image.position].pid} " in entry["title"]
    if name == "embedding":
        app.set(people=40, colour="answer")
        app.wait()
        assert app.error == ""
        table = app.shown.tables["whole descriptor"]
        assert list(table["answer"][table["pid"] == 999]) == ["query, not counted"]
    if name == "occlusion":
        app.set(query=len(hard.query) - 1)
        app.wait()
        assert "cannot be scored" in app.error
