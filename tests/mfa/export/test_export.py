"""Exported files: the same embedding, the same maps, the same scores as the run they come from."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import mfa
from mfa.cli import COMMANDS
from mfa.cli import run as command
from mfa.errors import InputError
from mfa.export import export, measure_parity
from mfa.export import files as writing
from mfa.export.graph import ExportedNetwork
from mfa.export.int8 import calibration_pictures
from mfa.inference.external import load_external
from mfa.records import ReidDataset
from mfa.runs.run import Run, open_run

for package in ("onnx", "onnxscript", "onnxruntime", "openvino"):
    pytest.importorskip(package, reason=f"the extra export is not installed: no {package}")

ENDINGS = (".onnx", ".xml", ".pt2")


@pytest.fixture(scope="module")
def run(trained: Path) -> Run:
    return open_run(trained, "cpu")


@pytest.fixture(scope="module", autouse=True)
def traced_once(run: Run) -> Iterator[None]:
    """Tracing and OpenVINO's conversion are slow, and every file here is made of one network."""
    program = writing.trace(ExportedNetwork(run.model, maps=True).eval(), run)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "trace", lambda *_: program)
        patch.setattr(writing, "_to_openvino", functools.cache(writing._to_openvino))
        yield


@pytest.fixture(scope="module")
def files(run: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("exported")
    for ending in ENDINGS:
        export(run, folder / f"tiny{ending}", maps=True)
    return {ending: folder / f"tiny{ending}" for ending in ENDINGS}


@pytest.fixture
def pictures() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, 3, 64, 32), dtype=np.uint8)


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_door_reads_what_is_written(
    run: Run, files: dict[str, Path], pictures: np.ndarray, tiny_data: ReidDataset, ending: str
) -> None:
    model = load_external(files[ending])
    with torch.no_grad():
        wanted = run.model(torch.from_numpy(pictures).float() / 255).embedding.numpy()
    np.testing.assert_allclose(model.embed(pictures), wanted, atol=2e-4 * abs(wanted).max())
    assert (model.size, model.states_inputs) == ((64, 32), True)
    assert model.branches == tuple(run.model.widths.items())
    assert model.facts["weights"] == run.hash
    ours, theirs = mfa.evaluate(run, tiny_data), mfa.evaluate_external(model, tiny_data)
    assert (theirs.mAP, theirs.rank1) == pytest.approx((ours.mAP, ours.rank1))
    with pytest.raises(InputError, match="takes 8-bit pictures"):
        load_external(files[ending], inputs="imagenet")


def test_parts_times_a_direction_are_the_map(
    run: Run, files: dict[str, Path], pictures: np.ndarray
) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(files[".onnx"])
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, session.run(None, {"pictures": pictures}), strict=True))
    maps = mfa.branch_maps(run, pictures)
    length = np.linalg.norm(found["embedding"], axis=1)[:, None]
    for name in run.model.widths:
        direction = found[name] / length
        made = np.einsum("bc,bchw->bhw", direction, found[f"{name}.parts"])
        np.testing.assert_allclose(made, maps.raw[name], atol=1e-4 * abs(maps.raw[name]).max())


def test_an_export_that_is_there_is_done_and_another_file_is_kept(
    run: Run, files: dict[str, Path], tmp_path: Path
) -> None:
    before = files[".onnx"].stat().st_mtime_ns
    export(run, files[".onnx"], maps=True)
    assert files[".onnx"].stat().st_mtime_ns == before
    with pytest.raises(InputError, match="not overwritten"):
        export(run, files[".onnx"])
    mine = tmp_path / "mine.onnx"
    mine.write_bytes(b"precious")
    with pytest.raises(InputError, match="not overwritten"):
        export(run, mine)
    assert mine.read_bytes() == b"precious"


@pytest.mark.parametrize("ending", [".onnx", ".xml"])
def test_int8_stays_near_and_says_so(
    run: Run, tiny_data: ReidDataset, tmp_path: Path, ending: str
) -> None:
    pytest.importorskip("nncf", reason="the extra export is not installed: no nncf")
    file = tmp_path / f"tiny{ending}"
    export(run, file, maps=True, calibration=calibration_pictures(run, tiny_data, count=8))
    assert load_external(file).facts["numbers"] == "int8"
    table = measure_parity(run, file, tiny_data)
    assert 0.9 < table["cosine_min"][1] < 0.999999
    assert (table[["mib", "ms_1", "ms_64"]] > 0).all(axis=None)


def test_maps_that_do_not_fit_are_refused(run: Run) -> None:
    network = mfa.build_model(run.config.model)
    next(iter(network.heads.values())).neck = nn.Linear(32, 32)
    with pytest.raises(InputError, match="mixes channels"):
        ExportedNetwork(network, maps=True)


def test_the_command(
    tiny_run: Path, tiny_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    words = ["export", str(tiny_run), "--data-root", str(tiny_root)]
    assert command("mfa", COMMANDS, [*words, "--format", "onnx", "--maps", "--parity"]) == 0
    assert (tmp_path / "tiny.onnx").is_file()
    assert "cosine" in (tmp_path / "tiny.onnx.parity.csv").read_text()
    for wrong in (["x.onnx", "--format", "openvino"], ["x.txt"], ["x.safetensors", "--maps"],
                  ["x.onnx", "--gate-height", "2"], ["x.pt2", "--int8"]):  # fmt: skip
        assert command("mfa", COMMANDS, [*words, *wrong]) == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["tiny.onnx", "tiny.onnx.parity.csv"]
    shown = capsys.readouterr()
    assert "8-bit pictures in" in shown.out
    assert "leave --int8 out" in shown.err
