"""The commit behind a figure, and whether its files were changed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from mfa.runs.provenance import commit


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_a_changed_checkout_says_so(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        who = ["-c", "user.name=A", "-c", "user.email=a@b.c"]
        line = ["git", "-C", str(tmp_path), *who, *words]
        return subprocess.run(line, check=True, capture_output=True, text=True).stdout.strip()

    assert commit(tmp_path) == ""
    git("init", "-q")
    (tmp_path / "code.py").write_text("a = 1\n")
    git("add", "code.py")
    git("commit", "-qm", "first")
    git("tag", "v1")
    clean = git("rev-parse", "--short", "HEAD")
    (tmp_path / "notes.txt").write_text("not of the code")
    assert commit(tmp_path) == clean
    (tmp_path / "code.py").write_text("a = 2\n")
    assert commit(tmp_path) == f"{clean}-changed"
