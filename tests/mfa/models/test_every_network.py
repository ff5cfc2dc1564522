"""What holds for every network: randomness, precision, resuming, devices."""

from __future__ import annotations

import itertools
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch._subclasses import FakeTensor, FakeTensorMode

from mfa.config import Config, DistillConfig, LossConfig, derive
from mfa.errors import InputError
from mfa.explain import branch_maps
from mfa.explain.inputs import ImagesWithCameras
from mfa.explain.ledger import decompose, has_ledger, means
from mfa.losses import Criterion
from mfa.losses.distillation import Distillation
from mfa.models import ReidNetwork, build_model
from mfa.records import ReidDataset, Sample
from mfa.runs.checkpoint import CHECKPOINT, Checkpoint, load_checkpoint
from mfa.runs.history import HISTORY
from mfa.runs.run import Run, open_run
from mfa.training.fit import fit

PEOPLE = 3
CAMERAS = (1, 2)
LABELS = [0, 0, 1, 1, 2, 2]


def build(config: Config) -> ReidNetwork:
    torch.manual_seed(0)
    cameras = CAMERAS if config.model.sie else ()
    return build_model(config.model, PEOPLE, cameras=cameras)


def images(config: Config, device: str = "cpu") -> Tensor:
    generator = torch.Generator().manual_seed(1)
    size = (len(LABELS), 3, config.data.height, config.data.width)
    return torch.rand(size, generator=generator).to(device)


def loss_of(network: ReidNetwork, criterion: Criterion, pictures: Tensor) -> Tensor:
    """The loss of one training step, its centers moved."""
    labels = torch.tensor(LABELS, device=pictures.device)
    output = network.train()(pictures, torch.tensor(CAMERAS * 3, device=pictures.device))
    loss, _ = criterion(output, labels)
    loss = loss + sum(network.extra_losses(output, labels).values())
    criterion.update(output, labels)
    return loss


def disturb(seed: int) -> None:
    """Put every global random state somewhere else."""
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 the global state is what is tested
    random.seed(seed)


def step(config: Config, seed: int) -> tuple[Tensor, dict[str, Tensor]]:
    """Loss and gradients of the second step, both under another global random state."""
    network = build(config)
    criterion = Criterion(config.loss, PEOPLE, network.widths)
    for number in range(2):
        disturb(seed + number)
        network.zero_grad()
        loss = loss_of(network, criterion, images(config))
        loss.backward()
    gradients = {n: p.grad for n, p in network.named_parameters() if p.grad is not None}
    return loss, gradients


def test_no_network_draws_from_the_global_random_state(any_config: Config) -> None:
    loss, gradients = step(any_config, seed=1)
    other_loss, other = step(any_config, seed=2)
    assert torch.equal(loss, other_loss)
    assert list(gradients) == list(other)
    assert all(torch.equal(gradients[name], other[name]) for name in gradients)


@pytest.mark.parametrize("triplet", get_args(get_type_hints(LossConfig)["triplet"]))
@pytest.mark.parametrize("gla", get_args(get_type_hints(LossConfig)["gla"]))
def test_no_loss_draws_from_the_global_random_state(
    triplet: Any, gla: Any, tiny_config: Config
) -> None:
    config = replace(tiny_config, loss=LossConfig(triplet=triplet, gla=gla))
    assert torch.equal(step(config, seed=1)[0], step(config, seed=2)[0])


def test_distillation_draws_nothing(tiny_config: Config) -> None:
    network = build(tiny_config)
    output, targets = network(images(tiny_config)), torch.eye(len(LABELS))
    distillation = Distillation(DistillConfig(), network.widths, targets.shape[1])
    before = torch.get_rng_state()
    distillation(output, targets)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.slow
def test_a_resumed_run_equals_an_undisturbed_one_whatever_it_started_from(
    any_config: Config,
    tiny_data: ReidDataset,
    tiny_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ticks = itertools.count()  # a clock that ticks once per look, so that histories can be equal
    monkeypatch.setattr("mfa.training.trainer.clock", lambda device: float(next(ticks)))
    few = replace(tiny_data, train=tiny_data.train[:12:2])  # one batch, two pictures a person
    config = derive(any_config, {"optim.epochs": 2})

    def train(config: Config, name: str, init: Run | None = None) -> Checkpoint:
        """Train with a copy of the folder after the first epoch; go on from the copy as well."""
        whole, cut = tmp_path / name, tmp_path / f"{name}-cut"
        fixed: dict[str, Any] = {"init": init, "device": "cpu", "progress": False}
        for record in fit(config, few, whole, **fixed):
            assert np.isfinite(list(record.losses.values())).all()
            if record.epoch == 1:
                shutil.copytree(whole, cut)
        list(fit(config, few, cut, resume=True, **fixed))
        assert (whole / HISTORY).read_bytes() == (cut / HISTORY).read_bytes(), name
        made, resumed = (load_checkpoint(folder / CHECKPOINT) for folder in (whole, cut))
        assert made.equals(resumed), name
        return made

    train(derive(config, {"optim.cpu_bfloat16": True}), "random")
    own = tmp_path / "random"
    pretrained = derive(config, {"model.weights": str(own)})
    if config.model.trunk.startswith("resnet"):
        pretrained = derive(config, {"model.weights": str(tiny_run)})
    elif config.model.trunk == "osnet":  # which reads no weights
        with pytest.raises(InputError, match=r"does not read model\.weights"):
            next(fit(pretrained, few, device="cpu", progress=False))
        pretrained = config
    facts = train(pretrained, "taught", open_run(own, "cpu")).facts
    assert facts["init"].startswith("random (")
    assert ("sha256" in facts["weights"]) == (pretrained is not config)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeTensorMode]:
    """Tensors without values on a GPU that is not there; mixing it with the CPU is an error.

    What reads a value gets one that is made up. Gradients are made up too: autograd asks the
    driver, and its operations are on the devices of those that were run forward.
    """

    def gradients(outputs: Any, inputs: Any, *_: Any, **__: Any) -> tuple[Tensor, ...]:
        return tuple(map(torch.empty_like, [inputs] if isinstance(inputs, Tensor) else inputs))

    def labels(trunk: Tensor, labels: Tensor, parts: int) -> Tensor:
        assert trunk.device == labels.device
        return torch.zeros(trunk[:, 0].shape, dtype=torch.int64, device=trunk.device)

    def values(self: FakeTensor) -> np.ndarray:
        assert self.device.type == "cpu"
        return np.zeros(tuple(self.shape), np.float32)

    monkeypatch.setattr(torch.autograd, "grad", gradients)
    monkeypatch.setattr(nn.Module, "_apply", lambda self, convert: converted(self, convert))
    monkeypatch.setattr(FakeTensor, "__bool__", lambda self: True, raising=False)
    monkeypatch.setattr(FakeTensor, "__float__", lambda self: 0.0, raising=False)
    monkeypatch.setattr(FakeTensor, "numpy", values, raising=False)
    monkeypatch.setattr(FakeTensor, "__deepcopy__", lambda s, memo: s.clone(), raising=False)
    for network in ("daaf_bot_like", "gasm_like", "isp_like"):
        # Clusters are as many as the values say; the marked test has them on a real device.
        monkeypatch.setattr(f"mfa.models.peers.{network}.part_labels", labels)
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        yield mode


def converted(module: nn.Module, convert: Callable[[Tensor], Tensor]) -> nn.Module:
    """As ``Module._apply``, which cannot replace fake tensors: all that the module registered."""
    for part in module.modules():
        for name, value in part._parameters.items():
            if value is not None:
                part._parameters[name] = nn.Parameter(convert(value.detach()))
        for name, buffer in part._buffers.items():
            if buffer is not None:
                part._buffers[name] = convert(buffer)
    return module


@pytest.mark.slow
def test_nothing_stays_on_the_cpu(any_config: Config, fake: FakeTensorMode) -> None:
    with torch._subclasses.fake_tensor.unset_fake_temporarily():
        network = build(any_config)
        criterion = Criterion(any_config.loss, PEOPLE, network.widths)
        pixels = images(any_config)
    for module in (network, criterion):
        converted(module, lambda value: fake.from_tensor(value).to("cuda"))
    pictures = fake.from_tensor(pixels).to("cuda")
    assert loss_of(network, criterion, pictures).device.type == "cuda"
    network.eval()
    given = ImagesWithCameras(fake.from_tensor(pixels), torch.tensor(CAMERAS * 3))
    for layer in ("branch", "trunk", network.layers[0]):
        maps = branch_maps(network, given, target="similarity", toward=given, layer=layer)
        assert set(maps) == {*network.widths, "fused"}
    features = embed(network, any_config, pixels)
    assert features.shape == (len(LABELS), sum(network.widths.values()))
    if has_ledger(network):
        assert decompose(network, given).descriptor.device.type == "cuda"
        means(network, given)


def embed(network: ReidNetwork, config: Config, pixels: Tensor) -> np.ndarray:
    """What a run of ``network`` extracts from images that are in no file."""
    cameras = CAMERAS if config.model.sie else ()
    facts = {"cameras": list(cameras), "fingerprint": "made"}
    checkpoint = Checkpoint(config, 0, PEOPLE, {}, facts)
    run = Run(None, checkpoint, next(network.parameters()).device)
    vars(run)["model"] = network
    data = SimpleNamespace(fingerprint="made")
    return run.embed(Pixels(pixels), data)  # type: ignore[arg-type]


class Pixels:
    """Loaded images without files."""

    def __init__(self, pixels: Tensor) -> None:
        self.pixels = pixels
        self.samples = [Sample(Path(f"{i}.png"), 0, c) for i, c in enumerate(CAMERAS * 3)]

    def __len__(self) -> int:
        return len(self.pixels)

    def batch(self, indices: range) -> Tensor:
        return (self.pixels[indices.start : indices.stop] * 255).byte()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_everything_on_a_real_gpu(any_config: Config, tiny_data: ReidDataset) -> None:
    config = replace(any_config, optim=replace(any_config.optim, epochs=1))
    (record,) = fit(config, tiny_data, device="cuda", progress=False)
    assert np.isfinite(list(record.losses.values())).all()
    network = build(config).cuda().eval()
    given = ImagesWithCameras(images(config), torch.tensor(CAMERAS * 3))
    maps = branch_maps(network, given, target="similarity", toward=given)
    wanted = branch_maps(network.cpu(), given, target="similarity", toward=given)
    for name in maps:
        np.testing.assert_allclose(maps[name], wanted[name], rtol=1e-2, atol=1e-4)
    network.cuda()
    if has_ledger(network):
        assert decompose(network, given).descriptor.is_cuda
    assert np.isfinite(embed(network, config, images(config))).all()
