"""Make ``build/mfa.html``: one file that opens by double click and runs mfa-tiny in the page.

``python tools/page/build.py [--out FILE]``. It needs the extra ``export``, and npm for the runtime
onnxruntime-web, which is fetched once into ``build/npm``. Everything is inside the file: pictures
of drawn people, the network with its maps, and the runtime. Bytes are packed by gzip and base 85.

The network's large weights are rounded to 10 bits, one scale per channel, so that the file stays
below 8 MB; ``page_model`` gives the same rounded network to tests.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import io
import json
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from PIL import Image

import mfa
from mfa.explain.geometry import map_grids
from mfa.export.files import to_onnx, trace
from mfa.export.graph import ExportedNetwork
from mfa.files import write_atomically
from mfa.inference.pictures import input_pixels
from mfa.runs.run import Run
from mfa.synthetic import SyntheticConfig
from mfa.synthetic.scene import shoot

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
RUNTIME = "1.22.0"
"""Version of onnxruntime-web: later ones are larger and bring nothing that the page uses."""
LIMIT = 8_000_000
PEOPLE = 20
LARGE = 1024
"""Values from which on a tensor is rounded."""
BITS = 10
PEOPLE_OF = SyntheticConfig(cameras=2, height=256, width=128, nuisance=0.2)
FIRST = 101
"""Number of the first person: the first test identity of the standard set."""


def pictures(run: Run) -> list[dict[str, Any]]:
    """For each person one picture to search with, and two of the other camera to be found."""
    made = []
    for person in range(FIRST, FIRST + PEOPLE):
        for camera, repeat in ((1, 0), (2, 0), (2, 1)):
            shot = shoot(person, camera, repeat, PEOPLE_OF, None)
            small = Image.fromarray(
                input_pixels(run, np.asarray(Image.open(io.BytesIO(shot.jpeg()))))
            )
            buffer = io.BytesIO()
            small.save(buffer, "JPEG", quality=82, subsampling=0)
            made.append({"person": person - FIRST + 1, "camera": camera, "jpeg": buffer.getvalue()})
    return made


def pixels(jpeg: bytes) -> np.ndarray:
    """(1, 3, H, W) uint8."""
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB")).transpose(2, 0, 1)[None]


def page_model(run: Run) -> tuple[Any, bytes, bytes, list[int]]:
    """The rounded network, and what the page makes it from.

    Returns:
        The ``onnx.ModelProto`` with rounded weights; the graph without the large ones, which it
        expects in a file ``weights``; the packed weights; and the numbers of values per scale.
    """
    network = ExportedNetwork(run.model, maps=True).eval()
    whole = to_onnx(trace(network, run), network.outputs)
    graph = onnx.ModelProto()
    graph.CopyFrom(whole)
    codes, scales, runs, place = [], [], [], 0
    for tensor, slim in zip(whole.graph.initializer, graph.graph.initializer, strict=True):
        if tensor.data_type != onnx.TensorProto.FLOAT or np.prod(tensor.dims) < LARGE:
            continue
        values = onnx.numpy_helper.to_array(tensor)
        rows = values.reshape(values.shape[0], -1)
        top = 2 ** (BITS - 1) - 1
        scale = np.maximum(np.abs(rows).max(axis=1, keepdims=True), 1e-12).astype(np.float32) / top
        scale = scale.astype(np.float32)
        code = np.round(rows / scale).astype(np.int16)
        rounded = (code.astype(np.float32) * scale).reshape(values.shape)
        tensor.CopyFrom(onnx.numpy_helper.from_array(rounded, tensor.name))
        codes.append((code + top + 1).astype(np.uint16).ravel())
        scales.append(scale.ravel())
        runs += [rows.shape[1]] * rows.shape[0]
        slim.ClearField("raw_data")
        slim.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (("location", "weights"), ("offset", place), ("length", rounded.nbytes)):
            entry = slim.external_data.add()
            entry.key, entry.value = key, str(value)
        place += rounded.nbytes
    code = np.concatenate(codes)
    code = np.concatenate([code, np.zeros(-len(code) % 4, np.uint16)])
    low = (code & 3).astype(np.uint8).reshape(-1, 4)
    packed = (low << np.array([0, 2, 4, 6], np.uint8)).sum(axis=1).astype(np.uint8)
    parts = (np.concatenate(scales), (code >> 2).astype(np.uint8), packed)
    return whole, graph.SerializeToString(), b"".join(part.tobytes() for part in parts), runs


def embed(model: Any, made: list[dict[str, Any]]) -> np.ndarray:
    """Descriptors (N, D) float32 of the pictures by the rounded network."""
    session = onnxruntime.InferenceSession(model.SerializeToString())
    rows = [session.run(["embedding"], {"pictures": pixels(p["jpeg"])})[0] for p in made]
    found = np.concatenate(rows)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def runtime() -> tuple[str, bytes, bytes]:
    """The script of onnxruntime-web, its WebAssembly, and the module that loads that."""
    folder = ROOT / "build" / "npm"
    archive = folder / f"onnxruntime-web-{RUNTIME}.tgz"
    if not archive.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as fresh:
            subprocess.run(
                ["npm", "pack", "--silent", f"onnxruntime-web@{RUNTIME}"], cwd=fresh, check=True
            )
            (Path(fresh) / archive.name).replace(archive)
    with tarfile.open(archive) as opened:
        script, wasm, glue = (
            opened.extractfile(f"package/dist/{name}").read()  # type: ignore[union-attr]
            for name in (
                "ort.wasm.bundle.min.mjs",
                "ort-wasm-simd-threaded.wasm",
                "ort-wasm-simd-threaded.mjs",
            )
        )
    # It resolves a file's name against its own address, and that of a blob is no base.
    glue = glue.replace(b"import.meta.url", b'"file:///"')
    text = re.sub(r"//# sourceMappingURL.*", "", script.decode())
    exported = re.search(r"export\{([^}]*)\};?\s*$", text)
    assert exported is not None
    names = [pair.split(" as ") for pair in exported.group(1).split(",")]
    body = ",".join(f"{public}:{own}" for own, public in names)
    # In a function, whose short names do not meet the page's own.
    return f"const ort=(()=>{{{text[: exported.start()]};return{{{body}}};}})();", wasm, glue


def element(name: str, data: bytes) -> str:
    """Bytes as a script element that is not run: gzip, then base 85."""
    small = gzip.compress(data, 9, mtime=0)
    text = base64.b85encode(small, pad=True).decode()
    return f'<script type="text/plain" id="{name}" data-bytes="{len(small)}">{text}</script>'


def make(run: Run) -> str:
    """The page."""
    model, graph, weights, runs = page_model(run)
    made = pictures(run)
    script, wasm, glue = runtime()
    size = run.config.data.height, run.config.data.width
    grids = map_grids(run.model, size)
    facts = {
        "height": size[0],
        "width": size[1],
        "branches": [
            {
                "name": name,
                "width": width,
                "rows": vars(grids[name].rows),
                "columns": vars(grids[name].columns),
            }
            for name, width in run.model.widths.items()
        ],
        "pictures": [{"person": p["person"], "camera": p["camera"]} for p in made],
        "weights": run.hash,
        "runs": runs,
        "jpeg": [len(p["jpeg"]) for p in made],
    }
    blobs = {
        "wasm": wasm,
        "glue": glue,
        "graph": graph,
        "weights": weights,
        "features": embed(model, made).astype(np.float16).tobytes(),
        "jpegs": b"".join(p["jpeg"] for p in made),
    }
    page = (HERE / "page.html").read_text(encoding="utf-8")
    data = "\n".join(element(name, blob) for name, blob in blobs.items())
    parts = {
        "STYLE": (HERE / "page.css").read_text(encoding="utf-8"),
        "FACTS": json.dumps(facts),
        "DATA": data,
        "RUNTIME": script,
        "PROGRAM": (HERE / "page.js").read_text(encoding="utf-8"),
    }
    return re.sub(r"%%([A-Z]+)%%", lambda found: parts[found.group(1)], page)


def main() -> None:
    """Write the page; fail where it is too large."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "mfa.html")
    out = parser.parse_args().out
    page = make(mfa.open_run("mfa-tiny", "cpu"))
    size = len(page.encode())
    if size > LIMIT:
        raise SystemExit(f"the page has {size:,} bytes, more than {LIMIT:,}")
    write_atomically(out, page)
    print(f"{out}: {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
