"""Work in a process of its own, so that it can be stopped at any moment."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from viz.apps.core.worker import Job

LOOP = """
import pickle, sys
while True:
    function, arguments = pickle.load(sys.stdin.buffer)
    pickle.dump(function(*arguments), sys.stdout.buffer)
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
        self._talks = ThreadPoolExecutor(1, "mfa-apart")

    def __enter__(self) -> Apart:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._talks.shutdown()  # its reading ends with the process
            self._process.communicate()

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What ``function(*arguments)`` returns; all three are pickled.

        Raises:
            Superseded: the job was stopped.
            RuntimeError: the process failed.
        """
        if self._process is None:  # started when it is first needed
            self._process = subprocess.Popen(
                [sys.executable, "-c", LOOP],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
        answer = self._talks.submit(_talk, self._process, (function, arguments))
        while not wait([answer], 0.1).done:
            self._job.check()
        try:
            return answer.result()
        except (OSError, EOFError, ValueError, pickle.UnpicklingError) as error:
            self._process.kill()
            said = self._process.communicate()[1].decode(errors="replace")
            raise RuntimeError(said[-2000:]) from error


def _talk(process: subprocess.Popen[bytes], request: Any) -> Any:
    assert process.stdin is not None
    assert process.stdout is not None
    pickle.dump(request, process.stdin)
    process.stdin.flush()
    return pickle.load(process.stdout)  # of our own process
