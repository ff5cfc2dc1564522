"""The weights of another project as a network of ours, with a list of what did not fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mfa.config import ModelConfig
from mfa.errors import InputError
from mfa.models import ReidNetwork, build_model
from mfa.models.weight_conversion.sources import SOURCES, Source

PREFIXES = frozenset(
    {"module", "_orig_mod", "model", "net", "network", "backbone", "encoder", "ema", "student"}
)
"""Parts that wrappers put before a name: DataParallel, torch.compile, Lightning, averaging."""

UNSTATED_STRIDE = (
    "a ResNet's file does not state its stride; it is read as one of stride 32, the project's "
    "default"
)


@dataclass(frozen=True)
class Imported:
    """A network with weights from elsewhere.

    Attributes:
        config: of the network.
        network: filled, in eval mode.
        identities: classes of its classifiers; 0 where the file has none that fit.
        loaded: names of our tensors that were filled.
        left_out: name in the file to why it was not used.
        missing: our tensors the file had nothing for; they stay random.
        notes: in which points its vectors differ from those of the project it comes from.
        cameras: numbers of the cameras whose embeddings it holds (SIE); empty without.
    """

    config: ModelConfig
    network: ReidNetwork
    identities: int
    loaded: tuple[str, ...]
    left_out: Mapping[str, str]
    missing: tuple[str, ...]
    notes: tuple[str, ...]
    cameras: tuple[int, ...]


Found = dict[str, tuple[str, Tensor]]
"""By our name theirs and the tensor."""


def convert(
    state: Mapping[str, Tensor],
    source: str,
    identities: int | None = None,
    cameras: Sequence[int] = (),
    *,
    stride: int | None = None,
) -> Imported:
    """The network ``state`` belongs to, filled with it.

    Args:
        state: tensors by their names there; prefixes that wrappers add are taken off.
        source: a key of ``SOURCES``.
        identities: classes wanted; by default as many as the file's classifier has. Of another
            number the classifier stays out, since its rows are people it was trained on.
        cameras: sorted numbers of the cameras it was trained on, whose embeddings a file with SIE
            holds in that order; without them the network takes the mean for every picture.
        stride: input pixels per pixel of the trunk map, which a ResNet's file does not state; by
            default what the project uses by default.
    """
    if identities is not None and identities < 0:
        raise InputError(f"a classifier has 0 classes (none) or more, not {identities}")
    if source not in SOURCES:
        raise InputError(f"no source {source!r}; there are {', '.join(SOURCES)}")
    try:
        config, found, left_out = _reading(state, source)
    except InputError as error:
        fits = [name for name in SOURCES if name != source and _fits(state, name)]
        raise InputError(
            f"this is no {source} file that can be read: {error}",
            f"it reads as one of {' or '.join(fits)} (--from {fits[0]})" if fits else "",
        ) from error
    notes = SOURCES[source].notes
    if stride is not None:
        config = replace(config, stride=stride)  # type: ignore[arg-type]
    elif config.stride == 32:
        notes = (UNSTATED_STRIDE, *notes)
    cameras = _cameras(found, tuple(cameras))
    classes = _classes(found) if identities is None else identities
    network = build_model(config, classes, cameras=cameras, pretrained=False).eval()
    own = network.state_dict()
    fitting: dict[str, Tensor] = {}
    for name, (origin, value) in found.items():
        if name not in own:
            unwanted = not classes and "classif" in name
            why = ", which was asked for without classifiers" if unwanted else ""
            left_out[origin] = f"no such tensor in the network{why}"
        elif own[name].numel() != value.numel():
            left_out[origin] = _of_another_shape(name, value, own[name])
        else:
            fitting[name] = value.reshape(own[name].shape)
    network.load_state_dict(fitting, strict=False)
    missing = [k for k in own if k not in fitting and not k.endswith("num_batches_tracked")]
    loaded = tuple(fitting)
    return Imported(config, network, classes, loaded, left_out, tuple(missing), notes, cameras)


def _fits(state: Mapping[str, Tensor], source: str) -> bool:
    try:
        _reading(state, source)
    except InputError:
        return False
    return True


def _reading(state: Mapping[str, Tensor], name: str) -> tuple[ModelConfig, Found, dict[str, str]]:
    """The file as one of ``name``, with the first prefix off the names that makes it one.

    Returns:
        The configuration, the tensors, and those left out with the reason.
    """
    source = SOURCES[name]
    refusal: InputError | None = None
    for prefix, inner in _without_prefixes(state):
        try:
            config = source.network(inner)
        except InputError as error:
            refusal = refusal or error
            continue
        found, left_out = _renamed(inner, source)
        with torch.device("meta"):
            own = build_model(config, _classes(found), pretrained=False).state_dict()
        sizes = {ours: value.numel() for ours, (_, value) in found.items()}
        fitting = sum(sizes.get(k) == v.numel() for k, v in own.items())
        if 2 * fitting >= len(own):
            outside = (k for k in state if not k.startswith(prefix))
            return config, found, left_out | dict.fromkeys(outside, "outside the network")
        refusal = refusal or InputError(
            f"only {fitting} of the {len(own)} tensors of {config.network} are in this file; "
            f"is it of {name}?"
        )
    raise refusal or InputError("it holds no tensors")


def _without_prefixes(state: Mapping[str, Tensor]) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """The tensors as they are, then under each prefix of ``PREFIXES``, without it."""
    yield "", dict(state)
    prefixes: set[str] = set()
    for name in state:
        prefix = ""
        for part in name.split(".")[:-1][:3]:
            if part not in PREFIXES:
                break
            prefix += f"{part}."
            prefixes.add(prefix)
    for prefix in sorted(prefixes, key=len):
        yield prefix, {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}


def _renamed(state: Mapping[str, Tensor], source: Source) -> tuple[Found, dict[str, str]]:
    """The tensors, and those that have no place with the reason."""
    found: Found = {}
    left_out: dict[str, str] = {}
    for name, value in source.adapt(state).items():
        counts = name.endswith("num_batches_tracked")
        ours = "(counts batches; not needed)" if counts else source.rename(name)
        if ours.startswith("("):
            left_out[name] = ours.strip("()")
        else:
            found[ours] = (name, value)
    return found, left_out


def _classes(found: Found) -> int:
    heads = (value for name, (_, value) in found.items() if name.endswith("classifier.weight"))
    return len(next(heads, ()))


def _cameras(found: Found, given: tuple[int, ...]) -> tuple[int, ...]:
    """Numbers of the cameras a file has embeddings for; counted from 0 where none are given."""
    count = len(found["sie.embedding"][1]) if "sie.embedding" in found else 0
    if given and count and len(given) != count:
        raise InputError(
            f"the file has embeddings of {count} cameras, but it is said to be trained on "
            f"{len(given)} ({', '.join(map(str, given))}); name the dataset it was trained on"
        )
    return given if given and count else tuple(range(count))


def _of_another_shape(name: str, value: Tensor, own: Tensor) -> str:
    shapes = f"{tuple(value.shape)} there, {tuple(own.shape)} here"
    if "classifier" in name and len(value) != len(own):
        return (
            f"a classifier of {len(value)} people, not {len(own)} ({shapes}): its rows are the "
            "people it was trained on, so it is left out and learned anew; descriptors need none"
        )
    return f"another shape: {shapes}"
