"""The wheel works where there is no checkout, and holds every file that comes with the product."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from mfa.files import shipped

ROOT = Path(__file__).parents[1]
SHIPPED = ("data/published", "data/results", "data/weights", "docs/images", "notebooks")

LOOK = """
from mfa.datasets.readers.counts import TABLE
from mfa.files import shipped
from viz.apps.web.landing import PICTURES
from viz.paper.published import ablation_rows, published

files = (TABLE, PICTURES / "app-ranks.png", shipped("notebooks/00_quickstart.ipynb"))
print(len(published()), len(ablation_rows("table3")), *(file.is_file() for file in files))
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "-w", str(folder), str(ROOT)], check=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel and this one's libraries, and without this checkout."""
    home = tmp_path_factory.mktemp("elsewhere")
    venv.create(home / "env", symlinks=True)
    python = home / "env" / "bin" / "python"
    site = home / "env" / Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # A path file adds the libraries, but not the path file of this checkout that lies among them.
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    assert python.exists()
    return home


def run(home: Path, *arguments: str) -> str:
    """What Python prints in the environment, started in its folder."""
    shown = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "MFA_DATA")}
    ran = subprocess.run(
        [home / "env" / "bin" / "python", *arguments],
        cwd=home,
        env=shown | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def cli(home: Path, package: str, *arguments: str) -> str:
    call = f"import sys; from {package}.cli import main; sys.exit(main())"
    return run(home, "-c", call, *arguments)


def test_every_file_of_the_checkout_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    tracked = subprocess.run(
        ["git", "ls-files", *SHIPPED], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert tracked
    assert {f"mfa/shipped/{name}" for name in tracked} <= inside
    assert not [name for name in inside if name.startswith(("tests/", "tools/", "build/"))]


def test_the_checkout_shows_its_own_files() -> None:
    assert shipped("data/weights") == ROOT / "data" / "weights"


def test_a_stranger_draws_people_and_scores_the_released_network(elsewhere: Path) -> None:
    assert "site-packages" in run(elsewhere, "-c", "import mfa; print(mfa.__file__)")
    cli(elsewhere, "mfa", "data", "make", "synthetic", "--train-ids", "4", "--test-ids", "4")
    scores = cli(elsewhere, "mfa", "evaluate", "mfa-tiny", "--data", "synthetic", "--json")
    assert '"mAP"' in scores
    assert not list((elsewhere / "env").rglob("shipped/runs"))


def test_tables_pictures_and_lessons_are_found(elsewhere: Path) -> None:
    words = run(elsewhere, "-c", LOOK)
    rows, plan, *found = words.split()
    assert int(rows) > 0
    assert int(plan) > 0
    assert found == ["True"] * 3
