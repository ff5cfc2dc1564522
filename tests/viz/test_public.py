"""The names that ``import mfa`` and ``import viz`` offer, and what their verbs promise."""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import nbformat
import pytest
from matplotlib.figure import Figure

import mfa
import viz
import viz.paper

ROOT = Path(__file__).resolve().parents[2]
NAMES = [(package, name) for package in (mfa, viz, viz.paper) for name in sorted(package._HOME)]


@pytest.mark.parametrize(("package", "name"), NAMES)
def test_a_public_name_stays_what_it_is_when_its_module_is_loaded(package, name):
    first = getattr(package, name)
    importlib.import_module(package._HOME[name])
    assert callable(first)
    assert getattr(package, name) is first


@pytest.mark.parametrize("package", [mfa, viz, viz.paper])
def test_no_public_name_is_that_of_a_submodule(package):
    submodules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    assert not submodules & set(package._HOME)


@pytest.mark.parametrize("name", [name for name in viz._HOME if name.startswith("plot_")])
def test_a_plot_takes_axes_and_matplotlibs_words_and_returns_axes(name):
    function = getattr(viz, name)
    parameters = inspect.signature(function).parameters
    assert parameters["ax"].default is None
    assert any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    assert inspect.unwrap(function).__annotations__["return"] == "Axes"


@pytest.mark.parametrize("name", [name for name in viz._HOME if name.startswith("draw_")])
def test_a_drawing_is_a_figure(name):
    function = inspect.unwrap(getattr(viz, name))
    assert function.__annotations__["return"] in ("Figure", "theme.Picture")
    assert issubclass(viz.theme.Picture, Figure)


@pytest.mark.parametrize("path", sorted(ROOT.glob("notebooks/*.ipynb")), ids=lambda p: p.stem)
def test_a_lesson_needs_two_imports_and_only_names_there_are(path):
    notebook = nbformat.read(path, as_version=4)
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    assert not re.findall(r"^\s*from (?:mfa|viz)\b.*", code, re.MULTILINE)
    for package, name in re.findall(r"\b(mfa|viz)\.(\w+)", code):
        assert hasattr({"mfa": mfa, "viz": viz}[package], name), f"{package}.{name}"
