"""The drawn people that the lessons share: drawn once, however many processes run the tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from filelock import FileLock

from mfa.synthetic import SyntheticConfig, write

PEOPLE = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder of lessons, but for ``data``: the set that each of them would draw."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    with FileLock(shared / "lessons.lock"):
        write(shared / "lessons", SyntheticConfig(train_ids=PEOPLE, test_ids=PEOPLE, seed=0))
    made = tmp_path_factory.mktemp("lessons")
    (made / "data").symlink_to(shared / "lessons")
    return made
