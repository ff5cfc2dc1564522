"""One thread that computes, where only the newest request counts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Superseded(Exception):  # noqa: N818  (a message between threads, not an error)
    """A newer request came, or the user stopped this one."""


class Job:
    """What a computation may ask and tell while it runs."""

    def __init__(self, tell: Callable[[float, str], None] = lambda share, words: None) -> None:
        self._stopped = threading.Event()
        self._tell = tell

    def stop(self) -> None:
        """Ask the computation to end at its next ``check``."""
        self._stopped.set()

    def check(self) -> None:
        """Call between steps.

        Raises:
            Superseded: the result is no longer wanted.
        """
        if self._stopped.is_set():
            raise Superseded

    def progress(self, share: float, words: str) -> None:
        """Say how much is done, 0 to 1, and what is being done; also a ``check``."""
        self.check()
        self._tell(share, words)


class Worker(Generic[T]):
    """Runs ``work`` on the newest thing submitted, in a thread that starts when first needed.

    A thing submitted while another is worked on stops that one (``Job.check``) and waits; a thing
    that waits is replaced by a newer one and never worked on.

    Args:
        work: called in the thread; it deals with its own errors.
        tell: see ``Job``.
    """

    def __init__(self, work: Callable[[T, Job], None], tell: Callable[[float, str], None]) -> None:
        self._work, self._tell = work, tell
        self._changed = threading.Condition()
        self._waiting: list[T] = []
        self._job: Job | None = None
        self._open = True
        self._thread: threading.Thread | None = None

    def submit(self, thing: T) -> None:
        """Work on ``thing`` next, instead of whatever waits or runs."""
        with self._changed:
            if not self._open:
                return
            self._waiting[:] = [thing]
            if self._job is not None:
                self._job.stop()
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, daemon=True, name="mfa-app")
                self._thread.start()
            self._changed.notify_all()

    def stop(self) -> None:
        """Forget what waits and ask what runs to end."""
        with self._changed:
            self._waiting.clear()
            if self._job is not None:
                self._job.stop()

    def wait(self, timeout: float) -> bool:
        """Until nothing runs or waits; false when the time is up before."""
        with self._changed:
            return self._changed.wait_for(self._idle, timeout)

    def close(self, timeout: float = 10.0) -> None:
        """Stop, and end the thread."""
        with self._changed:
            self._open = False
            self._waiting.clear()
            if self._job is not None:
                self._job.stop()
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def _idle(self) -> bool:
        return self._job is None and not self._waiting

    def _loop(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or not self._open)
                if not self._open:
                    return
                thing, job = self._waiting.pop(), Job(self._tell)
                self._job = job
            try:
                self._work(thing, job)
            finally:
                with self._changed:
                    self._job = None
                    self._changed.notify_all()
