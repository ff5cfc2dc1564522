"""Set-up: the three lists of packages agree, and what goes wrong is told in one sentence."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OFFLINE = """\
WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(': Failed to \
establish a new connection: [Errno -3] Temporary failure in name resolution')': /setuptools/
ERROR: Could not find a version that satisfies the requirement setuptools>=77 (from versions: none)
ERROR: No matching distribution found for setuptools>=77
"""


def load_setup() -> ModuleType:
    spec = importlib.util.spec_from_file_location("workbench_setup", ROOT / "tools" / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


setup = load_setup()


class Machine:
    """A machine on which every command works at once, and which remembers what was run."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.commands: list[str] = []
        self.answers: dict[str, list[tuple[int, str] | BaseException]] = {}

    def run(self, command: Sequence[str], log: Path) -> tuple[int, str]:
        kind = next(k for k in ("venv", "install", "import", "--version") if self.is_(k, command))
        self.commands.append(kind)
        if self.answers.get(kind):
            answer = self.answers[kind].pop(0)
            if isinstance(answer, BaseException):
                raise answer
            return answer
        if kind == "venv":
            pip = self.root / ".venv" / "bin" / "pip"
            pip.parent.mkdir(parents=True, exist_ok=True)
            pip.write_text("")
        major, minor = sys.version_info[:2]
        return 0, f"pip 25 from {self.root}/.venv/lib/pip (python {major}.{minor})"

    @staticmethod
    def is_(kind: str, command: Sequence[str]) -> bool:
        return any(word == kind or word.startswith(f"{kind} ") for word in command)

    def set_up(self, free: int = 100 * 10**9) -> list[str]:
        self.commands.clear()
        setup.set_up(self.root, self.run, lambda folder: free)
        return self.commands


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return Machine(tmp_path)


def test_set_up_does_everything_once(machine: Machine) -> None:
    assert machine.set_up() == ["venv", "install", "import"]
    assert machine.set_up() == []


def test_set_up_again_when_the_lists_change(machine: Machine) -> None:
    machine.set_up()
    with (machine.root / "constraints.txt").open("a") as file:
        file.write("one-more==1.0\n")
    assert machine.set_up() == ["--version", "install", "import"]


def test_settings_of_the_tools_do_not_ask_for_a_set_up(machine: Machine) -> None:
    machine.set_up()
    with (machine.root / "pyproject.toml").open("a") as file:
        file.write("[tool.other]\nsetting = 1\n")
    assert machine.set_up() == []


def test_set_up_resumes_after_an_interruption(machine: Machine) -> None:
    machine.answers["install"] = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        machine.set_up()
    assert not setup.ready(machine.root)
    assert machine.set_up() == ["--version", "install", "import"]
    assert setup.ready(machine.root)


def test_set_up_starts_over_when_the_environment_was_moved_or_broken(machine: Machine) -> None:
    machine.answers["install"] = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        machine.set_up()
    machine.answers["--version"] = [(0, "pip 25 from /elsewhere/.venv/lib/pip (python 3.11)")]
    assert machine.set_up() == ["--version", "venv", "install", "import"]


def test_set_up_starts_over_once_when_an_install_was_cut_short(machine: Machine) -> None:
    broken = (1, "ImportError: libtorch.so: file too short")
    machine.answers["import"] = [broken]
    assert machine.set_up() == ["venv", "install", "import", "venv", "install", "import"]


def test_packages_that_cannot_be_imported_are_reported(machine: Machine) -> None:
    broken = (1, "ImportError: libtorch.so: file too short")
    machine.answers["import"] = [broken, broken]
    with pytest.raises(setup.SetupError, match="cannot be imported"):
        machine.set_up()
    assert not setup.ready(machine.root)


@pytest.mark.parametrize(
    ("command", "output", "sentence"),
    [
        ("install", OFFLINE, "cannot reach the package index; check the network"),
        (
            "install",
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left",
            "disk is full; make room",
        ),
        (
            "venv",
            "The virtual environment was not created because ensurepip is not available.",
            "lacks its venv module",
        ),
        ("install", "Collecting x\nERROR: Failed to build 'x'\n", "Failed to build 'x'"),
    ],
)
def test_failures_are_told_in_one_sentence(
    machine: Machine, command: str, output: str, sentence: str
) -> None:
    machine.answers[command] = [(1, output)]
    with pytest.raises(setup.SetupError, match=re.escape(sentence)) as error:
        machine.set_up()
    assert "\n" not in str(error.value)
    assert not setup.ready(machine.root)


def test_a_small_disk_is_refused_before_anything_runs(machine: Machine) -> None:
    with pytest.raises(setup.SetupError, match=r"has 1\.5 GB free and the installation needs"):
        machine.set_up(free=int(1.5e9))
    assert machine.commands == []


def test_what_is_installed_already_counts_as_room(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "NEED_CUDA", 1000)
    monkeypatch.setattr(setup, "NEED_PLAIN", 1000)
    (machine.root / ".venv").mkdir()
    (machine.root / ".venv" / "big").write_bytes(bytes(900))
    assert machine.set_up(free=101) == ["venv", "install", "import"]


def test_no_network_for_real(tmp_path: Path) -> None:
    """pip itself, sent to a proxy that is not there, prints something that is understood."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "-d", str(tmp_path), "no-such"]
    dead = {"PIP_RETRIES": "0", "PIP_PROXY": "127.0.0.1:9"}
    ran = subprocess.run(
        command,
        env=os.environ | dead,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        timeout=300,
    )
    assert ran.returncode == 1
    assert "cannot reach the package index" in setup.explain(
        ran.stdout + ran.stderr, tmp_path / "log", "something else"
    )


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A checkout without .venv, and an empty folder ``bin`` to use as PATH."""
    (tmp_path / "bin").mkdir()
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    (tmp_path / "tools" / "setup.py").write_text("raise SystemExit(0)")
    return tmp_path


def add_python(bare: Path, name: str, script: str) -> None:
    path = bare / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


OLD = 'case "$2" in *print*) echo Python 3.8;; *) exit 1;; esac'
NEW = 'case "$1" in -c) exit 0;; *) echo "set up by new";; esac'
SHIM = 'echo "pyenv: command not found" >&2; exit 127'


def start(bare: Path, python: str = "") -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(bare / "bin"), "PYTHON": python}
    return subprocess.run(
        ["/bin/sh", str(bare / "tools" / "setup.sh")],
        env=environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def test_an_old_python_is_told_in_one_line(bare: Path) -> None:
    add_python(bare, "python3", OLD)
    ran = start(bare)
    assert ran.returncode == 1
    assert ran.stderr.count("\n") == 1
    assert "needs Python 3.11 or newer and found Python 3.8" in ran.stderr


def test_no_python_is_told_in_one_line(bare: Path) -> None:
    ran = start(bare)
    assert ran.returncode == 1
    assert ran.stderr.count("\n") == 1
    assert "found none" in ran.stderr


def test_a_newer_python_is_found_past_shims_and_old_ones(bare: Path) -> None:
    add_python(bare, "python3", OLD)
    add_python(bare, "python3.13", SHIM)
    add_python(bare, "python3.12", NEW)
    assert start(bare).stdout == "set up by new\n"


def test_the_python_asked_for_is_the_only_one_tried(bare: Path) -> None:
    add_python(bare, "python3", NEW)
    add_python(bare, "mine", OLD)
    assert "found Python 3.8" in start(bare, "mine").stderr
    add_python(bare, "mine", NEW)
    assert start(bare, "mine").stdout == "set up by new\n"


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    found = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in found.items()}


def requirements() -> list[Requirement]:
    optional = [line for extra in PROJECT["optional-dependencies"].values() for line in extra]
    found = [Requirement(line) for line in [*PROJECT["dependencies"], *optional]]
    return [line for line in found if line.name != PROJECT["name"]]  # an extra may hold another


def test_constraints_are_plain_exact_versions() -> None:
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert line.startswith("#") or re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9a-z.]*", line), line


@pytest.mark.parametrize("requirement", requirements(), ids=lambda r: r.name)
def test_each_requirement_is_pinned_to_a_version_it_allows(requirement: Requirement) -> None:
    assert requirement.specifier.contains(pins()[canonicalize_name(requirement.name)])


def test_conda_environment_installs_the_same_list_with_the_same_versions() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *conda, pip = environment["dependencies"]
    assert pip == {"pip": ["-c constraints.txt", "-e .[dev]"]}
    specifier = next(Requirement(line).specifier for line in conda if line.startswith("python"))
    allowed = SpecifierSet(PROJECT["requires-python"])
    minors = [f"3.{minor}" for minor in range(6, 14)]
    assert [v for v in minors if v in specifier] == [v for v in minors if v in allowed]


def test_no_address_of_a_package_index_in_the_set_up() -> None:
    files = ["Makefile", "environment.yml", "pyproject.toml", "constraints.txt", ".ci/run"]
    for path in [ROOT / name for name in files] + sorted((ROOT / "tools").iterdir()):
        if path.is_file():
            assert not re.search(r"index-url|https?://\S+/simple|find-links", path.read_text()), (
                path
            )
