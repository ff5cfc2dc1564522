"""What every app promises: errors in words, newest state wins, nothing left behind."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from dataclasses import dataclass
from typing import Any

import ipywidgets
import pytest

import viz
from mfa.errors import InputError
from viz.apps.core import app as module
from viz.apps.core.upload import BYTES, decode_upload
from viz.apps.core.worker import Job
from viz.apps.widgets import Slider


@dataclass(frozen=True)
class State:
    value: float = 1.0


class Toy(module.App[State, str]):
    name = "toy"
    heading = "Toy"

    def __init__(self) -> None:
        super().__init__(State())
        self.slider = Slider(label="Value", max=1000, step=1)
        self.words = ipywidgets.HTML()
        self.rendered: list[float] = []
        self.slow = threading.Event()
        self.bind("value", self.slider)
        self.start(self.slider, self.words)

    def render(self, state: State, job: Job) -> str:
        self.rendered.append(state.value)
        if state.value == 13:
            raise InputError("13 is not a value; choose another")
        if state.value == 14:
            raise KeyError("a mistake of ours")
        if state.value == 99:
            for _ in range(400):
                job.progress(0.1, "waiting")
                time.sleep(0.01)
        return f"<b>{state.value:g}</b>"

    def show(self, state: State, shown: str) -> None:
        self.words.value = shown

    def code(self) -> str:
        return f"value = {self.state.value}"


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
    assert "role='alert'" in toy.message.value
    assert toy.words.value == "<b>1</b>"
    toy.set(value=2.0)
    toy.wait()
    assert toy.error == ""
    assert "alert" not in toy.message.value


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
    deadline = time.monotonic() + 5
    while toy.busy.layout.visibility == "hidden" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert toy.busy.layout.visibility == "visible"
    assert "waiting" in toy.progress.value
    toy.stop_button.click()
    toy.wait(5)
    assert toy.busy.layout.visibility == "hidden"
    assert toy.words.value == "<b>1</b>"
    assert "Stopped" in toy.message.value


def test_the_code_follows_the_state(keep: Any) -> None:
    toy = keep(Toy())
    toy.code_button.click()
    assert toy.code_text.value == "value = 1.0"
    toy.set(value=3.0)
    assert toy.code_text.value == "value = 3.0"
    toy.code_button.click()
    assert toy.code_text.layout.display == "none"


def test_what_render_chose_is_filled_in_unless_the_state_moved_on(keep: Any) -> None:
    toy = keep(Toy())
    old = toy.state
    toy.settle(old, value=4.0)
    assert toy.state == State(4)
    toy.settle(old, value=5.0)  # of a state that is not the present one any more
    assert toy.state == State(4)


def test_widgets_a_page_made_too_late_are_told_again(keep: Any, monkeypatch: Any) -> None:
    toy = keep(Toy())
    assert toy.ears.names == [toy.ears.model_id, toy.slider.model_id]
    sent: list[tuple[str, set[str]]] = []
    monkeypatch.setattr(Slider, "send_state", lambda w, keys: sent.append((w.label, set(keys))))
    toy.ears._handle_custom_msg({"missed": toy.slider.model_id}, [])
    toy.ears._handle_custom_msg({"missed": "nobody"}, [])
    ((label, keys),) = sent
    assert label == "Value"
    assert {"value", "label", "max"} <= keys
    assert not {"_esm", "_css"} & keys  # the page has those


def test_the_first_scoring_is_part_of_the_app_and_can_be_stopped(
    world: Any, monkeypatch: Any
) -> None:
    begun = threading.Event()

    def slow(run: Any, data: Any, *, flip: bool, progress: Any) -> None:
        begun.set()
        while True:
            progress(0.25)
            time.sleep(0.01)

    monkeypatch.setattr("viz.apps.core.session.extract_features", slow)
    monkeypatch.setattr(module, "FIRST", 0.05)
    makes = [
        viz.apps.opener(name)
        for name in ("ranks", "attention", "occlusion", "embedding", "failures", "branches")
    ]
    for make in makes:
        begun.clear()
        app = make(world.anchored, data_root=world.root)
        assert begun.wait(10), make
        deadline = time.monotonic() + 5
        while app.busy.layout.visibility == "hidden" and time.monotonic() < deadline:
            time.sleep(0.02)
        assert app.busy.layout.visibility == "visible", make
        assert "value='0.250'" in app.progress.value, make
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
    held = [weakref.ref(each) for each in (toy, toy.slider, toy.ears)]
    toy.close()
    del toy
    gc.collect()
    assert [ref() for ref in held] == [None] * 3


def test_the_still_picture_holds_the_words(keep: Any) -> None:
    bundle = keep(Toy())._repr_mimebundle_()
    assert "<b>1</b>" in bundle["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in bundle


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
        decode_upload(content, "x.jpg")


def test_a_decoding_bomb_is_refused_by_its_claim() -> None:
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.new("1", (6_000, 6_000)).save(buffer, "PNG")
    assert len(buffer.getvalue()) < BYTES
    with pytest.raises(InputError):
        decode_upload(buffer.getvalue(), "bomb.png")
