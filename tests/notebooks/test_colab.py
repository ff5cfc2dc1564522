"""The copies for Colab install the repository named and are the same lessons otherwise."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]


def test_a_copy_installs_first_and_is_the_same_lesson_otherwise(tmp_path: Path) -> None:
    command = [sys.executable, ROOT / "tools/colab.py", "someone/workbench", tmp_path]
    subprocess.run(command, check=True)
    sources = sorted((ROOT / "notebooks").glob("*.ipynb"))
    assert [path.name for path in sorted(tmp_path.iterdir())] == [path.name for path in sources]
    for source in sources:
        before, after = (nbformat.read(p, as_version=4) for p in (source, tmp_path / source.name))
        nbformat.validate(after)
        title, install, *rest = after.cells
        assert f"/github/someone/workbench/blob/colab/{source.name})" in title.source
        assert title.source.splitlines()[0] == before.cells[0].source.splitlines()[0]
        assert "git+https://github.com/someone/workbench" in install.source
        assert [cell.source for cell in rest] == [cell.source for cell in before.cells[1:]]
