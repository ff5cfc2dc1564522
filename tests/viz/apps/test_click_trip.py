"""A click on a card goes straight to its picture."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "tools" / "click_trip.py"


@pytest.mark.slow
def test_the_trip_of_a_click_is_short(world: Any) -> None:
    command = [sys.executable, SCRIPT, "--run", world.anchored, "--data-root", world.root]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = re.search(r"rooms: (\d+) stops in \d+ places, (\d+) returns", done.stdout)
    assert found, done.stdout
    assert int(found[1]) <= 25
    assert int(found[2]) <= 12
