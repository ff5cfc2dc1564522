"""The bench of the map engine, on a network small enough to wait for."""

from benchmarks.cam import run
from mfa.config import ModelConfig


def test_figures_have_the_agreed_names_and_the_maps_agree():
    figures = run(1, batch=1, config=ModelConfig(trunk="resnet10", width=8))
    assert {"ratio_to_forward", "speedup_over_library", "correlation"} <= set(figures)
    assert figures["correlation"] > 0.999999
    assert figures["ratio_to_forward"] > 0
