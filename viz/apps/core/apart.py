"""Work in a process of its own, so that it can be stopped at any moment."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

from viz.apps.core.worker import Job

WORK = """
import importlib, pickle, sys
module, name, arguments = pickle.load(sys.stdin.buffer)
made = getattr(importlib.import_module(module), name)(*arguments)
pickle.dump(made, sys.stdout.buffer)
"""


def apart(job: Job, module: str, name: str, *arguments: Any) -> Any:
    """What ``module.name(*arguments)`` returns, computed in another process.

    Args:
        job: when it is stopped, the process is ended at once.
        module: where the function lives.
        name: of the function.
        *arguments: for it; they are pickled.

    Raises:
        Superseded: the job was stopped.
        RuntimeError: the process failed.
    """
    given: bytes | None = pickle.dumps((module, name, arguments))
    with subprocess.Popen(
        [sys.executable, "-c", WORK],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            while True:
                job.check()
                try:
                    made, said = process.communicate(given, timeout=0.1)
                    break
                except subprocess.TimeoutExpired:
                    given = None  # it has been handed over
        finally:
            process.kill()
    if process.returncode:
        raise RuntimeError(said.decode(errors="replace")[-2000:])
    return pickle.loads(made)  # of our own process
