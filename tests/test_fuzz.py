"""Every reader meets damaged files with one sentence: no traceback, no hanging, no flood of memory.

A whole file is damaged in its bytes, in the members of its archive, or in the header of its
tensors, and is read. ``MFA_FUZZ_SECONDS=3600`` tries new damages for that long and prints how many.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import re
import resource
import shutil
import struct
import tarfile
import time
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from benchmarks.made import made_features
from mfa.ablation.plans import Row, load_plan
from mfa.ablation.runner import ROW_FILE, finished, reusable
from mfa.config import Config
from mfa.datasets import LAYOUTS, load_dataset
from mfa.datasets.doctor import examine
from mfa.datasets.loading.cache import cached_images
from mfa.datasets.loading.decode import read_image
from mfa.datasets.prepare.archive import unpack
from mfa.errors import InputError
from mfa.inference.external import load_external
from mfa.models.tensor_files import read_tensors
from mfa.records import ReidDataset
from mfa.retrieval import feature_file
from mfa.retrieval.metrics import score
from mfa.retrieval.results import RetrievalResult
from mfa.retrieval.statistics import intervals
from mfa.runs.checkpoint import CHECKPOINT
from mfa.runs.history import HISTORY
from mfa.runs.run import open_run
from mfa.runs.stored_config import to_json
from mfa.training.distillation import read_teacher

SECONDS = float(os.environ.get("MFA_FUZZ_SECONDS", "0"))
"""How long to go on beyond the damages that every run of the suite tries."""

SLOWEST, LARGEST = 20, 400 * 2**20
"""Seconds and bytes that reading one small damaged file may take."""

TOKENS = (
    *(b"-1", b"NaN", b"1e999", b"9" * 12, b"9" * 5000, b"null", b"[]", b"{}", b"[" * 50_000),
    *(b'"', b",", b"\n", b"\x00" * 64, b"\xff\xfe", b"../../x", b"=1+1", b"\xf0\x9f\x98\x80"),
)


@dataclass(frozen=True)
class Reader:
    """How a whole file is made, how it is read, and what is inside it that can be damaged."""

    make: Callable[[Path], Path]
    read: Callable[[Path], Any]
    inside: str = ""
    tries: int = 40


def damaged(content: bytes, rng: random.Random, inside: str) -> bytes:
    """The content with some damage, in half of the cases below the checksums of its container."""
    if inside == "zip" and rng.random() < 0.6:
        return _damaged_zip(content, rng)
    if inside == "gzip" and rng.random() < 0.6:
        return gzip.compress(_damaged_bytes(gzip.decompress(content), rng))
    if inside == "tensors" and rng.random() < 0.7:
        (size,) = struct.unpack("<Q", content[:8])
        header = _damaged_bytes(content[8 : 8 + size], rng)
        return struct.pack("<Q", len(header)) + header + content[8 + size :]
    return _damaged_bytes(content, rng)


def _damaged_bytes(content: bytes, rng: random.Random) -> bytes:
    data = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        place, length = rng.randrange(len(data) + 1), rng.choice((1, 2, 8, 100))
        span = slice(place, place + length)
        numbers = [found.span() for found in re.finditer(rb"\d+", bytes(data[:20_000]))]
        match rng.randrange(6):
            case 0:
                data[span] = rng.randbytes(len(data[span]))
            case 1:
                del data[span]
            case 2:
                data[span] = data[span] * 2
            case 3:
                data[place:place] = rng.choice(TOKENS)
            case 4:
                del data[place:]
            case 5 if numbers:
                start, end = rng.choice(numbers)
                data[start:end] = rng.choice(TOKENS)
    return bytes(data)


def _damaged_zip(content: bytes, rng: random.Random) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    victim, how = rng.randrange(len(members)), rng.randrange(8)
    packing = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", packing) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a name that comes twice
        for place, (name, data) in enumerate(members):
            if place == victim and how == 0:
                continue
            if place == victim and how == 1:
                archive.writestr(name, rng.choice((b"", bytes(2**27))))
            elif place == victim and how == 2:
                archive.writestr(rng.choice(("../x", "/x", "x" * 300, name + "\\..\\y")), data)
            else:
                archive.writestr(name, _damaged_bytes(data, rng) if place == victim else data)
    return stream.getvalue()


def _features(folder: Path) -> Path:
    made = made_features(
        queries=6, gallery=12, people=3, distractors=2, cameras=2, width=6, noise=1.0
    )
    feature_file.write(folder / "f.npz", made)
    return folder / "f.npz"


def _mat(folder: Path) -> Path:
    features = feature_file.read(_features(folder))
    content = {}
    for name, side in (("query", features.query), ("gallery", features.gallery)):
        content |= {f"{name}_f": side.features, f"{name}_label": side.pids}
    scipy.io.savemat(folder / "f.mat", content, do_compression=True)
    return folder / "f.mat"


def _pt(folder: Path) -> Path:
    features = feature_file.read(_features(folder))
    content: dict[str, Any] = {}
    for name, side in (("q", features.query), ("g", features.gallery)):
        content |= {f"{name}f": torch.from_numpy(side.features), f"{name}_pids": side.pids.tolist()}
    torch.save(content, folder / "f.pt")
    return folder / "f.pt"


def _scored(file: Path) -> Any:
    return score(feature_file.read(file)).summary(draws=2)


def _teacher(folder: Path) -> Path:
    np.savez_compressed(folder / "t.npz", feature=np.eye(4, 3) + 1, name=np.array([*"abcd"]))
    return folder / "t.npz"


def _result(folder: Path) -> Path:
    score(feature_file.read(_features(folder))).save(folder / "r.json")
    return folder / "r.json"


def _loaded(file: Path) -> Any:
    result = RetrievalResult.load(file.with_suffix(".json"))
    return result.summary(draws=0), intervals(result.per_query, draws=2)


def _plan(folder: Path) -> Path:
    rows = {"one": {"model.branches": 2}, "two": {"loss.gla": "off", "optim.lr": 0.01}}
    (folder / "plan.json").write_text(json.dumps({"preset": "demo", "rows": rows}))
    return folder / "plan.json"


def _weights(folder: Path) -> Path:
    torch.save({"state_dict": {"conv.weight": torch.zeros(2, 3)}, "epoch": 3}, folder / "w.pth")
    return folder / "w.pth"


def _picture(suffix: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        pixels = np.random.default_rng(0).integers(0, 255, (32, 16, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"p{suffix}")
        return folder / f"p{suffix}"

    return make


TREE = {
    "bounding_box_train": ["0002_c1s1_000001_00.jpg", "0002_c2s1_000001_00.jpg"],
    "query": ["0001_c1s1_000001_00.jpg"],
    "bounding_box_test": ["0001_c2s1_000001_00.jpg", "-1_c1s1_000001_00.jpg"],
}


def _archive(suffix: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        image = _picture(".jpg")(folder).read_bytes()
        names = [f"Market/{place}/{name}" for place, files in TREE.items() for name in files]
        file = folder / f"a{suffix}"
        if suffix == ".zip":
            with zipfile.ZipFile(file, "w") as archive:
                for name in names:
                    archive.writestr(name, image)
            return file
        with tarfile.open(file, "w:gz" if suffix == ".tar.gz" else "w") as tar:
            for name in names:
                entry = tarfile.TarInfo(name)
                entry.size = len(image)
                tar.addfile(entry, io.BytesIO(image))
        return file

    return make


def _unpacked(file: Path) -> Any:
    root = file.parent / "root"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    before = set(file.parent.iterdir())
    try:
        return unpack(file, LAYOUTS["market1501"], root)
    finally:
        assert set(file.parent.iterdir()) == before, "something left its folder"


def _table(folder: Path) -> Path:
    place = folder / "folder"
    place.mkdir()
    for name in ("1.jpg", "2.jpg", "3.jpg"):
        (place / name).write_bytes(b"x")
    rows = "path,pid,camid,split\n1.jpg,anna,1,train\n2.jpg,7,2,query\n3.jpg,7,1,gallery\n"
    (place / "dataset.csv").write_text(rows)
    return place / "dataset.csv"


def _msmt17(folder: Path) -> Path:
    name, place = "0000_000_01_0303morning_0008_0.jpg", folder / "msmt17"
    for part in ("train", "test"):
        (place / part / "0000").mkdir(parents=True)
        (place / part / "0000" / name).write_bytes(b"x")
    for part in ("train", "val", "query", "gallery"):
        (place / f"list_{part}.txt").write_text(f"0000/{name} 0\n")
    return place / "list_query.txt"


def _cuhk03(folder: Path) -> Path:
    """The classic protocol, which has no published number of pictures."""
    place, names = (
        folder / "cuhk03",
        [f"1_{pid:03}_{cam}_01.png" for pid in (1, 2) for cam in (1, 2)],
    )
    (place / "images_detected").mkdir(parents=True)
    for name in names:
        (place / "images_detected" / name).write_bytes(b"x")
    train, test = ([[name, 0, 0] for name in own] for own in (names[:2], names[2:]))
    split = {"train": train, "query": test, "gallery": test}
    (place / "splits_classic_detected.json").write_text(json.dumps([split]))
    return place / "splits_classic_detected.json"


def _examined(name: str, root: Path) -> Any:
    assert examine(name, root, decode=False).text()
    return load_dataset(name, root)


def _program(folder: Path) -> Path:
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.Flatten()).eval()
    torch.export.save(torch.export.export(network, (torch.zeros(2, 3, 8, 4),)), folder / "m.pt2")
    return folder / "m.pt2"


def _onnx(folder: Path) -> Path:
    onnx = pytest.importorskip("onnx", reason="writing the model needs onnx (pip install .[dev])")
    pytest.importorskip("onnxruntime", reason="the extra external is not installed")
    of, floats = onnx.helper, onnx.TensorProto.FLOAT
    nodes = [
        of.make_node("Conv", ["images", "weight"], ["maps"], kernel_shape=[3, 3]),
        of.make_node("GlobalAveragePool", ["maps"], ["means"]),
        of.make_node("Flatten", ["means"], ["vectors"]),
    ]
    graph = of.make_graph(
        nodes,
        "small",
        [of.make_tensor_value_info("images", floats, [2, 3, 8, 4])],
        [of.make_tensor_value_info("vectors", floats, [2, 2])],
        [of.make_tensor("weight", floats, [2, 3, 3, 3], np.linspace(-1, 1, 54))],
    )
    opsets = [of.make_opsetid("", 17)]
    onnx.save(of.make_model(graph, opset_imports=opsets, ir_version=8), folder / "m.onnx")
    return folder / "m.onnx"


def _openvino(folder: Path) -> Path:
    openvino = pytest.importorskip("openvino", reason="the extra external is not installed")
    model = openvino.convert_model(_onnx(folder))
    openvino.save_model(model, folder / "m.xml", compress_to_fp16=False)
    return folder / "m.xml"


def _embedded(file: Path) -> Any:
    model = load_external(file, size=(8, 4))
    return model.embed(np.zeros((2, 3, 8, 4), np.uint8))


READERS: dict[str, Reader] = {
    "features .npz": Reader(_features, _scored, "zip"),
    "features .mat": Reader(_mat, _scored),
    "features .pt": Reader(_pt, _scored, "zip"),
    "teacher": Reader(_teacher, read_teacher, "zip"),
    "result .json": Reader(_result, _loaded),
    "result .csv": Reader(lambda folder: _result(folder).with_suffix(".csv"), _loaded),
    "plan": Reader(_plan, lambda file: load_plan(str(file), Config())),
    "weights .pth": Reader(_weights, read_tensors, "zip"),
    "picture .jpg": Reader(_picture(".jpg"), read_image),
    "picture .png": Reader(_picture(".png"), read_image),
    "picture .tiff": Reader(_picture(".tiff"), read_image),
    "picture .webp": Reader(_picture(".webp"), read_image),
    "archive .zip": Reader(_archive(".zip"), _unpacked, "zip"),
    "archive .tar": Reader(_archive(".tar"), _unpacked),
    "archive .tar.gz": Reader(_archive(".tar.gz"), _unpacked, "gzip"),
    "table of pictures": Reader(_table, lambda file: _examined("folder", file.parents[1])),
    "list of MSMT17": Reader(_msmt17, lambda file: _examined("msmt17", file.parents[1])),
    "split of CUHK03": Reader(_cuhk03, lambda file: _examined("cuhk03_classic", file.parents[1])),
    "torch.export program": Reader(_program, _embedded, "zip", tries=3),
    "model .onnx": Reader(_onnx, _embedded),
    "model .xml": Reader(_openvino, _embedded),
}


DEEP = b"[" * 700 + b"]" * 700
"""JSON that Python parses and cannot print."""

FOUND: dict[str, tuple[Callable[[bytes], bytes], ...]] = {
    "result .csv": (lambda whole: whole.replace(b",status", b",s,status"),),
    "result .json": (lambda whole: whole.replace(b'"card": ', b'"card": ' + DEEP + b', "was": '),),
    "table of pictures": (lambda whole: whole.replace(b",train", b',"train\r\x1b[2J"'),),
    "split of CUHK03": (
        lambda whole: whole.replace(b'"1_001_1_01.png"', b"[" * 50_000),
        lambda whole: whole.replace(b'"1_001_1_01.png"', DEEP),
        lambda whole: whole.replace(b", 0, 0]", b", 1e999, 0]"),
    ),
    "row": (lambda whole: whole.replace(b"1.0", DEEP),),
}
"""Damages that were faults once."""


def of_a_run(run: Path, config: Config, data: ReidDataset) -> dict[str, Reader]:
    """Readers of the files in a run folder, and of the cache of a dataset's pictures."""

    def copy(name: str) -> Callable[[Path], Path]:
        def make(folder: Path) -> Path:
            shutil.copytree(run, folder / "run", dirs_exist_ok=True)
            figures = {"row": "a", "mAP": 1.0, "fingerprint": data.fingerprint}
            figures["config"] = to_json(config)
            (folder / "run" / ROW_FILE).write_text(json.dumps(figures))
            return folder / "run" / name

        return make

    def first_format(folder: Path) -> Path:
        """A checkpoint without checksums, so that damage reaches what they guard."""
        file = copy(CHECKPOINT)(folder)
        with safe_open(file, framework="pt") as opened:
            facts = dict(opened.metadata())
        tensors = load_file(file)
        del facts["sha256"]
        save_file(tensors, file, facts | {"format": "1"})
        return file

    def cache(name: str) -> Callable[[Path], Path]:
        def make(folder: Path) -> Path:
            cached_images(data.query, 16, 8, folder / "cache")
            return next((folder / "cache").glob(f"*/{name}"))

        return make

    row = Row("a", config)
    return {
        "checkpoint": Reader(copy(CHECKPOINT), lambda file: open_run(file.parent).model, "tensors"),
        "checkpoint, format 1": Reader(
            first_format, lambda file: open_run(file.parent).model, "tensors"
        ),
        "history": Reader(copy(HISTORY), lambda file: open_run(file.parent).history),
        "row": Reader(
            copy(ROW_FILE),
            lambda file: (
                reusable(row, config.seed, data, [file.parent.parent]),
                finished(file.parent, row, config.seed, data),
            ),
        ),
        **{
            f"cache {name}": Reader(
                cache(name),
                lambda file: cached_images(data.query, 16, 8, file.parent.parent).pixels,
            )
            for name in ("pictures.npy", "broken.json")
        },
    }


NAMES = (*READERS, *("checkpoint", "checkpoint, format 1", "history", "row"), "cache pictures.npy")
NAMES = (*NAMES, "cache broken.json")


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_file_ends_in_a_sentence(
    name: str,
    tmp_path: Path,
    tiny_run: Path,
    tiny_config: Config,
    tiny_data: ReidDataset,
    capsys: pytest.CaptureFixture[str],
) -> None:
    reader = (READERS | of_a_run(tiny_run, tiny_config, tiny_data))[name]
    file = reader.make(tmp_path)
    whole = file.read_bytes()
    warnings.simplefilter("ignore")
    reader.read(file)
    tried = 0

    def read(content: bytes) -> None:
        nonlocal tried
        tried += 1
        file.write_bytes(content)
        began, before = time.monotonic(), _peak()
        sentence = ""
        try:
            reader.read(file)
        except InputError as error:
            sentence = str(error)
        assert not re.search(
            "[\x00-\x1f\u2028\u2029]|weights_only|allow_pickle|Traceback", sentence
        )
        assert time.monotonic() - began < SLOWEST
        assert _peak() - before < LARGEST

    def read_damaged(seed: int) -> None:
        read(damaged(whole, random.Random(seed), reader.inside))

    for damage in FOUND.get(name, ()):
        assert damage(whole) != whole
        read(damage(whole))
    checks = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    known = settings(
        max_examples=reader.tries,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=checks,
    )
    known(given(st.integers(0, 2**32))(read_damaged))()
    end = time.monotonic() + SECONDS / len(NAMES)
    seed = int(time.time())
    while time.monotonic() < end:
        seed += 1
        try:
            read_damaged(seed)
        except Exception as error:
            raise AssertionError(f"damage {seed} of {name}") from error
    if SECONDS:
        with capsys.disabled():
            print(f"\n{name}: {tried:,} damaged files")


def _peak() -> int:
    """Most memory that this process has held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 2**10
