"""Only the newest request is computed; the rest is stopped or never begun."""

from __future__ import annotations

import threading
import time

import pytest

from viz.apps.core.worker import Job, Superseded, Worker


def test_of_rapid_requests_only_the_newest_is_finished():
    others = set(threading.enumerate())  # workers of other tests that are about to end
    begun, finished = [], []
    first = threading.Event()

    def work(thing: int, job: Job) -> None:
        begun.append(thing)
        first.set()
        try:
            for _ in range(200):
                job.check()
                time.sleep(0.005)
                if thing == 9:
                    break
            finished.append(thing)
        except Superseded:
            pass

    worker = Worker(work, lambda share, words: None)
    worker.submit(0)
    assert first.wait(5)
    for thing in range(1, 10):
        worker.submit(thing)
    assert worker.wait(5)
    assert finished == [9]
    assert begun[0] == 0
    assert len(begun) <= 4  # 0 was running, 9 is the newest; others were mostly skipped
    worker.close()
    assert not [t for t in set(threading.enumerate()) - others if t.name == "mfa-app"]


def test_progress_is_told_and_ends_a_stopped_job():
    progress = []
    job = Job(lambda share, words: progress.append((share, words)))
    job.progress(0.5, "half")
    assert progress == [(0.5, "half")]
    job.stop()
    with pytest.raises(Superseded):
        job.progress(0.6, "more")


def test_a_closed_worker_takes_nothing():
    done = []
    worker = Worker(lambda thing, job: done.append(thing), lambda share, words: None)
    worker.submit(1)
    assert worker.wait(5)
    worker.close()
    worker.submit(2)
    assert worker.wait(1)
    assert done == [1]
