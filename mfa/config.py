"""Every setting of a run, with its reason; frozen, so derive with ``dataclasses.replace``.

A configuration is plain data, which every checkpoint keeps (``mfa.runs.stored_config``). [paper]
and [reconstructed] say where a default comes from; "ours" marks what the paper does not have.
"""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mfa.errors import InputError

T = typing.TypeVar("T")

Trunk = Literal[
    "resnet10",
    "resnet18",
    "resnet34",
    "resnet50",
    "osnet_lct",
    "efficientnet_lite0",
    "mobilenet_v2",
    "osnet",
    "vit_b16",
    "vit_depth10",
    "vit_depth8",
    "vit_depth4",
]
Gate = Literal["none", "guided", "anchored", "competing"]
Pooling = Literal["gem", "gap"]


def _check_range(
    name: str,
    value: float,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    above: float = -math.inf,
    below: float = math.inf,
) -> None:
    """Refuse a number outside the bounds, and one that is not finite."""
    whole = isinstance(value, int)  # of any length, which ``isfinite`` would not take
    if (whole or math.isfinite(value)) and low <= value <= high and above < value < below:
        return
    most = high if isinstance(high, int) else f"{high:g}"
    bounds = (f"{low:g} or more", f"above {above:g}", f"at most {most}", f"below {below:g}")
    words = [bound for bound in bounds if "inf" not in bound]
    raise InputError(f"{name} must be a number {' and '.join(words)}, got {value}")


@dataclass(frozen=True)
class ModelConfig:
    """The network: trunk, CPAA, branches."""

    network: str = "mfa"
    """mfa, or a compared method by the name of its file in mfa/models/peers, such as agw. A field
    that the network does not read must keep the value that says nothing, else it is refused."""
    trunk: Trunk = "resnet50"
    """[paper] ResNet-50; resnet10 (one basic block per stage; ours) suits two cores. osnet_lct is
    that of the public model which teaches mfa-tiny; efficientnet_lite0 is timm's and mobilenet_v2
    torchvision's (all three ours). osnet and the vision transformers are the trunks of the methods
    named after them: vit_b16 has 12 blocks, the shallower ones (ours) as many as they say."""
    width: int = 64
    """Channels of the stem; torchvision's own is 64. Half of it is a quarter of the work."""
    stride: Literal[8, 12, 16, 32] = 16
    """Input pixels per pixel of the trunk map. 16 is [paper]; 8 gives small inputs a finer map; 12
    is for the overlapping patches of transreid and aaformer alone, 32 for ResNets that halve their
    last map too, as torchvision's does."""
    weights: str = "none"
    """Where the trunk starts: none, imagenet (torchvision's or timm's), mfa-tiny, or a path."""
    ibn: bool = False
    """IBN-a (Pan et al. 2018) in layers 1 to 3 of a ResNet: half of each block's first channels
    are normalised by picture."""
    authors_code: bool = False
    """Follow the authors' code where it departs from their paper, so that their weights give their
    features: no ReLU behind the first normalisation (bagtricks, agw), parts of equal length dealt
    from the fifth patch (transreid)."""
    sie: bool = False
    """Learn an embedding of each training camera (SIE; transreid alone): descriptors are then of
    picture and camera. Cameras not trained on get the mean of the learned ones (ours)."""
    cpaa: tuple[int, ...] = (2, 3, 4)
    """Layers followed by CPAA attention [paper]; empty for none."""
    cpaa_affinity: Literal["inverted", "plain"] = "inverted"
    """Channel softmax of (row maximum - S) or of S itself [reconstructed: inverted]."""
    branches: int = 4
    """Local branches [paper: 4]; 0 is the baseline: one global branch on the trunk map."""
    branch: Literal["bottleneck", "reduce"] = "bottleneck"
    """Residual bottleneck at full width [reconstructed], or 1x1 to ``reduced_dim`` channels."""
    reduced_dim: int = 256
    """Channels of a ``reduce`` branch."""
    projected_dim: int = 0
    """Numbers of a branch's embedding behind the linear map that ``mfa project`` fits (ours); 0 for
    no such map."""
    gate: Gate = "none"
    """Spatial gate of a branch: none (the paper states none), guided (learned, no position built
    in; ours), anchored (starts as a bump over its stripe; ours) or competing (anchored gates that
    share each pixel out between the branches; ours)."""
    pooling: Pooling = "gem"
    """Pooling of a branch map [paper: GeM]."""
    guide_pooling: Pooling = "gap"
    """Pooling of a stripe into the guide: gap [paper]; gem uses the branch's own p (ours)."""

    def __post_init__(self) -> None:
        if not set(self.cpaa) <= {1, 2, 3, 4} or len(set(self.cpaa)) < len(self.cpaa):
            raise InputError(f"model.cpaa names layers 1 to 4, each once, got {self.cpaa}")
        if self.width < 8 or self.width % 8:
            raise InputError(f"model.width must be a positive multiple of 8, got {self.width}")
        _check_range("model.width", self.width, high=4096)
        _check_range("model.branches", self.branches, low=0, high=64)
        _check_range("model.reduced_dim", self.reduced_dim, low=1, high=8192)
        _check_range("model.projected_dim", self.projected_dim, low=0, high=8192)


@dataclass(frozen=True)
class LossConfig:
    """total = mean over branches of (ID + triplet + center_weight * center) + gla_weight * GLA."""

    label_smoothing: float = 0.1
    """[reconstructed], the usual value."""
    id_weight: float = 1.0
    triplet_weight: float = 1.0
    triplet: Literal["hard", "weighted", "quadruplet", "circle", "multi_similarity"] = "hard"
    """How pictures are compared in pairs: batch-hard with a soft margin [reconstructed] or a peer's
    loss (weighted: AGW); its value is recorded as ``triplet``."""
    center_weight: float = 5e-4
    """[reconstructed], BagTricks' value."""
    center_rate: float = 0.5
    """Share of the way a center moves to its class mean at each step [reconstructed]."""
    gla: Literal["mse", "cosine", "off"] = "mse"
    """How a branch vector is compared with its guide; mse [reconstructed]."""
    gla_weight: float = 1.0
    """[reconstructed]; with literal guides 10 makes the features collapse, see docs."""
    gla_detach: bool = True
    """Stop the gradient at the guide [reconstructed]."""
    warmup: float = 0.0
    """Share of the training over which the GLA and center weights rise from 0 (ours: 1/3)."""

    def __post_init__(self) -> None:
        for name in ("id_weight", "triplet_weight", "center_weight", "gla_weight"):
            _check_range(f"loss.{name}", getattr(self, name), low=0)
        _check_range("loss.warmup, a share of the training,", self.warmup, low=0, high=1)
        _check_range("loss.label_smoothing", self.label_smoothing, low=0, below=1)
        _check_range("loss.center_rate, a share of the way,", self.center_rate, above=0, high=1)


@dataclass(frozen=True)
class DataConfig:
    """What a batch looks like; the augmentation is [reconstructed: BagTricks]."""

    height: int = 256
    """Height of the input in pixels [paper]."""
    width: int = 128
    """Width of the input in pixels [reconstructed]."""
    pids: int = 16
    """Identities in a batch (P) [paper: batch 64 = 16 x 4]."""
    images: int = 4
    """Pictures of each identity in a batch (K)."""
    sampling: Literal["pk", "shuffled"] = "pk"
    """pk: P identities x K pictures, which triplets need; shuffled: P * K pictures of anybody, for
    distillation, which learns more from many people in a batch (docs/distillation.md)."""
    flip: float = 0.5
    """Chance of a horizontal flip."""
    pad: int = 10
    """Pixels padded on each side before a random crop back to size."""
    erasing: float = 0.5
    """Chance of random erasing (Zhong et al. 2020)."""
    cut: float = 0.0
    """Chance that a picture is cut to its upper, lower, left or right part and enlarged to the full
    size again (ours). A teacher's feature remains that of the whole picture."""
    covering: float = 0.0
    """Chance that a rectangle of another picture of the batch covers a part of a picture (ours)."""
    jitter: float = 0.0
    """Greatest change of brightness, contrast and saturation, as a share of each; 0 for none."""
    workers: int = 0
    """Loader processes; 0 decodes in the training process, enough once pictures are cached."""
    cache: bool = True
    """Keep decoded pictures in one memory-mapped file, so that later epochs do not decode."""

    def __post_init__(self) -> None:
        if self.pids < 2 or self.images < 2:
            raise InputError(
                f"a batch needs at least 2 identities x 2 pictures for triplets, got "
                f"{self.pids} x {self.images}"
            )
        for name in ("pids", "images"):
            _check_range(f"data.{name}", getattr(self, name), high=10_000)
        for name in ("height", "width"):
            _check_range(f"data.{name}, in pixels,", getattr(self, name), low=32, high=4096)
        for name in ("flip", "erasing", "cut", "covering"):
            _check_range(f"data.{name}, a chance,", getattr(self, name), low=0, high=1)
        _check_range("data.jitter, a share,", self.jitter, low=0, high=1)
        _check_range("data.pad, in pixels,", self.pad, low=0, high=4096)
        _check_range("data.workers", self.workers, low=0, high=1024)


@dataclass(frozen=True)
class OptimConfig:
    """Optimiser and schedule; what has no mark is [reconstructed: BagTricks]."""

    optimizer: Literal["adam", "adamw"] = "adam"
    """[paper] Adam."""
    lr: float = 3.5e-4
    """Peak learning rate [reconstructed: BagTricks]."""
    weight_decay: float = 5e-4
    trunk_rate: float = 1.0
    """Learning rate of the trunk as a share of ``lr``, for trunks that start from learned weights.
    The CPAA modules in it learn at the full rate (ours)."""
    frozen: tuple[str, ...] = ()
    """Beginnings of the names of parameters that do not learn, such as trunk.layer1 (ours)."""
    epochs: int = 120
    warmup_epochs: float = 10
    """Epochs of linear warm-up from 0.01 x lr."""
    schedule: Literal["step", "cosine"] = "step"
    milestones: tuple[int, ...] = (40, 70)
    """Epochs after which the step schedule multiplies the rate by 0.1."""
    amp: bool = True
    """Mixed precision where there is a GPU."""
    gpu_bfloat16: bool = False
    """Mixed precision on the GPU in bfloat16 instead of float16. It has float32's range, so that no
    loss is scaled and no step skipped. For cards that compute in it (NVIDIA's from Ampere on)."""
    cpu_bfloat16: bool = False
    """Mixed precision on the CPU: half the time where it has instructions for bfloat16 (lscpu names
    avx512_bf16 or amx_bf16), several times as long where it has none."""

    def __post_init__(self) -> None:
        if self.gpu_bfloat16 and not self.amp:
            raise InputError(
                "optim.gpu_bfloat16 chooses the number format of mixed precision, which optim.amp "
                "switches off",
                "leave one of them out",
            )
        _check_range("optim.lr", self.lr, low=0, high=1000)
        _check_range("optim.trunk_rate", self.trunk_rate, low=0)
        _check_range("optim.weight_decay", self.weight_decay, low=0)
        _check_range("optim.epochs", self.epochs, low=1, high=100_000)
        _check_range("optim.warmup_epochs", self.warmup_epochs, low=0)
        for milestone in self.milestones:
            _check_range("optim.milestones", milestone, high=100_000)
        if list(self.milestones) != sorted({m for m in self.milestones if m >= 1}):
            raise InputError(
                f"optim.milestones are epochs from 1 in rising order, got {self.milestones}"
            )


@dataclass(frozen=True)
class DistillConfig:
    """A teacher's features as targets, next to the labels or instead of them (ours).

    Takes effect where training is given a teacher, see ``mfa.training.distillation``.
    """

    feature_weight: float = 1.0
    """Of 1 - cosine between the projected descriptor and the teacher's feature."""
    similarity_weight: float = 1.0
    """Of the squared difference between the batch's two matrices of cosines."""
    by_branch: bool = False
    """Teach each branch by itself instead of the whole descriptor."""

    def __post_init__(self) -> None:
        for name in ("feature_weight", "similarity_weight"):
            _check_range(f"distill.{name}", getattr(self, name), low=0)


@dataclass(frozen=True)
class Config:
    """A whole run; see ``mfa.presets`` for complete ones."""

    name: str = "paper"
    """What to call this configuration in tables: the preset, and the variant where chosen."""
    seed: int = 0
    model: ModelConfig = field(default_factory=ModelConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    data: DataConfig = field(default_factory=DataConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    distill: DistillConfig = field(default_factory=DistillConfig)

    def __post_init__(self) -> None:
        _check_range("seed", self.seed, low=0, high=2**32 - 1)


def to_dict(config: Any) -> dict[str, Any]:
    """The configuration as JSON-able dictionaries (tuples become lists)."""

    def plain(items: list[tuple[str, Any]]) -> dict[str, Any]:
        return {name: list(value) if isinstance(value, tuple) else value for name, value in items}

    return dataclasses.asdict(config, dict_factory=plain)


def from_dict(cls: type[T], values: Any, *, where: str = "config") -> T:
    """Build ``cls`` from ``to_dict`` output."""
    if not isinstance(values, dict):
        raise InputError(f"{where} must be a table of fields, got {values!r}")
    hints = typing.get_type_hints(cls)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise InputError(f"{where} has no field {unknown[0]!r}; it has {', '.join(hints)}")
    built = {name: _convert(hints[name], v, f"{where}.{name}") for name, v in values.items()}
    missing = [name for name in hints if name not in values]
    if missing:
        raise InputError(f"{where} has no value for {', '.join(missing)}")
    return cls(**built)


def derive(config: Config, changes: Mapping[str, object]) -> Config:
    """A copy with fields changed by their dotted names, ``{"model.branches": 2, "seed": 1}``."""
    values = to_dict(config)
    for name, value in changes.items():
        *sections, field_name = name.split(".")
        place: Any = values
        for section in sections:
            place = place.get(section) if isinstance(place, dict) else None
        if not isinstance(place, dict) or field_name not in place:
            raise InputError(f"the configuration has no field {name!r}")
        place[field_name] = value
    return from_dict(Config, values)


def _convert(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return from_dict(typing.cast(type, hint), value, where=where)
    origin = typing.get_origin(hint)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise InputError(f"{where} must be a list, got {value!r}")
        kind = typing.get_args(hint)[0]
        return tuple(_convert(kind, item, f"{where}[{i}]") for i, item in enumerate(value))
    if origin is Literal:
        choices = typing.get_args(hint)
        # By type as well: 16.0 and True equal 16 and 1, and would go into the checkpoint as such.
        if not any(type(value) is type(choice) and value == choice for choice in choices):
            raise InputError(f"{where} is one of {choices}, got {value!r}")
        return value
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise InputError(f"{where} must be {hint.__name__}, got {value!r}")
    return value
