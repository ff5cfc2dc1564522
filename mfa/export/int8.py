"""8-bit integer arithmetic, fitted to some pictures: ONNX Runtime's tool, and NNCF for OpenVINO."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mfa.datasets.loading.images import load_images
from mfa.errors import InputError, extra
from mfa.records import ReidDataset
from mfa.runs.run import Run

PICTURES = 128
"""Pictures that the ranges of activations are measured on."""


def calibration_pictures(run: Run, data: ReidDataset, count: int = PICTURES) -> np.ndarray:
    """``count`` training pictures of ``data`` at the run's size, (N, 3, H, W) uint8, seed 0.

    Of a dataset without training pictures they are of the gallery.
    """
    samples = data.train or data.gallery
    if not samples:
        raise InputError(f"{data.name} has no pictures to fit 8-bit arithmetic to", "name another")
    chosen = np.random.default_rng(0).permutation(len(samples))[:count]
    size = run.config.data
    pictures = load_images(
        tuple(samples[i] for i in sorted(chosen)), height=size.height, width=size.width, cache=None
    )
    return pictures.batch(range(len(pictures))).numpy()


def quantize_onnx(model: Any, pictures: np.ndarray) -> Any:
    """``model`` (``onnx.ModelProto``) with its convolutions in 8 bits, per channel."""
    with extra("export"):
        import onnx
        from onnxruntime import quantization
        from onnxruntime.quantization.shape_inference import quant_pre_process

    class Pictures(quantization.CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.batches = ({"pictures": batch} for batch in _batches(pictures))

        def get_next(self) -> Any:
            return next(self.batches, None)

    with tempfile.TemporaryDirectory() as folder:
        whole, prepared, made = (str(Path(folder) / f"{n}.onnx") for n in ("a", "b", "c"))
        onnx.save(model, whole)
        quant_pre_process(whole, prepared, skip_symbolic_shape=True)
        quantization.quantize_static(
            prepared, made, Pictures(), per_channel=True, op_types_to_quantize=["Conv"]
        )
        return onnx.load(made)


def quantize_openvino(model: Any, pictures: np.ndarray) -> Any:
    """``model`` (``openvino.Model``) in 8 bits wherever NNCF's rules say so."""
    with extra("export"):
        import nncf
    nncf.set_log_level(logging.ERROR)
    batches = list(_batches(pictures))
    return nncf.quantize(model, nncf.Dataset(batches), subset_size=len(batches))


def _batches(pictures: np.ndarray) -> Iterator[np.ndarray]:
    return (pictures[i : i + 1] for i in range(len(pictures)))
