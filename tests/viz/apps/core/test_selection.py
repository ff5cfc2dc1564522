"""Tags and views: shared by the apps of a session, files, links, code, and bad input in words."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import mfa
import viz
from viz.apps.core.selection import Selection


def ask(app: Any, **request: str) -> None:
    app.kept.widget.asked = request
    app.kept.widget.asks += 1


@pytest.fixture
def run(world: Any, tmp_path: Path) -> Path:
    """A run of its own, since all apps on one share their tags."""
    return Path(shutil.copytree(world.anchored, tmp_path / "run"))


def test_a_tag_is_a_table_a_file_and_code_in_every_app(
    world: Any, run: Path, keep: Any, executed: Any
) -> None:
    ranks = keep(viz.rank_explorer(run, data_root=world.root, query=2))
    other = keep(viz.attention_explorer(run, data_root=world.root))
    widget = ranks.kept.widget
    ranks.rows[0].selected, ranks.rows[0].clicks = 1, 1
    ranks.wait()
    for of, tag in zip(widget.marks, ("=hat", "<img src=x>"), strict=True):
        ask(ranks, do="tag", of=of, tag=tag)
    assert [row[:2] for row in other.kept.widget.tags] == [["<img src=x>", 1], ["=hat", 1]]
    assert widget.tags[1][2] == [widget.marks[0]]
    table = ranks.selection()
    assert table["tags"].tolist() == [("=hat",), ("<img src=x>",)]
    assert table["position"].tolist() == [2, ranks.state.card[1]]
    assert len(other.selection("=hat")) == 1
    assert executed(ranks.kept.code() + "tags")["shown"].equals(table)
    ask(ranks, do="file", kind="csv")
    assert "'=hat" in widget.file["text"]
    ask(other, do="show", tag="=hat")
    assert [item["alt"] for item in other.kept.cards.items] == [table["name"][0]]
    other.kept.cards.selected, other.kept.cards.clicks = 0, 1
    other.wait()
    assert (other.state.side, other.state.position) == ("query", 2)
    ask(ranks, do="untag", of=widget.marks[0], tag="=hat")
    assert "=hat" not in ranks.kept.selection.counts()
    assert other.kept.cards.items == []


def test_views_and_tags_lie_beside_the_run(world: Any, run: Path, keep: Any, executed: Any) -> None:
    app = keep(viz.failure_browser(run, data_root=world.root, k=3))
    widget = app.kept.widget
    ask(app, do="keep", name="three 背包")
    app.set(k=5)
    app.wait()
    ask(app, do="tag", of=widget.marks[-1], tag="seen")
    ask(app, do="save")
    assert not widget.bad, widget.words
    again = Selection(app.session.data, run)
    assert again.table().equals(app.selection())
    assert [view.name for view in again.views] == widget.views == ["three 背包"]
    ask(app, do="open", name="three 背包")
    app.wait()
    assert app.state.k == 3
    assert "viz.failure_browser(run, k=3)  # three 背包" in app.kept.code()
    path = app.kept.selection.path
    path.write_text(path.read_text() + " ")
    ask(app, do="save")
    assert widget.bad
    assert "has changed since" in widget.words
    ask(app, do="read", name=path.name, text=path.read_text())
    ask(app, do="save")
    assert not widget.bad, widget.words
    ask(app, do="forget", name="three 背包")
    assert widget.views == []


def test_bad_input_is_a_sentence_beside_the_form(world: Any, run: Path, keep: Any) -> None:
    app = keep(viz.embedding_explorer(run, data_root=world.root, people=3))
    widget = app.kept.widget
    app._mark([0, 4])
    app.wait()
    (of,) = widget.marks
    table = mfa.tag_pictures(world.data, {"hat": {"query": [0]}})
    view = {"name": "odd", "app": "embedding", "state": {"method": "nope"}}
    rows = [{**row, "tags": ["hat"]} for row in table.to_dict("records")]
    good = json.dumps({"pictures": rows, "views": [view]})
    for request, words in (
        ({"do": "tag", "of": of, "tag": "x" * 99}, "has 99 letters"),
        ({"do": "tag", "of": of, "tag": "a\u202eb"}, "cannot be seen"),
        ({"do": "tag", "of": "nobody", "tag": "hat"}, "is not shown any more"),
        ({"do": "keep", "name": "a\x00b"}, "cannot be seen"),
        ({"do": "open", "name": "nothing"}, "there is no view"),
        ({"do": "read", "name": "x.json", "text": "{}"}, "is no file of tags"),
        ({"do": "read", "name": "x.json", "text": '{"pictures": [], "views": 3}'}, "no list"),
        ({"do": "read", "name": "x.json", "text": '{"pictures": [], "views": [3]}'}, "is none"),
    ):
        ask(app, **request)
        assert widget.bad
        assert words in widget.words
    assert app.selection().empty
    ask(app, do="read", name="good.json", text=good)
    assert not widget.bad, widget.words
    ask(app, do="open", name="odd")
    app.wait()
    assert "does not have" in widget.words
    assert app.state.method == "pca"
    ask(app, do="tag", of=of, tag="two  words")
    assert widget.words == "2 tagged."
    assert len(app.selection("two words")) == 2


def test_a_broken_file_beside_the_run_is_said(world: Any, run: Path, keep: Any) -> None:
    (run / f"tags-{world.data.fingerprint[:12]}.json").write_text("{")
    app = keep(viz.rank_explorer(run, data_root=world.root))
    assert app.kept.widget.bad
    assert "is no file of tags" in app.kept.widget.words
