"""The wheel works where there is no checkout, and holds every file that comes with the product."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import sysconfig
import time
import venv
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

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


def there(home: Path, *arguments: str) -> dict[str, Any]:
    """A call of Python in the environment, started in its folder."""
    shown = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "MFA_DATA")}
    # Templates and kernels lie beside the libraries.
    jupyter = str(Path(sys.prefix) / "share" / "jupyter")
    return {
        "args": [home / "env" / "bin" / "python", *arguments],
        "cwd": home,
        "env": shown | {"OMP_NUM_THREADS": "1", "JUPYTER_PATH": jupyter},
    }


def run(home: Path, *arguments: str) -> str:
    """What Python prints in the environment."""
    ran = subprocess.run(**there(home, *arguments), capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def call(package: str) -> tuple[str, str]:
    return "-c", f"import sys; from {package}.cli import main; sys.exit(main())"


def cli(home: Path, package: str, *arguments: str) -> str:
    return run(home, *call(package), *arguments)


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
    few = {"train-ids": 2, "test-ids": 4, "train-images": 4, "test-images": 4, "distractors": 2}
    size = [word for name, count in few.items() for word in (f"--{name}", str(count))]
    cli(elsewhere, "mfa", "data", "make", "synthetic", *size, "--junk", "0")
    scores = cli(elsewhere, "mfa", "evaluate", "mfa-tiny", "--data", "synthetic", "--json")
    assert '"mAP"' in scores
    assert not list((elsewhere / "env").rglob("shipped/runs"))


def test_tables_pictures_and_lessons_are_found(elsewhere: Path) -> None:
    words = run(elsewhere, "-c", LOOK)
    rows, plan, *found = words.split()
    assert int(rows) > 0
    assert int(plan) > 0
    assert found == ["True"] * 3


def test_the_page_of_the_apps_opens(elsewhere: Path) -> None:
    pytest.importorskip("voila", reason="the extra apps is not installed")
    root = ("--data-root", str(elsewhere / "few"))
    cli(elsewhere, "mfa", "data", "make", "synthetic", "--train-ids", "4", "--test-ids", "4", *root)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ("app", "--run", "mfa-tiny", "--data", "synthetic", *root, "--port", str(port))
    address = f"http://127.0.0.1:{port}/"
    with subprocess.Popen(**there(elsewhere, *call("viz"), *words)) as server:
        try:
            page, deadline = "", time.monotonic() + 300
            while not page:
                assert server.poll() is None
                assert time.monotonic() < deadline
                with (
                    suppress(URLError),
                    urlopen(address, timeout=200) as answer,
                ):
                    page = answer.read().decode()
                time.sleep(0.5)
        finally:
            server.terminate()
    assert "kernelId" in page
    assert "application/vnd.jupyter.widget-view+json" in page  # what the cell of the page shows
