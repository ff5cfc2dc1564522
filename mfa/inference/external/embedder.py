"""What an external model is here: a name, an input size, and pictures to vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from mfa.errors import InputError, reason
from mfa.files import parse_json

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
BATCH = 32
"""Pictures handed to a model at once; more gains nothing on a CPU."""

FACTS = "mfa"
"""Under what key a file of ``mfa.export`` says what it is, as JSON."""

Convention = Literal["imagenet", "unit", "rgb255", "bgr255", "half"]


@dataclass(frozen=True)
class Inputs:
    """What a model expects in place of 8-bit RGB.

    The picture is divided by ``255 / scale``, turned into the channel order, then ``mean`` is taken
    off and ``std`` divided by, in that order of channels.
    """

    order: Literal["rgb", "bgr"] = "rgb"
    scale: float = 1.0
    """Value of a white pixel: 1 or 255."""
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @property
    def words(self) -> str:
        """The convention's name, or its numbers."""
        for name, inputs in CONVENTIONS.items():
            if inputs == self:
                return name
        mean, std = ("/".join(f"{value:g}" for value in values) for values in (self.mean, self.std))
        return f"{self.order}, white {self.scale:g}, mean {mean}, deviation {std}"

    def prepare(self, pictures: np.ndarray) -> np.ndarray:
        """(B, 3, H, W) uint8 RGB to the float32 the model expects."""
        ordered = pictures[:, ::-1] if self.order == "bgr" else pictures
        values = ordered.astype(np.float32) * np.float32(self.scale / 255)
        mean, std = (np.array(v, np.float32)[:, None, None] for v in (self.mean, self.std))
        return np.ascontiguousarray((values - mean) / std)


CONVENTIONS: Mapping[Convention, Inputs] = {
    "imagenet": Inputs(mean=IMAGENET_MEAN, std=IMAGENET_STD),
    "unit": Inputs(),
    "rgb255": Inputs(scale=255.0),
    "bgr255": Inputs(order="bgr", scale=255.0),
    "half": Inputs(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
}
"""By name: torchvision's; [0, 1] as it is; 0 to 255; Intel's and Caffe's; TransReID's and CLIP's
cousins with one half everywhere."""


def read_facts(text: str) -> dict[str, Any]:
    """What a file of ``mfa.export`` says of itself; empty where the text is none of that."""
    try:
        facts = parse_json(text)
        widths = facts.get("branches", {})
        return facts if all(isinstance(width, int) for width in widths.values()) else {}
    except (ValueError, AttributeError):
        return {}


@dataclass(frozen=True)
class Opened:
    """A model file as its runtime opens it.

    Attributes:
        size: (height, width), where the file fixes it.
        compute: as in ``External``.
        facts: what a file of ``mfa.export`` says of itself; empty for others.
        whole_numbers: the model takes 8-bit pictures, so that no range can be wrong.
    """

    size: tuple[int, int] | None
    compute: Callable[[np.ndarray], np.ndarray]
    facts: Mapping[str, Any]
    whole_numbers: bool

    @classmethod
    def of(
        cls,
        run: Callable[[np.ndarray], np.ndarray],
        sides: Sequence[int | None],
        facts: str,
        whole_numbers: bool,
    ) -> Opened:
        """Of a function for pictures of ``sides`` (batch, height, width), ``None`` for any size.

        A fixed batch is fed that many pictures at a time, the last ones repeated.
        """
        batch, height, width = sides

        def compute(values: np.ndarray) -> np.ndarray:
            fed = values.astype(np.uint8) if whole_numbers else values
            count = batch or len(fed)
            rows = []
            for start in range(0, len(fed), count):
                part = fed[start : start + count]
                rows.append(run(np.resize(part, (count, *part.shape[1:])))[: len(part)])
            return np.concatenate(rows)

        size = (height, width) if height and width else None
        return cls(size, compute, read_facts(facts), whole_numbers)


@dataclass(frozen=True, eq=False)
class External:
    """An embedder.

    Attributes:
        name: what tables call it.
        kind: ``onnx``, ``openvino``, ``torch.export``, ``torchvision``, ``timm``, ``callable``
            or ``run``.
        size: (height, width) of its pictures.
        inputs: what it expects in place of 8-bit RGB.
        hash: of its file or its weights, 12 hex digits; empty where neither can be had.
        compute: prepared pictures (B, 3, H, W) float32 to vectors (B, D).
        states_inputs: ``inputs`` are what its own file states.
        facts: what a file of ``mfa.export`` says of itself; empty for others.
    """

    name: str
    kind: str
    size: tuple[int, int]
    inputs: Inputs
    hash: str
    compute: Callable[[np.ndarray], np.ndarray]
    states_inputs: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def branches(self) -> tuple[tuple[str, int], ...]:
        """(name, width) of the branches side by side in a vector; empty where it has no parts."""
        return tuple(self.facts.get("branches", {}).items())

    def embed(self, pictures: np.ndarray) -> np.ndarray:
        """Vectors (B, D) float32, not normalised, of 8-bit RGB pictures (B, 3, height, width)."""
        if pictures.dtype != np.uint8 or pictures.ndim != 4 or pictures.shape[1] != 3:
            raise InputError(
                f"{self.name} embeds 8-bit RGB pictures (B, 3, height, width), got "
                f"{pictures.dtype} {pictures.shape}"
            )
        if pictures.shape[2:] != self.size:
            raise InputError(
                f"{self.name} takes pictures of {self.size[0]}x{self.size[1]}, got "
                f"{pictures.shape[2]}x{pictures.shape[3]}; load them at that size"
            )
        if not len(pictures):
            raise InputError("no pictures were given; give at least one")
        starts = range(0, len(pictures), BATCH)
        return np.concatenate([self._vectors(pictures[i : i + BATCH]) for i in starts])

    def _vectors(self, pictures: np.ndarray) -> np.ndarray:
        try:
            computed = self.compute(self.inputs.prepare(pictures))
        except InputError:
            raise
        except Exception as error:  # every runtime has kinds of its own
            if self.kind == "callable":  # its author wants to see where it failed
                raise
            raise InputError(
                f"{self.name} cannot compute pictures of {self.size[0]}x{self.size[1]} "
                f"({reason(error)}); was it made for another size?"
            ) from error
        found = np.asarray(computed, dtype=np.float32)
        if found.ndim < 2 or len(found) != len(pictures):
            raise InputError(
                f"{self.name} gave {found.shape} for {len(pictures)} pictures; an embedder gives "
                "one vector per picture"
            )
        return found.reshape(len(found), -1)
