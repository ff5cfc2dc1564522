"""Embedders from elsewhere: every kind of file gives what the network itself gives."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from mfa.datasets.loading.decode import decode
from mfa.errors import InputError
from mfa.inference.external import CONVENTIONS, Inputs, from_callable, load_external

MODELS = Path(__file__).resolve().parents[4].parent / "shared/data/models"


def real(test: Callable[..., None]) -> Callable[..., None]:
    """A test of Intel's person-reidentification-retail models."""
    absent = pytest.mark.skipif(not MODELS.is_dir(), reason="no real models beside the checkout")
    return pytest.mark.real(absent(test))


class Small(nn.Module):
    """Pictures to 5 numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3, stride=2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.conv(images).relu().mean(dim=(2, 3))


@pytest.fixture
def network() -> Small:
    torch.manual_seed(0)
    return Small().eval()


@pytest.fixture
def pictures() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, 3, 32, 16), dtype=np.uint8)


def wanted(network: nn.Module, pictures: np.ndarray) -> np.ndarray:
    """By hand: RGB to [0, 1], less the mean, by the deviation."""
    mean = np.array([0.485, 0.456, 0.406]).reshape(3, 1, 1)
    std = np.array([0.229, 0.224, 0.225]).reshape(3, 1, 1)
    values = torch.from_numpy(((pictures / 255 - mean) / std).astype(np.float32))
    with torch.no_grad():
        return network(values).numpy()


def save_onnx(network: nn.Module, path: Path, *, dynamic: bool) -> None:
    pytest.importorskip("onnx", reason="writing the test's model needs the extra export")
    torch.onnx.export(
        network,
        (torch.zeros(2, 3, 32, 16),),
        str(path),
        dynamo=False,
        input_names=["images"],
        output_names=["vectors"],
        dynamic_axes={"images": {0: "batch"}, "vectors": {0: "batch"}} if dynamic else None,
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("dynamic", [True, False])
def test_onnx_equals_the_network(
    network: Small, pictures: np.ndarray, tmp_path: Path, dynamic: bool
) -> None:
    pytest.importorskip("onnxruntime", reason="the extra external is not installed")
    save_onnx(network, tmp_path / "small.onnx", dynamic=dynamic)
    model = load_external(tmp_path / "small.onnx", threads=1)
    assert (model.kind, model.name, model.size) == ("onnx", "small", (32, 16))
    assert len(model.hash) == 12
    found = model.embed(pictures)  # five of a batch of two: the last call is filled up
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted(network, pictures), atol=1e-5)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_openvino_equals_the_network(network: Small, pictures: np.ndarray, tmp_path: Path) -> None:
    openvino = pytest.importorskip("openvino", reason="the extra external is not installed")
    save_onnx(network, tmp_path / "small.onnx", dynamic=False)
    openvino.save_model(
        openvino.convert_model(str(tmp_path / "small.onnx")),
        str(tmp_path / "small.xml"),
        compress_to_fp16=False,
    )
    model = load_external(tmp_path / "small.xml", threads=1)
    assert (model.kind, model.size) == ("openvino", (32, 16))
    np.testing.assert_allclose(model.embed(pictures), wanted(network, pictures), atol=1e-5)
    (tmp_path / "small.bin").unlink()
    with pytest.raises(InputError, match=r"small\.bin beside it"):
        load_external(tmp_path / "small.xml")


@pytest.mark.parametrize("dynamic", [True, False])
def test_an_exported_program_equals_the_network(
    network: Small, pictures: np.ndarray, tmp_path: Path, dynamic: bool
) -> None:
    batch = {"images": {0: torch.export.Dim("batch", min=1, max=64)}} if dynamic else None
    program = torch.export.export(network, (torch.zeros(2, 3, 32, 16),), dynamic_shapes=batch)
    torch.export.save(program, tmp_path / "small.pt2")
    model = load_external(tmp_path / "small.pt2")
    assert (model.kind, model.size) == ("torch.export", (32, 16))
    np.testing.assert_allclose(model.embed(pictures), wanted(network, pictures), atol=1e-5)


def test_torchvision_by_name_with_weights_from_a_file(pictures: np.ndarray, tmp_path: Path) -> None:
    from torchvision.models import resnet18, squeezenet1_1

    torch.manual_seed(0)
    network = resnet18(weights=None).eval()
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    model = load_external(f"torchvision:resnet18@{tmp_path / 'weights.pth'}", size=(32, 16))
    network.fc = nn.Identity()
    found = model.embed(pictures)
    assert found.shape == (5, 512)
    np.testing.assert_allclose(found, wanted(network, pictures), atol=1e-4)
    torch.save(squeezenet1_1(weights=None).state_dict(), tmp_path / "other.pth")
    with pytest.raises(InputError, match="not resnet18's"):
        load_external(f"torchvision:resnet18@{tmp_path / 'other.pth'}")


def test_timm_by_name_with_weights_from_a_file(pictures: np.ndarray, tmp_path: Path) -> None:
    timm = pytest.importorskip("timm", reason="the extra external is not installed")
    torch.manual_seed(0)
    network = timm.create_model("mobilenetv3_small_050", pretrained=False).eval()
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    name = f"timm:mobilenetv3_small_050@{tmp_path / 'weights.pth'}"
    model = load_external(name, size=(32, 16), inputs="imagenet")
    network.reset_classifier(0)
    np.testing.assert_allclose(model.embed(pictures), wanted(network, pictures), atol=1e-4)


def test_a_callable_and_a_function_of_a_file(pictures: np.ndarray, tmp_path: Path) -> None:
    def means(values: np.ndarray) -> np.ndarray:
        return values.mean(axis=(2, 3))

    model = from_callable(means, size=(32, 16), inputs="rgb255")
    expected = pictures.astype(np.float64).mean(axis=(2, 3))
    np.testing.assert_allclose(model.embed(pictures), expected, rtol=1e-5)
    (tmp_path / "own.py").write_text("def means(values):\n    return values.mean(axis=(2, 3))\n")
    other = load_external(f"{tmp_path / 'own.py'}:means", size=(32, 16), inputs="bgr255")
    np.testing.assert_allclose(other.embed(pictures), expected[:, ::-1], rtol=1e-5)


def test_conventions_by_hand() -> None:
    picture = np.array([255, 51, 0], np.uint8).reshape(1, 3, 1, 1)
    flat = {name: inputs.prepare(picture).ravel() for name, inputs in CONVENTIONS.items()}
    np.testing.assert_allclose(flat["unit"], [1, 0.2, 0], atol=1e-6)
    np.testing.assert_allclose(flat["rgb255"], [255, 51, 0])
    np.testing.assert_allclose(flat["bgr255"], [0, 51, 255])
    np.testing.assert_allclose(flat["half"], [1, -0.6, -1], atol=1e-6)
    np.testing.assert_allclose(flat["imagenet"][0], (1 - 0.485) / 0.229, rtol=1e-6)
    own = Inputs(order="bgr", mean=(1.0, 2.0, 3.0), std=(2.0, 2.0, 2.0))
    np.testing.assert_allclose(own.prepare(picture).ravel(), [-0.5, -0.9, -1], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nowhere.onnx", "no model 'nowhere.onnx'"),
        ("torchvision:nothing", "torchvision has no model 'nothing'"),
        ("mfa.errors:nothing", "no callable 'nothing' in mfa.errors"),
        ("no_such_module_here:f", "no callable 'f'"),
    ],
)
def test_names_that_are_nothing(name: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        load_external(name)


@pytest.mark.parametrize("suffix", [".onnx", ".xml", ".pt", ".pt2", ".zip"])
def test_files_that_are_no_models_are_refused(tmp_path: Path, suffix: str) -> None:
    module = {".onnx": "onnxruntime", ".xml": "openvino"}.get(suffix, "torch")
    pytest.importorskip(module, reason="the extra external is not installed")
    (tmp_path / f"broken{suffix}").write_bytes(b"not a model")
    (tmp_path / "broken.bin").write_bytes(b"")
    with pytest.raises(InputError, match="broken"):
        load_external(tmp_path / f"broken{suffix}")


def test_pictures_that_do_not_fit_are_refused(pictures: np.ndarray) -> None:
    model = from_callable(lambda values: values.mean(axis=(2, 3)), name="means", size=(32, 16))
    with pytest.raises(InputError, match="8-bit RGB"):
        model.embed(pictures.astype(np.float32))
    with pytest.raises(InputError, match="32x16, got 16x16"):
        model.embed(pictures[:, :, :16])
    with pytest.raises(InputError, match="at least one"):
        model.embed(pictures[:0])
    with pytest.raises(InputError, match="one vector per picture"):
        from_callable(lambda values: values.mean(axis=0), size=(32, 16)).embed(pictures)
    with pytest.raises(InputError, match="no input convention"):
        from_callable(np.mean, inputs="rgb")  # type: ignore[arg-type]


def test_torchscript_and_damaged_programs_are_told_what_to_do(tmp_path: Path) -> None:
    for name in ("old.pt", "old.torchscript", "damaged.pt2"):
        (tmp_path / name).write_bytes(b"PK")
        with pytest.raises(InputError) as caught:
            load_external(tmp_path / name)
        assert "torch.export.save" in caught.value.fix
        assert "weights_only" not in str(caught.value)


def test_a_model_that_fails_on_a_size_is_told_and_a_function_shows_where(tmp_path: Path) -> None:
    pooled = nn.Sequential(nn.Conv2d(3, 2, 5), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
    free = {2: torch.export.Dim("height", min=8), 3: torch.export.Dim("width", min=8)}
    program = torch.export.export(pooled, (torch.zeros(2, 3, 9, 10),), dynamic_shapes=(free,))
    torch.export.save(program, tmp_path / "pooled.pt2")
    model = load_external(tmp_path / "pooled.pt2", size=(8, 4))
    with pytest.raises(InputError, match=r"pooled cannot compute pictures of 8x4"):
        model.embed(np.zeros((2, 3, 8, 4), np.uint8))
    with pytest.raises(IndexError):
        from_callable(lambda values: values[99], size=(8, 4)).embed(
            np.zeros((2, 3, 8, 4), np.uint8)
        )


@real
@pytest.mark.parametrize("name", ["0277", "0286", "0287", "0288"])
def test_the_public_models_take_colours_from_0_to_255_in_intels_order(name: str) -> None:
    pytest.importorskip("openvino", reason="the extra external is not installed")
    model = load_external(MODELS / f"person-reidentification-retail-{name}.xml", threads=1)
    assert model.size == (256, 128)
    assert model.inputs == CONVENTIONS["bgr255"]
    pictures = np.random.default_rng(0).integers(0, 256, (3, 3, 256, 128), dtype=np.uint8)
    together = model.embed(pictures)
    assert together.shape == (3, 256)
    alone = np.concatenate([model.embed(pictures[i : i + 1]) for i in range(3)])
    np.testing.assert_allclose(together, alone, atol=1e-4)


@real
@pytest.mark.parametrize(
    ("model", "archive", "features", "side"),
    [
        ("0277", "Market-1501-v15.09.15", "market1501_0277", "query"),
        ("0288", "Market-1501-v15.09.15", "market1501_0288", "query"),
        ("0287", "Partial-REID", "partial_reid_0287", "whole"),
    ],
)
def test_the_public_models_give_the_vectors_that_were_scored(
    model: str, archive: str, features: str, side: str, tmp_path: Path
) -> None:
    """A few pictures against vectors that reach the documented figures.

    They were made with another library's resizing, whose roundings differ; Partial-REID's larger
    pictures were shrunk there without antialiasing.
    """
    pytest.importorskip("openvino", reason="the extra external is not installed")
    kept = np.load(MODELS.parent / f"features/{features}.npz")
    chosen = np.linspace(0, len(kept[side]) - 1, 4).astype(int)
    paths = unpacked(archive, side, [str(kept[f"{side}_name"][i]) for i in chosen], tmp_path)
    external = load_external(MODELS / f"person-reidentification-retail-{model}.xml", threads=1)
    found = external.embed(np.stack([decode(path, 256, 128) for path in paths]))
    wanted = kept[side][chosen].astype(np.float32)
    cosine = (found * wanted).sum(axis=1)
    cosine /= np.linalg.norm(found, axis=1) * np.linalg.norm(wanted, axis=1)
    assert cosine.min() > (0.999 if side == "query" else 0.98)


@real
def test_a_public_model_without_scored_vectors_knows_people_again(tmp_path: Path) -> None:
    """Ten people of Market-1501 by two cameras: most are found among the ten."""
    pytest.importorskip("openvino", reason="the extra external is not installed")
    archive = "Market-1501-v15.09.15"
    with zipfile.ZipFile(MODELS.parent / f"{archive}.zip") as file:
        names = sorted(Path(n).name for n in file.namelist() if "/query/" in n and n[-3:] == "jpg")
    people: dict[str, list[str]] = {}
    for name in names:
        people.setdefault(name[:4], []).append(name)  # the query list has one a camera
    pairs = [shots[:2] for shots in people.values() if len(shots) > 1][::60][:10]
    paths = unpacked(archive, "query", [name for pair in pairs for name in pair], tmp_path)
    external = load_external(MODELS / "person-reidentification-retail-0286.xml", threads=1)
    vectors = external.embed(np.stack([decode(path, 256, 128) for path in paths]))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    nearest = (vectors[::2] @ vectors[1::2].T).argmax(axis=1)
    assert (nearest == np.arange(10)).sum() >= 8


def unpacked(archive: str, folder: str, names: list[str], place: Path) -> list[Path]:
    """Pictures of one folder of an archive of real data, in the order of ``names``."""
    paths = []
    with zipfile.ZipFile(MODELS.parent / f"{archive}.zip") as file:
        members = {Path(n).name: n for n in file.namelist() if f"/{folder}" in n}
        for name in names:
            paths.append(place / name)
            paths[-1].write_bytes(file.read(members[name]))
    return paths
