"""The page of one file: it computes what mfa computes, without a network."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import mfa

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "tools/page/build.py"

pytestmark = [pytest.mark.ui, pytest.mark.slow]

for package in ("onnx", "onnxscript", "onnxruntime"):
    pytest.importorskip(package, reason=f"the extra export is not installed: no {package}")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = importlib.util.spec_from_file_location("build_page", BUILD)
    assert spec is not None
    assert spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    if shutil.which("npm") is None and not list((ROOT / "build/npm").glob("*.tgz")):
        pytest.skip("no npm and no onnxruntime-web: the page cannot be built")
    try:
        build.runtime()
    except Exception as error:
        pytest.skip(f"onnxruntime-web cannot be fetched: {error}")
    made = tmp_path_factory.mktemp("page") / "mfa.html"
    made.write_text(build.make(mfa.open_run("mfa-tiny", "cpu")), encoding="utf-8")
    assert made.stat().st_size <= build.LIMIT
    return made


@pytest.fixture(scope="module")
def opened(new_page: Callable[..., Any], file: Path) -> Iterator[Any]:
    page = new_page(offline=True, viewport={"width": 400, "height": 800})
    page.goto(file.as_uri())
    page.wait_for_selector("body[data-ready]", timeout=120_000)
    yield page
    assert page.errors == []


def shown(page: Any) -> tuple[np.ndarray, dict[str, Any]]:
    """The picture's pixels (3, H, W) as the page reads them, and what it computed of them."""
    found = page.evaluate(
        """() => ({ pixels: [...mfa.readPixels()], maps: mfa.state.maps.map((m) => [...m.map]),
        descriptor: [...mfa.state.result.descriptor], size: [mfa.facts.height, mfa.facts.width],
        ranking: mfa.state.ranking })"""
    )
    return np.array(found["pixels"], np.uint8).reshape(3, *found["size"]), found


def test_it_fits_a_narrow_screen(opened: Any) -> None:
    assert opened.evaluate("document.documentElement.scrollWidth") <= 400


def test_the_ranks_follow_the_scores_and_a_person_is_chosen_by_keys(opened: Any) -> None:
    _, found = shown(opened)
    scores = [answer["score"] for answer in found["ranking"]]
    assert scores == sorted(scores, reverse=True)
    assert all(abs(sum(answer["shares"]) - answer["score"]) < 1e-6 for answer in found["ranking"])
    opened.focus("input[name=person]:checked")
    opened.keyboard.press("ArrowRight")
    opened.wait_for_function("mfa.state.query === 3")
    opened.wait_for_timeout(1500)
    assert shown(opened)[1]["descriptor"] != found["descriptor"]


def test_maps_and_descriptor_are_those_of_mfa(opened: Any) -> None:
    run = mfa.open_run("mfa-tiny", "cpu")
    for painted in (False, True):
        if painted:
            before = shown(opened)[0]
            opened.focus("#picture")
            opened.keyboard.press("ArrowDown")
            opened.keyboard.press("Space")
            opened.wait_for_function("mfa.state.strokes.length === 1")
            opened.wait_for_timeout(1500)
        pixels, found = shown(opened)
        maps = mfa.branch_maps(run, pixels[None])
        largest = max(float(np.abs(values).max()) for values in maps.raw.values())
        for name, values in zip(run.model.widths, found["maps"], strict=True):
            wanted = maps.raw[name][0].ravel()
            np.testing.assert_allclose(values, wanted, atol=0.02 * largest)
        with torch.no_grad():
            descriptor = run.model(torch.from_numpy(pixels[None]).float() / 255).descriptor[0]
        assert float(descriptor @ torch.tensor(found["descriptor"])) > 0.9995
    assert (before != pixels).any()
