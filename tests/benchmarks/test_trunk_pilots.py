"""The pilots score whole and cut queries apart, although a run keeps its features."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmarks.distill_recipe import hold_out
from benchmarks.trunk_pilots import cut_queries
from mfa.datasets import load_dataset
from mfa.inference.evaluate import evaluate
from mfa.runs.run import open_run
from mfa.synthetic import SyntheticConfig, write


def test_cut_queries_are_scored_apart_from_whole_ones(tmp_path: Path) -> None:
    write(tmp_path, SyntheticConfig(train_ids=80, test_ids=4, train_images=4, distractors=4))
    data = hold_out(load_dataset("synthetic", tmp_path))
    pids = {sample.pid for sample in data.gallery[:32]}
    query, gallery = (tuple(s for s in x if s.pid in pids) for x in (data.query, data.gallery))
    data = replace(data, query=query, gallery=gallery)
    cut = cut_queries(data, tmp_path / "cut")
    run = replace(open_run("mfa-tiny"), path=tmp_path / "run")
    (tmp_path / "run").mkdir()
    whole, part = evaluate(run, data), evaluate(run, cut)
    assert len(list((tmp_path / "run" / "features").iterdir())) == 2
    assert part.mAP < whole.mAP
