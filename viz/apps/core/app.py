"""What every app is made of: a frozen state, a picture computed from it, and controls.

``render`` turns a state into something to show, in a worker thread where only the newest state
counts. ``show`` puts that into widgets. Errors appear in the app, in words, beside the control that
caused them; ``failures`` keeps them for tests. Nothing is printed, and no ``Output`` widget is
used, since both hide errors.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Generic, TypeVar, cast

import ipywidgets

from mfa.errors import InputError
from viz.apps.core import controls, html, rerun
from viz.apps.core.snapshot import Still
from viz.apps.core.worker import Job, Superseded, Worker
from viz.apps.widgets import Code, Link
from viz.apps.widgets.tree import close_tree, tree

S = TypeVar("S")
R = TypeVar("R")

PATIENCE = 0.5
"""Seconds after which an app shows that it is working and offers to stop."""

FIRST = 3.0
"""Seconds a call waits for the first picture, so that it is there when the cell ends."""


class App(ABC, Generic[S, R]):
    """Base of the apps.

    A subclass makes its controls, binds them to fields of its state, and calls ``start``.

    Attributes:
        state: what is shown, or about to be.
        shown: what ``render`` made last; ``None`` before.
        view: the widget to display.
        failures: errors that are not the user's; each appears in the app, too.
    """

    name: str = ""
    heading: str = ""

    def __init__(self, state: S) -> None:
        self.state = state
        self.shown: R | None = None
        self.failures: list[BaseException] = []
        self.closed = False
        self.changed: Callable[[], None] = lambda: None  # the web page follows the state here
        self._bound: dict[str, list[tuple[Any, Callable[[Any], Any]]]] = {}
        self._notes: dict[Any, Any] = {}
        self._cause: Any = None
        self._changing = threading.Lock()
        self._quiet = threading.local()
        self._last_error = ""
        self._refused = ""
        self._worker: Worker[S] = Worker(self._work, self._tell)
        self.message, self.progress = ipywidgets.HTML(), ipywidgets.HTML()
        self.stop_button = controls.button("Stop", "Stop the computation that is running")
        self.busy = controls.row([self.progress, self.stop_button])
        self.busy.layout.visibility = "hidden"
        self.script = Code()
        self.underneath: tuple[Any, ...] = ()  # what a subclass shows under controls and picture
        self.panel: Any = ipywidgets.VBox()
        self.picture_side: Any = ipywidgets.VBox().add_class("mfa-picture-side")
        self.view: Any = ipywidgets.VBox().add_class("mfa-app")
        self.link = Link()
        self._still = Still(self.view)

    # What a subclass provides.

    @abstractmethod
    def render(self, state: S, job: Job) -> R:
        """Compute what is to be seen; no widget is touched here."""

    @abstractmethod
    def show(self, state: S, shown: R) -> None:
        """Put what ``render`` made into the widgets."""

    @abstractmethod
    def code(self) -> str:
        """Python code that makes the same picture without the app.

        It runs on the kernel's thread, so it reads ``state`` and ``shown`` and computes nothing.
        """

    def ended(self) -> None:
        """Release what a subclass holds besides widgets; called once, by ``close``."""

    # What a subclass gets.

    def start(self, panel: Sequence[Any], *picture: Any) -> None:
        """Assemble the view and render the first state.

        Args:
            panel: controls, which stand beside the picture; an error appears below the control, or
                the row of controls, that caused it.
            *picture: what is shown.
        """
        self.click(self.stop_button, self.stop)
        self.on(self.script, lambda _: self._write_code(), "expanded")
        rows = []
        for control in panel:
            note = ipywidgets.HTML(layout={"display": "none"})
            rows += [control, note]
            for part in (control, *getattr(control, "children", ())):
                self._notes[part] = note
        self.panel.children = rows
        self.panel.add_class("mfa-panel" if rows else "mfa-none")
        self.picture_side.children = (self.busy, self.message, *picture)
        body = ipywidgets.Box([self.panel, self.picture_side]).add_class("mfa-body")
        head = ipywidgets.HTML(html.style() + f"<h2 class='mfa-heading'>{self.heading}</h2>")
        self.view.children = (head, body, *self.underneath, self.script, self.link)
        self.link.attend(tree(self.view))
        rerun.opened(self)
        self._sync(list(self._bound))
        self._worker.submit(self.state)
        self._worker.wait(FIRST)

    def set(self, **changes: Any) -> None:
        """Change fields of the state, as a control would; the picture follows."""
        with self._changing:
            state = cast(S, replace(cast(Any, self.state), **changes))
            if state == self.state:
                return
            self.state = state
        self._sync(list(changes))
        self._worker.submit(state)

    def settle(self, state: S, **found: Any) -> None:
        """Fill in fields that ``render`` has chosen for ``state``, unless it is an old one now."""
        with self._changing:
            if self.state is state:
                self.state = cast(S, replace(cast(Any, state), **found))

    def bind(
        self,
        field: str,
        widget: Any,
        *,
        read: Callable[[Any], Any] = lambda value: value,
        write: Callable[[Any], Any] = lambda value: value,
        **also: Any,
    ) -> None:
        """Keep a field of the state and a widget's value the same.

        Args:
            field: of the state.
            widget: its control.
            read: makes the field's value of the widget's.
            write: makes the widget's value of the field's.
            **also: other fields, and what they become when the user moves this control.
        """
        self._bound.setdefault(field, []).append((widget, write))
        self.on(widget, lambda change: self.set(**{**also, field: read(change["new"])}))

    def on(self, widget: Any, handler: Callable[[Any], None], trait: str = "value") -> None:
        """Call ``handler`` with the change when the user changes a trait; errors are shown."""

        def handle(change: Any) -> None:
            if not getattr(self._quiet, "on", False):
                self._guarded(widget, lambda: handler(change))

        widget.observe(handle, trait)

    def click(self, widget: Any, handler: Callable[[], None]) -> None:
        """Call ``handler`` when a button is pressed; errors are shown."""
        widget.on_click(lambda _: self._guarded(widget, handler))

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Inside, the app changes widgets without calling the handlers meant for the user."""
        before = getattr(self._quiet, "on", False)
        self._quiet.on = True
        try:
            yield
        finally:
            self._quiet.on = before

    def stop(self) -> None:
        """Stop what is being computed; the picture stays as it is."""
        self._worker.stop()
        self.say("Stopped. The picture is still the one before.")

    def wait(self, timeout: float = 60.0) -> None:
        """Wait until the picture is that of the state; for scripts and tests.

        Raises:
            TimeoutError: it takes longer.
            BaseException: the first failure, if something went wrong inside the app.
        """
        if not self._worker.wait(timeout):
            raise TimeoutError(f"the app was not done after {timeout:g} s")
        self._still.now()
        if self.failures:
            raise self.failures[0]

    def say(self, words: str, *, error: bool = False) -> None:
        """Show a sentence.

        An error stands beside the control that caused it, and the picture, which is then an old
        one, is dimmed.
        """
        self._last_error = words if error else ""
        beside = self._notes.get(self._cause) if error else None
        for note in {*self._notes.values()}:
            if note is not beside and note.layout.display != "none":
                note.value, note.layout.display = "", "none"
        if beside is not None:
            beside.value, beside.layout.display = html.message(words, error=True), ""
        self.message.value = html.message("" if beside is not None else words, error=error)
        (self.picture_side.add_class if error else self.picture_side.remove_class)("mfa-old")

    @property
    def error(self) -> str:
        """The error the app shows, empty when it shows none."""
        return self._last_error

    def close(self, wait: float = 10.0) -> None:
        """End the thread and close every widget; nothing of the app stays behind.

        Args:
            wait: seconds to wait for a computation that is running; it ends by itself otherwise.
        """
        if self.closed:
            return
        self.closed = True
        self._still.close()
        self._worker.close(wait)
        self.ended()
        close_tree(self.view)

    def _ipython_display_(self, **_: Any) -> None:
        self._still.place(self.heading)

    def _write_code(self) -> None:
        if self.script.expanded:
            self.script.text = self.code()

    def _sync(self, fields: Sequence[str]) -> None:
        with self.quiet():
            for field in fields:
                for widget, write in self._bound.get(field, ()):
                    widget.value = write(getattr(self.state, field))

    def _guarded(self, cause: Any, call: Callable[[], None]) -> None:
        if self.closed:
            return
        refused, self._refused, self._cause = self._refused, "", cause
        try:
            call()
            if refused and refused == self._last_error:  # the state never had what was refused
                self.say("")
        except InputError as error:
            self._refused = str(error)
            self.say(self._refused, error=True)
        except Exception as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self.failures.append(error)
        words = f"Something went wrong inside the app: {type(error).__name__}: {error}"
        self.say(words, error=True)

    def _tell(self, share: float, words: str) -> None:
        self.progress.value = html.progress(share, words)

    def _work(self, state: S, job: Job) -> None:
        known = self._last_error
        late = threading.Timer(PATIENCE, self._still_busy, [job])
        late.daemon = True
        late.start()
        try:
            shown = self.render(state, job)
            job.check()
            self.shown = shown
            with self.quiet():
                self.show(state, shown)
                self._write_code()
            if self._last_error == known:  # else it is about something newer than this picture
                self.say("")
            self.changed()
            self._still.follow()
        except Superseded:
            pass
        except InputError as error:
            self.say(str(error), error=True)
        except Exception as error:
            self._fail(error)
        finally:
            late.cancel()
            late.join(1)
            self.busy.layout.visibility, self.progress.value = "hidden", ""

    def _still_busy(self, job: Job) -> None:
        if not self.progress.value:
            self.progress.value = html.progress(0.0, "computing")
        self.busy.layout.visibility = "visible"
