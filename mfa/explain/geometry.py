"""Where the pixels of a map lie in the picture.

Pixel i of a map sees a field of the picture that is centred at ``start + jump * i``, in pixels of
the network's input. Each layer moves the centre: a convolution or a pooling with kernel k, stride
s, padding p at the upper or left side and dilation d gives ``start + jump * (d (k - 1) / 2 - p)``
and ``jump * s`` (Dumoulin and Visin 2016, arXiv 1603.07285; Araujo et al. 2019, Distill). Spreading
a map evenly over the picture, as is common, is right for patches alone: for a ResNet it lies half a
map pixel too far right and down.

The layers are read off one forward pass, operation by operation, so every network is covered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from mfa.explain.capture import BRANCH, exact_heads, layer_maps, network_input, undisturbed
from mfa.models import ReidNetwork


@dataclass(frozen=True)
class Axis:
    """Centres of the pixels of a map along one side of the picture, in shares of that side.

    Attributes:
        first: centre of pixel 0.
        step: distance between the centres of neighbours.
        count: pixels of the map.
    """

    first: float
    step: float
    count: int

    def centres(self) -> np.ndarray:
        """(count,) shares of the side."""
        return self.first + self.step * np.arange(self.count)

    def weights(self, size: int) -> np.ndarray:
        """(size, count) linear interpolation between centres, constant outside the outer ones."""
        distance = np.abs(self._places(size)[:, None] - np.arange(self.count))
        found: np.ndarray = np.maximum(1 - distance, 0, dtype=np.float32)
        return found

    def cells(self, size: int) -> np.ndarray:
        """(size, count) 1 for the map pixel whose centre is nearest."""
        found: np.ndarray = np.eye(self.count)[np.floor(self._places(size) + 0.5).astype(int)]
        return found

    def _places(self, size: int) -> np.ndarray:
        """The pixels of the side, counted in pixels of the map."""
        places = ((np.arange(size) + 0.5) / size - self.first) / self.step
        return np.clip(places, 0, self.count - 1)

    def nearest(self, share: float) -> int:
        """The pixel whose centre is nearest to a place."""
        return int(np.clip(round((share - self.first) / self.step), 0, self.count - 1))

    def edge(self, share: float) -> float:
        """Where a border between rows of the map lies; ``share`` counts rows, from 0 to 1."""
        if share in (0, 1):
            return share
        return float(np.clip(self.first + self.step * (share * self.count - 0.5), 0, 1))


@dataclass(frozen=True)
class MapGrid:
    """Where the pixels of a map lie in its picture.

    Attributes:
        rows: from top to bottom.
        columns: from left to right.
    """

    rows: Axis
    columns: Axis

    @classmethod
    def even(cls, height: int, width: int) -> MapGrid:
        """Pixels that share the picture evenly, as pytorch-grad-cam and others draw maps."""
        return cls(*(Axis(0.5 / count, 1 / count, count) for count in (height, width)))

    @classmethod
    def mean(cls, grids: Sequence[MapGrid]) -> MapGrid:
        """For a sum of maps: the mean of the centres of maps with equally many pixels."""
        return cls(_mean([grid.rows for grid in grids]), _mean([grid.columns for grid in grids]))

    def enlarge(self, maps: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Maps (..., h, w) at picture size (..., H, W): bilinear between the true centres."""
        rows, columns = self.rows.weights(size[0]), self.columns.weights(size[1])
        fine: np.ndarray = rows @ maps.astype(np.float32, copy=False) @ columns.T
        return fine

    def pool(self, areas: Tensor) -> Tensor:
        """Means (..., h, w) of areas (..., H, W), each over the places nearest to a map pixel.

        The sum of a map times the result shares the map out to the areas, and keeps its sum.
        """
        rows, columns = (
            torch.as_tensor(axis.cells(size)).to(areas)
            for axis, size in zip((self.rows, self.columns), areas.shape[-2:], strict=True)
        )
        return (rows / rows.sum(dim=0)).T @ areas @ (columns / columns.sum(dim=0))

    def pixel(self, point: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
        """The map pixel nearest to a (row, column) of a picture of that size."""
        row, column = ((place + 0.5) / side for place, side in zip(point, size, strict=True))
        return self.rows.nearest(row), self.columns.nearest(column)

    def point(self, pixel: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
        """The (row, column) of a picture of that size at the centre of a map pixel."""
        axes = (self.rows, self.columns)
        row, column = (
            int(np.clip((axis.first + axis.step * place) * side, 0, side - 1))
            for axis, place, side in zip(axes, pixel, size, strict=True)
        )
        return row, column

    def box(self, stripe: tuple[float, float]) -> tuple[float, float]:
        """(top, bottom) in shares of the picture, of a stripe in shares of the map's rows."""
        return self.rows.edge(stripe[0]), self.rows.edge(stripe[1])


def _mean(axes: Sequence[Axis]) -> Axis:
    first, step = np.mean([axis.first for axis in axes]), np.mean([axis.step for axis in axes])
    return Axis(float(first), float(step), axes[0].count)


def map_grids(
    network: ReidNetwork, size: tuple[int, int], layer: str = BRANCH
) -> dict[str, MapGrid]:
    """The grid of each branch's map at ``layer``, for input pictures of ``size``.

    Kept as long as the network lives. A map whose way from the picture cannot be followed is
    taken to share the picture evenly.
    """
    known = _KNOWN.setdefault(network, {})
    if (layer, size) not in known:
        known[layer, size] = _trace(network, size, layer)
    return known[layer, size]


_KNOWN: WeakKeyDictionary[ReidNetwork, dict[Any, dict[str, MapGrid]]] = WeakKeyDictionary()


def _trace(network: ReidNetwork, size: tuple[int, int], layer: str) -> dict[str, MapGrid]:
    with undisturbed(network):
        heads = exact_heads(network)
        given = network_input(network, torch.zeros(1, 3, *size))
        with _Followed() as followed:
            followed.put(given.images, (_Side(), _Side()))
            maps = layer_maps(network, given, heads, layer)
        return {name: followed.grid(found, size) for name, found in maps.items()}


@dataclass(frozen=True)
class _Side:
    """Centre of pixel 0 and distance of neighbours, in pixels of the input, along one side."""

    start: float = 0.0
    jump: float = 1.0

    def moved(self, shift: float, stride: float = 1.0) -> _Side:
        return _Side(self.start + self.jump * shift, self.jump * stride)


_Sides = tuple[_Side, _Side]


class _Followed(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows the centres of fields through every operation inside the ``with`` block."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._sides: dict[int, tuple[Tensor, _Sides]] = {}

    def put(self, tensor: Tensor, sides: _Sides) -> None:
        # The tensor is kept as well, lest another take its id.
        self._sides[id(tensor)] = tensor, sides

    def grid(self, tensor: Tensor, size: tuple[int, int]) -> MapGrid:
        height, width = tensor.shape[-2:]
        if id(tensor) not in self._sides:
            return MapGrid.even(height, width)
        _, sides = self._sides[id(tensor)]
        return MapGrid(
            *(
                Axis((side.start + 0.5) / whole, side.jump / whole, count)
                for side, whole, count in zip(sides, size, (height, width), strict=True)
            )
        )

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        found = func(*args, **(kwargs or {}))
        outputs = [each for each in tree_leaves(found) if isinstance(each, Tensor)]
        source = self._source(args, outputs)
        if source is not None:
            _, sides = self._sides[id(source)]
            rule = _RULES.get(func.overloadpacket)
            for output in outputs:
                rows, columns = rule(sides, source, output, *args[1:]) if rule else sides
                self.put(output, (rows, columns))
        return found

    def _source(self, args: tuple[Any, ...], outputs: list[Tensor]) -> Tensor | None:
        """The argument whose place the outputs have: as large as they are, else the first."""
        known = [each for each in tree_leaves(args) if id(each) in self._sides]
        shape = outputs[0].shape[-2:] if outputs else ()
        alike = [each for each in known if each.shape[-2:] == shape]
        return next(iter([*alike, *known]), None)


def _each(value: int | Sequence[int]) -> Sequence[int]:
    values = [value] if isinstance(value, int) else list(value)
    return values * 2 if len(values) == 1 else values


def _convolved(
    sides: _Sides, source: Tensor, output: Tensor, weight: Tensor, bias: Any,
    stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int], *rest: Any,
) -> Iterable[_Side]:  # fmt: skip
    flat = weight.ndim == 4
    return _windows(sides, weight.shape[2:], stride, padding, dilation) if flat else sides


def _pooled(
    sides: _Sides, source: Tensor, output: Tensor, kernel: Sequence[int],
    stride: Sequence[int] = (), padding: Sequence[int] = (0,), *rest: Any,
) -> Iterable[_Side]:  # fmt: skip
    return _windows(sides, kernel, stride or kernel, padding, (1,))


def _windows(sides: _Sides, *settings: Sequence[int]) -> Iterator[_Side]:
    """Sides behind a window of a kernel, stride, padding and dilation."""
    for side, k, s, p, d in zip(sides, *map(_each, settings), strict=True):
        yield side.moved(d * (k - 1) / 2 - p, s)


def _padded(
    sides: _Sides, source: Tensor, output: Tensor, pad: Sequence[int], *rest: Any
) -> Iterator[_Side]:
    left, top = pad[0], pad[2] if len(pad) > 2 else 0
    yield from (side.moved(-before) for side, before in zip(sides, (top, left), strict=True))


def _resized(sides: _Sides, source: Tensor, output: Tensor, *rest: Any) -> Iterator[_Side]:
    for i, side in enumerate(sides):
        ratio = source.shape[2 + i] / output.shape[2 + i]
        yield side.moved((ratio - 1) / 2, ratio)


def _sliced(
    sides: _Sides, source: Tensor, output: Tensor, dim: int = 0, start: int | None = None,
    end: int | None = None, step: int = 1,
) -> Iterator[_Side]:  # fmt: skip
    for i, side in enumerate(sides):
        if source.ndim == 4 and dim % 4 == 2 + i:
            first = start or 0
            yield side.moved(first + source.shape[dim] if first < 0 else first, step)
        else:
            yield side


_ATEN = torch.ops.aten
_RULES: Mapping[Any, Callable[..., Iterable[_Side]]] = {
    _ATEN.convolution: _convolved,
    _ATEN.max_pool2d_with_indices: _pooled,
    _ATEN.avg_pool2d: _pooled,
    _ATEN.constant_pad_nd: _padded,
    _ATEN.reflection_pad2d: _padded,
    _ATEN.replication_pad2d: _padded,
    _ATEN._adaptive_avg_pool2d: _resized,
    _ATEN.adaptive_max_pool2d: _resized,
    _ATEN.upsample_nearest2d: _resized,
    _ATEN.upsample_bilinear2d: _resized,
    _ATEN.slice: _sliced,
}
"""How an operation moves centres; all others keep them."""
