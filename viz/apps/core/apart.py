"""Work in a process of its own, so that it can be stopped at any moment."""

from __future__ import annotations

import pickle
import queue
import subprocess
import sys
import threading
from types import TracebackType
from typing import Any

from viz.apps.core.worker import Job

LOOP = """
import importlib, pickle, sys
while True:
    module, name, arguments = pickle.load(sys.stdin.buffer)
    made = getattr(importlib.import_module(module), name)(*arguments)
    pickle.dump(made, sys.stdout.buffer)
    sys.stdout.buffer.flush()
"""


class Apart:
    """A Python process that calls functions, for as long as the ``with`` block lasts.

    Args:
        job: when it is stopped, the process is ended at once.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Apart:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def call(self, module: str, name: str, *arguments: Any) -> Any:
        """What ``module.name(*arguments)`` returns; arguments and result are pickled.

        Raises:
            Superseded: the job was stopped.
            RuntimeError: the process failed.
        """
        if self._process is None:  # started when it is first needed
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(
                [sys.executable, "-c", LOOP], stdin=pipe, stdout=pipe, stderr=pipe
            )
        process, answers = self._process, queue.Queue[Any]()

        def talk() -> None:
            try:
                assert process.stdin is not None
                assert process.stdout is not None
                pickle.dump((module, name, arguments), process.stdin)
                process.stdin.flush()
                answers.put(pickle.load(process.stdout))  # of our own process
            except (OSError, EOFError, ValueError, pickle.UnpicklingError) as error:
                answers.put(error)

        threading.Thread(target=talk, daemon=True, name="mfa-apart").start()
        while True:
            self._job.check()
            try:
                made = answers.get(timeout=0.1)
                break
            except queue.Empty:
                continue
        if isinstance(made, Exception):
            process.kill()
            _, said = process.communicate()
            raise RuntimeError(said.decode(errors="replace")[-2000:]) from made
        return made
