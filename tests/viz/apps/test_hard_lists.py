"""Lists as they are: unreadable pictures first, a query without a match, distractors, junk.

Behind an unreadable picture list positions and feature rows differ, which every app must survive.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import viz
from mfa.records import DISTRACTOR, ReidDataset, Sample
from viz.apps.core.images import thumbnail

APPS = ("ranks", "attention", "branches", "occlusion", "failures", "embedding", "threshold")


@pytest.fixture(scope="module")
def hard(world: Any, tmp_path_factory: pytest.TempPathFactory) -> ReidDataset:
    """The drawn people, a broken query and gallery picture first, a query of nobody in there."""
    folder = tmp_path_factory.mktemp("hard")
    broken, alone = folder / "0001_c1s1_000001_00.jpg", folder / "0999_c1s1_000001_00.jpg"
    lost = folder / "0001_c2s1_000002_00.jpg"
    for path in (broken, lost):
        path.write_bytes(b"no picture")
    alone.write_bytes(Path(world.data.query[0].path).read_bytes())
    pid = world.data.query[0].pid
    query = (Sample(broken, pid, 1), *world.data.query, Sample(alone, 999, 1))
    gallery = (Sample(lost, pid, 2), *world.data.gallery)
    return replace(world.data, query=query, gallery=gallery, fingerprint="hard" * 16)


@pytest.mark.parametrize("name", APPS)
def test_apps_show_the_right_pictures(world: Any, keep: Any, hard: Any, name: str) -> None:
    app = keep(viz.apps.opener(name)(world.anchored, data=hard))
    for query in (0, 3, len(hard.query) - 1):
        if "query" in type(app.state).__dataclass_fields__:
            app.set(query=query)
        elif name == "attention":
            app.set(position=query)
        app.wait()
        assert "inside the app" not in app.error
    if name == "attention":
        for sample in (hard.gallery[0], next(s for s in hard.gallery if s.pid == DISTRACTOR)):
            app.set(side="gallery", position=hard.gallery.index(sample))
            app.wait()
            assert ("is not a picture" in app.error) == (sample is hard.gallery[0])
        app.set(side="query", position=3, other=0)
        app.wait()
        assert "is not a picture" in app.error
    if name in ("ranks", "branches", "failures"):
        app.set(query=3, k=0)  # as an address may say
        app.wait()
        assert "between 1 and 50 ranks can be shown" in app.error
        app.set(k=5)
        app.wait()
        if name == "ranks":
            shown, session = app.rows[0], app.sessions[0]
        else:
            shown, session = app.grid if name == "branches" else app.ranks, app.session
        first = session.result().ranking(2, 5)["name"].iloc[0]  # row 2 is position 3
        assert first in shown.items[1]["alt"]
        path = next(s.path for s in hard.gallery if s.path.name == Path(first).name)
        assert shown.images[1] == thumbnail(path)
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
            assert entry["title"] == f"id {hard.query[image.position].pid}"
    if name == "embedding":
        app.set(people=40, colour="answer")
        app.wait()
        assert app.error == ""
        table = app.shown["whole descriptor"]
        assert list(table["answer"][table["pid"] == 999]) == ["query, not counted"]
    if name == "occlusion":
        app.set(query=len(hard.query) - 1)
        app.wait()
        assert "cannot be scored" in app.error


def test_the_dataset_browser_shows_them(keep: Any, hard: Any) -> None:
    app = keep(viz.dataset_browser(hard, doctor=True))
    for choice in ({"split": "query"}, {"split": "gallery", "kind": "distractor"}):
        app.set(**choice)
        app.wait()
        assert app.error == ""
        assert len(app.cards.images) == min(len(app.shown.chosen), 30)
