"""Every package that the code imports is declared, and the core works without the extras."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
APPS = ("viz/apps", "viz/notebook.py")

CORE_WITHOUT_EXTRAS = """
import importlib, sys
extras, modules = sys.argv[1].split(","), sys.argv[2].split(",")
sys.modules.update(dict.fromkeys(extras))  # to import them raises ModuleNotFoundError
for module in modules:
    importlib.import_module(module)

import viz
from mfa.comparison.projection import project
from mfa.errors import InputError
import numpy

for ask in (lambda: viz.rank_explorer, lambda: project(numpy.eye(5), "umap")):
    try:
        ask()
    except InputError as error:
        print(error)
"""


def declared(*lists: list[str]) -> set[str]:
    """Names of the distributions in lists of requirements, without our own."""
    names = {canonicalize_name(Requirement(line).name) for lines in lists for line in lines}
    return names - {PROJECT["name"]}


CORE = declared(PROJECT["dependencies"])
EXTRAS = {name: declared(lines) for name, lines in PROJECT["optional-dependencies"].items()}


def imports() -> Iterator[tuple[str, str]]:
    """(file, top-level package) of each import of another package in the product."""
    for path in (*ROOT.glob("mfa/**/*.py"), *ROOT.glob("viz/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for top in {name.partition(".")[0] for name in names}:
                if top not in sys.stdlib_module_names and top not in {"mfa", "viz"}:
                    yield str(path.relative_to(ROOT)), top


def test_every_import_is_declared() -> None:
    homes = packages_distributions()
    for file, top in imports():
        names = {canonicalize_name(name) for name in homes[top]}
        known = CORE | EXTRAS["apps"] if file.startswith(APPS) else CORE.union(*EXTRAS.values())
        assert names & known, f"{file} imports {top}, which pyproject.toml does not name"


def test_core_works_without_the_extras() -> None:
    homes = packages_distributions()
    extra = {name for key, names in EXTRAS.items() if key != "dev" for name in names} - CORE
    missing = {top for top, names in homes.items() if {canonicalize_name(n) for n in names} & extra}
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (*ROOT.glob("mfa/**/*.py"), *ROOT.glob("viz/**/*.py"))
        if not str(path.relative_to(ROOT)).startswith(APPS) and not path.stem.startswith("__")
    ]
    command = [sys.executable, "-c", CORE_WITHOUT_EXTRAS, ",".join(missing), ",".join(modules)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    apps, umap = said.stdout.splitlines()
    assert apps.endswith("is not installed; pip install 'mfa-workbench[apps]'")
    assert umap == "the package umap is not installed; pip install 'mfa-workbench[umap]'"


def test_every_package_has_its_licence_in_the_documents() -> None:
    page = (ROOT / "docs/versions.md").read_text(encoding="utf-8")
    named = set(page.replace(",", " ").replace("|", " ").split())
    users = CORE.union(*(names for key, names in EXTRAS.items() if key != "dev"))
    assert users <= named
