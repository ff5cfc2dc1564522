"""Every network side by side: size, work, rate at batch 1 and 64, memory, published figures."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

import mfa
from benchmarks.timing import finish, seconds_each
from mfa import presets
from mfa.config import Config
from mfa.models import build_model
from mfa.models.complexity import complexity
from mfa.models.peers import faithful, find, names
from mfa.runs.device import choose_device

MFA = ("baseline", "paper", "guided", "anchored")
"""Our own networks in the table, by preset."""

LARGE = 64
PUBLISHED = Path(mfa.__file__).resolve().parents[1] / "data/published/complexity.csv"


def all_names() -> tuple[str, ...]:
    """Presets of MFA and of the compared methods that are built as their papers have them."""
    return (*MFA, *faithful())


def chosen(named: Sequence[str] | None = None) -> tuple[str, ...]:
    """The presets that some names mean.

    Args:
        named: presets (``agw``, ``anchored``, ``mgn-demo``), or ``mfa`` for all of ``MFA``; by
            default ``all_names``.

    Raises:
        InputError: no such preset.
    """
    if named is None:
        return all_names()
    meant = [preset for name in named for preset in (MFA if name == "mfa" else (name,))]
    for preset in meant:
        presets.get(preset)  # before anything is timed
    return tuple(dict.fromkeys(meant))


def compared(
    repeats: int,
    height: int,
    width: int,
    *,
    large: int = LARGE,
    networks: Sequence[str] | None = None,
) -> dict[str, dict[str, Any]]:
    """One row per network, all at the same input size, random weights, eval mode, float32.

    Args:
        repeats: timed passes of one picture, after an untimed one; a batch is timed half as often.
        height: of a picture.
        width: of a picture.
        large: pictures in the large batch.
        networks: presets; by default all.

    Returns:
        By preset: ``parameters_m`` and ``parameters_train_m`` (with classifiers of Market-1501's
        751 people) in millions, ``gmacs`` of one picture, ``descriptor``, ``images_per_second_1``
        and ``images_per_second_64`` (of the large batch), ``memory_mib`` (weights and the most
        that tensors held at once, for one picture) and ``memory_mib_64``, ``published`` (a dict of
        what the literature states; empty where it states nothing).
    """
    device = choose_device()
    rows = {}
    for name in all_names() if networks is None else networks:
        config = presets.get(name)
        data = replace(config.data, height=height, width=width)
        config = replace(config, data=data, model=replace(config.model, weights="none"))
        rows[name] = _row(name, config, device, repeats, large)
    return rows


def _row(
    name: str, config: Config, device: torch.device, repeats: int, large: int
) -> dict[str, Any]:
    size = complexity(config)
    network = build_model(config.model, pretrained=False).eval()
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    shape = (config.data.height, config.data.width)
    image = torch.rand(1, 3, *shape, device=device)
    return {
        "parameters_m": round(size.parameters / 1e6, 3),
        "parameters_train_m": round(size.parameters_train / 1e6, 3),
        "gmacs": round(size.macs / 1e9, 3),
        "descriptor": size.descriptor_dim,
        "images_per_second_1": _rate(network, 1, shape, device, repeats),
        f"images_per_second_{large}": _rate(network, large, shape, device, max(1, repeats // 2)),
        "memory_mib": round(memory_bytes(network, image, 1) / 2**20, 1),
        f"memory_mib_{large}": round(memory_bytes(network, image, large) / 2**20, 1),
        "published": published(name),
    }


def _rate(
    network: nn.Module, batch: int, shape: tuple[int, int], device: torch.device, repeats: int
) -> float:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(batch, 3, *shape, generator=generator).to(device)
    images = images.contiguous(memory_format=torch.channels_last)

    @torch.inference_mode()
    def forward() -> None:
        network(images)
        finish(device)

    seconds = median(seconds_each({"forward": forward}, repeats)["forward"])
    return float(f"{batch / seconds:.4g}")


class Live(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the memory of the tensors that operations make, as long as each lives.

    Attributes:
        most: bytes held at once at the worst moment.
    """

    def __init__(self, held: Sequence[Tensor]) -> None:
        """Count from nothing; views of what is ``held`` already are no new memory."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.most = 0
        self._seen = {tensor.untyped_storage()._cdata for tensor in held}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation and count what it made."""
        made = func(*args, **(kwargs or {}))
        for value in made if isinstance(made, tuple | list) else (made,):
            if isinstance(value, Tensor):
                self._count(value)
        return made

    def _count(self, value: Tensor) -> None:
        storage = value.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key in self._seen:
            return
        self._seen.add(key)
        self.now += size
        self.most = max(self.most, self.now)

        def gone() -> None:
            self._seen.discard(key)
            self.now -= size

        weakref.finalize(storage, gone)


def memory_bytes(network: nn.Module, image: Tensor, batch: int) -> int:
    """Weights, and ``batch`` times the most that tensors hold at once for one image."""
    weights = sum(t.nbytes for t in (*network.parameters(), *network.buffers()))
    return weights + batch * peak_bytes(network, image)


@torch.no_grad()
def peak_bytes(network: nn.Module, images: Tensor) -> int:
    """Most bytes that the tensors of one forward pass held at once, weights not counted."""
    with Live([*network.parameters(), *network.buffers(), images]) as live:
        network(images)
    return live.most


def published(name: str, path: Path = PUBLISHED) -> dict[str, Any]:
    """What the literature states of a network's size and speed, each with its source."""
    stated: dict[str, Any] = {}
    if name in names():
        peer = find(name)
        if peer.parameters_m is not None:
            stated = {
                "parameters_m": peer.parameters_m,
                "source": peer.source,
                "counted": peer.counted,
            }
    if path.is_file():
        table = pd.read_csv(path)
        called = "MFA" if name == "paper" else name
        rows = table[table["method"].str.lower().str.replace("-", "_") == called.lower()]
        for row in rows.dropna(subset="parameters_m").to_dict("records"):
            stated = {str(k): v for k, v in row.items() if k not in ("method", "kind")}
    return stated
