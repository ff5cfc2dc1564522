"""From a path, a name or a callable to an embedder."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from mfa.errors import InputError
from mfa.inference.external import named, onnxfile, openvinofile, torchfile
from mfa.inference.external.embedder import CONVENTIONS, Convention, External, Inputs
from mfa.runs.run import Run

SIZE = (256, 128)
"""Where a model takes any size: the field's usual one."""

INTEL = "person-reidentification-retail"
"""How the public OpenVINO models that take BGR pictures from 0 to 255 are called."""


def load_external(
    path_or_name: str | Path,
    *,
    size: tuple[int, int] | None = None,
    inputs: Convention | Inputs | None = None,
    threads: int | None = None,
) -> External:
    """Load an external model.

    Args:
        path_or_name: a file (``.onnx``; ``.xml`` of an OpenVINO IR with its ``.bin`` beside it;
            ``.pt2`` of ``torch.export``); ``torchvision:NAME`` or ``timm:NAME``, with ``@FILE``
            behind it to take the weights from a file; or ``module:function`` or
            ``file.py:function``, a callable as in ``from_callable``, which runs its author's code:
            name what you trust.
        size: (height, width), where the model takes any; 256x128 unless it says another.
        inputs: what it expects in place of 8-bit RGB, by name or in full. By default what the file
            states, which those of ``mfa export`` do; ``bgr255`` for Intel's
            person-reidentification-retail models; what timm states for its own; and ``imagenet``
            for all others. A scoring says where another convention would find more people.
        threads: threads to compute with; by default OMP_NUM_THREADS, else the runtime's choice.

    Raises:
        InputError: no such file or name, a runtime that is not installed, or not an embedder.
    """
    text = str(path_or_name)
    if text.startswith(("torchvision:", "timm:")):
        return named.load(text, size, _inputs(inputs))
    stem, _, function = text.rpartition(":")
    if stem and function.isidentifier():
        return from_callable(
            _function(stem, function), name=function, size=size or SIZE, inputs=inputs or "unit"
        )
    path = Path(text)
    if not path.is_file():
        raise InputError(
            f"no model {text!r}; give an .onnx, .xml, .pt or .pt2 file, torchvision:NAME, "
            "timm:NAME, or module:function"
        )
    if threads is None:
        variable = os.environ.get("OMP_NUM_THREADS", "")
        threads = int(variable) if variable.isdigit() and int(variable) else None
    return _from_file(path, size, _inputs(inputs), threads)


def from_callable(
    function: Callable[[np.ndarray], np.ndarray],
    *,
    name: str = "",
    size: tuple[int, int] = SIZE,
    inputs: Convention | Inputs = "unit",
) -> External:
    """An embedder of a function from prepared pictures (B, 3, H, W) float32 to vectors (B, D)."""
    if not callable(function):
        raise InputError(f"{function!r} cannot be called; give a function of pictures")
    chosen = _inputs(inputs)
    assert chosen is not None
    label = name or getattr(function, "__name__", type(function).__name__)
    return External(label, "callable", size, chosen, "", function)


def from_run(run: Run) -> External:
    """An embedder of a run, for code that takes any model; it gets no cameras."""

    @torch.inference_mode()
    def compute(values: np.ndarray) -> np.ndarray:
        images = torch.from_numpy(values).to(run.device)
        with run.autocast():
            found = run.model(images.contiguous(memory_format=torch.channels_last)).embedding
        array: np.ndarray = found.float().cpu().numpy()
        return array

    size = run.config.data.height, run.config.data.width
    return External(run.name, "run", size, CONVENTIONS["unit"], run.hash, compute)


def file_hash(paths: Sequence[Path]) -> str:
    """First 12 hex digits of the SHA-256 over the files' contents."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _from_file(
    path: Path, size: tuple[int, int] | None, inputs: Inputs | None, threads: int | None
) -> External:
    suffix = path.suffix.lower()
    files = [path]
    if suffix == ".onnx":
        kind, opened = "onnx", onnxfile.load(path, threads)
    elif suffix == ".xml":
        kind, opened = "openvino", openvinofile.load(path, threads)
        files.append(path.with_suffix(".bin"))
    elif suffix == ".pt2":
        kind, opened = "torch.export", torchfile.load(path)
    else:
        raise InputError(
            f"{path.name}: a model is an .onnx, .xml (OpenVINO) or .pt2 (torch.export) file",
            "write a TorchScript model again with torch.export.save, and give weights alone to "
            "`mfa import-weights`",
        )
    found = opened.size
    if found and size and found != size:
        raise InputError(
            f"{path.name} takes pictures of {found[0]}x{found[1]} only, not {size[0]}x{size[1]}"
        )
    default: Convention = "bgr255" if path.name.startswith(INTEL) else "imagenet"
    if opened.whole_numbers:
        default = "rgb255"
        if inputs not in (None, CONVENTIONS[default]):
            raise InputError(
                f"{path.name} takes 8-bit pictures and prepares them itself, so its input cannot "
                f"be {inputs.words}",
                "leave the input convention out",
            )
    return External(
        path.stem,
        kind,
        found or size or SIZE,
        inputs or CONVENTIONS[default],
        file_hash(files),
        opened.compute,
        states_inputs=opened.whole_numbers,
        facts=opened.facts,
    )


def _inputs(chosen: str | Inputs | None) -> Inputs | None:
    if chosen is None or isinstance(chosen, Inputs):
        return chosen
    for name, found in CONVENTIONS.items():
        if name == chosen:
            return found
    raise InputError(f"no input convention {chosen!r}; there are {', '.join(CONVENTIONS)}")


def _function(stem: str, name: str) -> Callable[[np.ndarray], np.ndarray]:
    try:
        if stem.endswith(".py"):
            spec = importlib.util.spec_from_file_location(Path(stem).stem, stem)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules.setdefault(spec.name, module)
            spec.loader.exec_module(module)
        else:
            module = importlib.import_module(stem)
        found: Callable[[np.ndarray], np.ndarray] = getattr(module, name)
    except (ImportError, OSError, AttributeError) as error:
        raise InputError(f"no callable {name!r} in {stem} ({error})") from error
    return found
