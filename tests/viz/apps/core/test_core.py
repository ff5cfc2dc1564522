"""What every app promises: errors in words, newest state wins, nothing left behind."""

from __future__ import annotations

import gc
import io
import shutil
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import ipywidgets
import numpy as np
import pytest
from PIL import Image

import mfa
import viz
from mfa.errors import InputError
from mfa.explain.occlusion_edits import Stroke
from viz.apps.attention.state import AttentionState
from viz.apps.core import app as module
from viz.apps.core import rerun
from viz.apps.core.address import from_query, left_out, to_query
from viz.apps.core.cache import Cache
from viz.apps.core.controls import slider
from viz.apps.core.own_picture import BYTES, OwnPicture, own_picture
from viz.apps.core.session import open_session
from viz.apps.core.worker import Job
from viz.apps.occlusion.state import OcclusionState
from viz.apps.ranks.state import RanksState
from viz.apps.widgets import Code


@dataclass(frozen=True)
class State:
    value: float = 1.0


class Toy(module.App[State, str]):
    name = "toy"
    heading = "Toy"

    def __init__(self) -> None:
        super().__init__(State())
        self.slider = slider("Value", 0.0, 1000.0, 1.0)
        self.words = ipywidgets.HTML()
        self.rendered: list[float] = []
        self.slow = threading.Event()
        self.bind("value", self.slider)
        self.start([self.slider], self.words)

    def render(self, state: State, job: Job) -> str:
        self.rendered.append(state.value)
        if state.value == 13:
            raise InputError("13 is not a value; choose another")
        if state.value == 14:
            raise KeyError("a mistake of ours")
        if state.value == 50:
            self.slow.wait(5)
        if state.value == 99:
            for _ in range(400):
                job.progress(0.1, "waiting")
                time.sleep(0.01)
        return f"<b>{state.value:g}</b>"

    def show(self, state: State, shown: str) -> None:
        self.words.value = shown

    def code(self) -> str:
        return f"value = {self.state.value}"


def until(holds: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def test_a_control_changes_state_and_picture_and_the_other_way_round(keep: Any) -> None:
    toy = keep(Toy())
    assert toy.words.value == "<b>1</b>"
    toy.slider.value = 5
    toy.wait()
    assert toy.state == State(5)
    assert toy.words.value == "<b>5</b>"
    toy.set(value=7.0)
    toy.wait()
    assert toy.slider.value == 7
    assert toy.rendered == [1, 5, 7]  # a control set by the app asks for nothing again


def test_bad_input_is_a_sentence_in_the_app_and_goes_away(keep: Any) -> None:
    toy = keep(Toy())
    toy.set(value=13.0)
    toy.wait()
    assert toy.error == "13 is not a value; choose another"
    note = toy.panel.children[1].value
    assert "role='alert'" not in note  # nobody moved the control
    assert "role='alert'" in toy.message.value
    assert toy.words.value == "<b>1</b>"
    toy.set(value=2.0)
    toy.wait()
    assert toy.error == ""
    assert "alert" not in toy.message.value


def test_a_late_picture_leaves_a_newer_message(keep: Any) -> None:
    toy = keep(Toy())
    toy.set(value=50.0)
    until(lambda: 50 in toy.rendered)
    toy.say("the file is too large", error=True)
    toy.slow.set()
    toy.wait()
    assert toy.words.value == "<b>50</b>"
    assert toy.error == "the file is too large"


def test_our_own_mistakes_are_told_and_kept_for_tests() -> None:
    toy = Toy()
    toy.set(value=14.0)
    with pytest.raises(KeyError):
        toy.wait()
    assert "inside the app" in toy.error
    toy.close()


def test_long_work_shows_progress_and_can_be_stopped(keep: Any) -> None:
    toy = keep(Toy())
    toy.set(value=99.0)
    until(lambda: toy.busy.layout.visibility == "visible")
    assert "waiting" in toy.progress.value
    toy.stop_button.click()
    toy.wait(5)
    assert toy.busy.layout.visibility == "hidden"
    assert toy.words.value == "<b>1</b>"
    assert "Stopped" in toy.message.value


def test_the_code_follows_the_state(keep: Any) -> None:
    toy = keep(Toy())
    toy.script.expanded = True
    assert toy.script.text == "value = 1.0"
    toy.set(value=3.0)
    toy.wait()
    assert toy.script.text == "value = 3.0"


def test_what_render_chose_is_filled_in_unless_the_state_moved_on(keep: Any) -> None:
    toy = keep(Toy())
    old = toy.state
    toy.settle(old, value=4.0)
    assert toy.state == State(4)
    toy.settle(old, value=5.0)  # of a state that is not the present one any more
    assert toy.state == State(4)


def test_widgets_a_page_made_too_late_are_told_again(keep: Any, monkeypatch: Any) -> None:
    toy = keep(Toy())
    assert toy.link.names == [toy.link.model_id, toy.script.model_id]
    sent: list[set[str]] = []
    monkeypatch.setattr(Code, "send_state", lambda w, keys: sent.append(set(keys)))
    toy.link._handle_custom_msg({"missed": toy.script.model_id}, [])
    toy.link._handle_custom_msg({"missed": "nobody"}, [])
    (keys,) = sent
    assert {"text", "expanded"} <= keys
    assert not {"_esm", "_css"} & keys  # the page has those


@pytest.mark.parametrize(
    "name", ["ranks", "attention", "occlusion", "embedding", "failures", "branches", "threshold"]
)
def test_the_first_scoring_is_part_of_the_app_and_can_be_stopped(
    world: Any, monkeypatch: Any, name: str
) -> None:
    begun = threading.Event()

    def slow(run: Any, data: Any, *, flip: bool, progress: Any) -> None:
        begun.set()
        while True:
            progress(0.25)
            time.sleep(0.01)

    monkeypatch.setattr("viz.apps.core.session.extract_features", slow)
    monkeypatch.setattr(module, "FIRST", 0.01)
    monkeypatch.setattr(module, "PATIENCE", 0.01)
    run = mfa.open_run(world.anchored)  # not a folder: nobody shares its session
    app = viz.apps.opener(name)(run, data=world.data)
    assert begun.wait(60)
    until(lambda: app.busy.layout.visibility == "visible")
    assert "value='0.250'" in app.progress.value
    app.stop_button.click()
    app.wait(5)
    assert "Stopped" in app.message.value
    app.close()


def test_closing_leaves_nothing(left_over: Any) -> None:
    before = left_over()
    toy = Toy()
    toy.set(value=99.0)
    toy.close()
    assert left_over() == before


def test_a_closed_app_is_forgotten() -> None:
    toy = Toy()
    toy.wait()
    held = [weakref.ref(each) for each in (toy, toy.slider, toy.link)]
    toy.close()
    del toy
    gc.collect()
    assert [ref() for ref in held] == [None] * 3


@pytest.fixture
def displayed(monkeypatch: Any) -> list[tuple[dict[str, str], bool]]:
    """What apps display: the data, and whether they replace what was there."""
    found: list[tuple[dict[str, str], bool]] = []

    def display(data: dict[str, str], *, update: bool = False, **_: Any) -> None:
        found.append((data, update))

    monkeypatch.setattr("IPython.display.display", display)
    return found


def test_a_notebook_keeps_the_picture_of_the_last_state(
    keep: Any, displayed: list[tuple[dict[str, str], bool]]
) -> None:
    toy = keep(Toy())
    toy.set(value=2.0)
    toy.wait()
    assert not displayed  # it is shown nowhere
    toy._ipython_display_()
    (live, _), (still, _) = displayed
    assert "application/vnd.jupyter.widget-view+json" in live
    assert "<b>2</b>" in still["text/html"]
    toy.set(value=3.0)
    toy.wait()
    still, replaced = displayed[-1]
    assert replaced
    assert "<b>3</b>" in still["text/html"]
    assert "Value: 3" in still["text/html"]
    assert len(displayed) == 3


def test_the_picture_follows_by_itself_when_the_app_rests(
    keep: Any, displayed: list[tuple[dict[str, str], bool]], monkeypatch: Any
) -> None:
    monkeypatch.setattr("viz.apps.core.snapshot.REST", 0.05)
    toy = keep(Toy())
    toy._ipython_display_()
    toy.set(value=3.0)
    until(lambda: len(displayed) > 2)
    assert "<b>3</b>" in displayed[-1][0]["text/html"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"GIF89a" + bytes(100), "cannot be read as a picture"),
        (b"<svg onload='alert(1)'/>", "cannot be read as a picture"),
        (bytes(BYTES + 1), "MB"),
    ],
)
def test_uploads_that_are_no_pictures_are_refused(content: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        own_picture(content, "x.jpg")


def test_a_decoding_bomb_is_refused_by_its_claim() -> None:
    buffer = io.BytesIO()
    Image.new("1", (6_000, 6_000)).save(buffer, "PNG")
    assert len(buffer.getvalue()) < BYTES
    with pytest.raises(InputError, match="6000 x 6000 pixels"):  # not that it cannot be read
        own_picture(buffer.getvalue(), "bomb.png")


def test_what_is_transparent_stays_hidden() -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (20, 40), (255, 0, 0, 0)).save(buffer, "PNG")
    assert (own_picture(buffer.getvalue()).image == 255).all()


def test_a_cache_computes_once_for_all_threads_and_results_may_need_results() -> None:
    cache, made = Cache(4), []

    def slow() -> int:
        time.sleep(0.05)
        made.append(1)
        return cache.get("inner", lambda: 7) + 1  # type: ignore[no-any-return]

    threads = [threading.Thread(target=lambda: cache.get("outer", slow)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]
    assert cache.get("outer", slow) == 8


def test_a_failed_computation_is_tried_again() -> None:
    cache = Cache(4)
    with pytest.raises(ZeroDivisionError):
        cache.get("key", lambda: 1 // 0)
    assert cache.get("key", lambda: 5) == 5


def test_a_cell_that_runs_again_closes_what_it_opened(monkeypatch: Any, left_over: Any) -> None:
    before, held = left_over(), []
    for execution in range(4):
        monkeypatch.setattr(rerun, "current_cell", lambda e=execution: ("cell", f"{e}"))
        one, two = Toy(), Toy()  # of one run: both stay
        assert not one.closed
        held.append(left_over())
    until(lambda: left_over() == held[0])  # threads of closed apps end by themselves
    monkeypatch.setattr(rerun, "current_cell", lambda: ("other cell", "1"))
    three = Toy()
    assert not two.closed
    for toy in (one, two, three):
        toy.close()
    assert left_over() == before


def test_a_session_is_shared_and_let_go(world: Any, tmp_path: Path) -> None:
    folder = shutil.copytree(world.anchored, tmp_path / "fresh")
    one = open_session(folder, data_root=world.root)
    two = open_session(str(folder), data_root=str(world.root))
    assert one is two
    gone = weakref.ref(one)
    del one, two
    gc.collect()
    assert gone() is None
    released = open_session("mfa-tiny", world.data)  # which was opened once for each app
    assert open_session("mfa-tiny", world.data) is released


def test_the_address_holds_the_state_and_nothing_else_gets_in() -> None:
    state = OcclusionState(query=3, strokes=(Stroke(((0.1, 0.2), (0.3, 0.4)), 0.1),), right=0.5)
    query = to_query("occlusion", state)
    given = dict(parse_qsl(query))
    assert given.pop("app") == "occlusion"
    assert {*given} == {"query", "strokes", "right"}
    assert OcclusionState(**from_query(OcclusionState, given)) == state
    ranks = RanksState(find="id 7 & more", card=(0, 4), camera=2)
    assert RanksState(**from_query(RanksState, dict(parse_qsl(to_query("", ranks))))) == ranks
    for wrong in ("'x'", "[1,2]", "1e3", "true", "{}", "[" * 100_000):
        with pytest.raises(InputError, match="address says query="):
            from_query(RanksState, {"query": wrong})
    assert from_query(RanksState, {"own": "1", "theme": "<script>", "__class__": "1"}) == {}
    for wrong in ("NaN", "Infinity", "1e999", "-Infinity", f"1{'0' * 400}"):
        with pytest.raises(InputError, match="address says opacity="):
            from_query(AttentionState, {"opacity": wrong})


def test_what_an_address_does_not_hold_is_named() -> None:
    state = OcclusionState(query=3, strokes=(Stroke(((0.1, 0.2),) * 400, 0.1),))
    assert to_query("occlusion", state) == "app=occlusion&query=3"
    assert left_out(state) == ["strokes"]
    assert left_out(RanksState(own=OwnPicture(np.zeros((8, 8, 3), np.uint8), "me.jpg"))) == ["own"]
    assert left_out(RanksState(query=3)) == left_out(None) == []


def test_runs_and_data_are_found_from_the_notebooks_folder(
    world: Any, keep: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    """``make lab`` opens there, and the documented call names ``runs/demo/run``."""
    (tmp_path / "pyproject.toml").write_text("")
    for folder in ("notebooks", "runs/demo"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copytree(world.anchored, tmp_path / "runs/demo/run")
    shutil.copytree(world.root, tmp_path / "data")
    monkeypatch.chdir(tmp_path / "notebooks")
    monkeypatch.delenv("MFA_DATA", raising=False)
    for name in ("runs/demo/run", "demo/run"):
        app = keep(viz.rank_explorer(name))
        assert app.rows[0].items
    monkeypatch.chdir(tmp_path.parent)  # from outside a checkout nothing is looked for
    with pytest.raises(InputError):
        viz.rank_explorer("runs/demo/run")
