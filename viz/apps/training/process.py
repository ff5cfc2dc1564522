"""A training in a process of its own: start, pause, stop, go on; the kernel stays free."""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import pandas as pd
from safetensors import safe_open

from mfa.errors import InputError
from mfa.files import write_atomically
from mfa.runs.checkpoint import CHECKPOINT
from mfa.runs.history import read_history

LOG, PID = "monitor.log", "monitor.pid"
COMMAND = (sys.executable, "-c", "from mfa.cli import main; main()", "train")
CAN_PAUSE = hasattr(signal, "SIGSTOP")

PATIENCE = 10.0
"""Seconds a training that is asked to end may take, before it is killed."""


class TrainingProcess:
    """``mfa train`` on one run folder.

    Attributes:
        folder: of the run; its history and checkpoint may come from elsewhere, too.
        paused: whether it stands still.
        stopping: whether it has been asked to end.
        started: when it began, by ``time.monotonic``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paused = self.stopping = False
        self.started = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the process is there, paused or not."""
        return self._process is not None and self._process.poll() is None

    @property
    def epochs(self) -> int:
        """Finished epochs that the checkpoint holds; the history may be one ahead of it."""
        try:
            with safe_open(self.folder / CHECKPOINT, framework="pt") as file:
                return int(file.metadata()["epoch"])
        except FileNotFoundError:
            return 0

    def history(self) -> pd.DataFrame:
        """The run's history so far; empty before the first epoch."""
        try:
            return read_history(self.folder)
        except (FileNotFoundError, ValueError, KeyError):
            return pd.DataFrame()

    @property
    def elsewhere(self) -> bool:
        """Whether another window trains in this folder."""
        path = self.folder / LOG
        if self.running or not path.is_file():
            return False
        with path.open("ab") as log:
            return not _take(log)

    def start(self, arguments: Sequence[str]) -> None:
        """Start ``mfa train`` with ``arguments``, or go on from the last finished epoch."""
        if self.running:
            raise InputError("this training runs already; pause or stop it first")
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [*COMMAND, *arguments, "--run", str(self.folder.resolve()), "--resume"]
        with (self.folder / LOG).open("ab") as log:
            if not _take(log):
                raise InputError(
                    f"another window trains in {self.folder}", "stop that one, or choose another"
                )
            log.truncate(0)
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        write_atomically(self.folder / PID, f"{self._process.pid}")
        atexit.register(self.close)  # a kernel that ends leaves no training behind
        self.paused = self.stopping = False
        self.started = time.monotonic()

    def pause(self) -> None:
        """Stand still at once, and keep everything in memory."""
        if self._process is not None and self.running and CAN_PAUSE:
            self._process.send_signal(signal.SIGSTOP)
            self.paused = True

    def go_on(self) -> None:
        """After a pause."""
        if self._process is not None and self.paused:
            self._process.send_signal(signal.SIGCONT)
            self.paused = False

    def stop_elsewhere(self) -> None:
        """End the training of another window, or of one that is gone, in this folder."""
        with contextlib.suppress(OSError, ValueError):
            if self.elsewhere:  # so the number in the file is that of a training
                number = int((self.folder / PID).read_text(encoding="utf-8"))
                for sent in (signal.SIGCONT, signal.SIGTERM):
                    os.kill(number, sent)

    def stop(self) -> None:
        """Ask the process to end, and return at once; it is killed if it does not.

        The epoch in progress is lost, finished ones are kept.
        """
        if self._process is None or self.stopping or not self.running:
            return
        self.stopping = True
        self.go_on()
        self._process.terminate()
        given = (self._process,)
        threading.Thread(target=self._reap, args=given, daemon=True, name="mfa-app-reap").start()

    def close(self) -> None:
        """Stop, and wait until the process is gone."""
        self.stop()
        if self._process is not None:
            self._reap(self._process)

    def _reap(self, process: subprocess.Popen[bytes]) -> None:
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.paused = self.stopping = False
        atexit.unregister(self.close)

    def failed(self) -> str:
        """Why it ended by itself, in its own words; empty where it did not or all is well."""
        if self._process is None or self.running or self._process.returncode in (0, -15, -9, 143):
            return ""
        lines = [line for line in self._log().splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("error: ")]
        words = (errors or lines or ["it said nothing"])[-1]
        return words.removeprefix("error: ")

    def line(self) -> str:
        """What the progress bar says now."""
        parts = re.split(r"[\r\n]", self._log(4000))
        return next((part.strip() for part in reversed(parts) if part.strip()), "")

    def _log(self, last: int = 20_000) -> str:
        path = self.folder / LOG
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - last))
            return file.read().decode(errors="replace")


def _take(log: IO[bytes]) -> bool:
    """Take a run folder by its log; the training inherits the hold, and lets go as it ends.

    Where the system has no such locks, everybody gets it.
    """
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
