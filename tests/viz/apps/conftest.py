"""Apps that are closed at the end, their code run, and what they leave behind."""

from __future__ import annotations

import ast
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ipywidgets.widgets import widget as ipywidget


@pytest.fixture
def keep() -> Iterator[Callable[[Any], Any]]:
    """Hand over an app: at the end it is closed, and an error it swallowed fails the test."""
    apps: list[Any] = []

    def add(app: Any) -> Any:
        apps.append(app)
        app.wait()
        return app

    yield add
    for app in apps:
        failures = list(app.failures)
        app.close()
        assert not failures, failures


@pytest.fixture
def executed() -> Callable[[str], dict[str, Any]]:
    """Run the code of an app; the names it leaves, with its last expression as ``shown``.

    It must be code that a person would write: nothing is imported from the apps.
    """

    def run(code: str) -> dict[str, Any]:
        assert "viz.apps" not in code
        tree = ast.parse(code)
        last = tree.body[-1]
        if isinstance(last, ast.Expr):
            target = ast.Name("shown", ast.Store())
            tree.body[-1] = ast.Assign([target], last.value)
        names: dict[str, Any] = {}
        exec(compile(ast.fix_missing_locations(tree), "code", "exec"), names)
        return names

    return run


@pytest.fixture
def left_over() -> Callable[[], tuple[int, int, int]]:
    """Counts of widgets, threads of apps, and open figures."""
    from matplotlib import _pylab_helpers

    def count() -> tuple[int, int, int]:
        threads = [t for t in threading.enumerate() if t.name.startswith("mfa-app")]
        return len(ipywidget._instances), len(threads), len(_pylab_helpers.Gcf.figs)

    return count
