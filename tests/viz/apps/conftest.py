"""A handful of drawn people and two runs with random weights, which apps treat like any others."""

from __future__ import annotations

import ast
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from ipywidgets.widgets import widget as ipywidget

from mfa.config import Config, DataConfig, ModelConfig
from mfa.datasets import load_dataset
from mfa.models import build_model
from mfa.presets import variant
from mfa.records import ReidDataset
from mfa.runs.checkpoint import CHECKPOINT, Checkpoint, save_checkpoint
from mfa.synthetic import SyntheticConfig, write


@dataclass(frozen=True)
class World:
    """Where everything lies."""

    root: Path
    anchored: Path
    guided: Path
    data: ReidDataset


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("apps")
    write(
        folder / "data",
        SyntheticConfig(train_ids=4, test_ids=6, train_images=4, test_images=4, distractors=4),
    )
    data = load_dataset("synthetic", folder / "data")
    config = Config(
        model=ModelConfig(trunk="resnet10", width=8, stride=8),
        data=DataConfig(height=64, width=32, pids=2, images=2, pad=2),
    )
    for name in ("anchored", "guided"):
        torch.manual_seed(1)
        chosen = variant(config, name)  # type: ignore[arg-type]
        network = build_model(chosen.model, len(data.train_pids))
        tensors = {f"model.{key}": value for key, value in network.state_dict().items()}
        facts: dict[str, Any] = {"dataset": "synthetic", "fingerprint": data.fingerprint}
        (folder / name).mkdir()
        made = Checkpoint(chosen, 1, len(data.train_pids), tensors, facts)
        save_checkpoint(made, folder / name / CHECKPOINT)
    return World(folder / "data", folder / "anchored", folder / "guided", data)


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
