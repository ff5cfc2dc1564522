"""What a word on the command line names: a run, a file of features, an external model."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from mfa.cli.options import Computing, Pixels, say
from mfa.errors import InputError, printable

if TYPE_CHECKING:
    from mfa.inference.external import External
    from mfa.records import Features, ReidDataset
    from mfa.retrieval.results import RetrievalResult

KEPT = Path("runs/external")
"""Where vectors of external models are kept, named by model and data."""

OWN = re.compile(r"(?P<rest>.+),(?P<name>size|inputs|name)=(?P<value>[^,]*)$")
"""The last of the settings behind a model."""


@dataclass(frozen=True)
class ExternalSettings:
    """Settings of external models that do not say their own: MODEL,size=...,inputs=..."""

    inputs: Literal["imagenet", "unit", "rgb255", "bgr255", "half"] | None = None
    """What external models expect in place of 8-bit RGB; by default imagenet, and bgr255 for
    Intel's person-reidentification-retail. One alone: MODEL,inputs=bgr255."""
    size: Annotated[tuple[int, int] | None, Pixels] = None
    """Height and width of their pictures, where they take any; by default 256 128. One alone:
    MODEL,size=384x128."""


@dataclass(frozen=True)
class Scoring:
    """How models are scored."""

    flip: bool = False
    camera_filter: bool = True
    computing: Computing = field(default_factory=Computing)


def scored(
    word: str, data: ReidDataset | None, external: ExternalSettings, scoring: Scoring
) -> tuple[str, RetrievalResult]:
    """Name and result of a run, a feature file or a model, on ``data``; says what to doubt."""
    from mfa.retrieval.metrics import score

    name, features = described(word, data, external, scoring)
    result = score(features, camera_filter=scoring.camera_filter)
    for sentence in result.card["doubts"]:
        say(f"{name}: {sentence}")
    return name, result


def described(
    word: str, data: ReidDataset | None, external: ExternalSettings, scoring: Scoring
) -> tuple[str, Features]:
    """Name and features of a run, a feature file or a model; arguments and errors of ``scored``."""
    from mfa.retrieval.feature_file import SUFFIXES

    model, own = settings(word)
    if model.endswith(SUFFIXES):
        _take_none(model, own)
        from mfa.retrieval import feature_file

        return printable(Path(model).stem), feature_file.read(model)
    if data is None:
        raise InputError("say which dataset to score on: --data NAME")
    if is_run(model):
        _take_none(model, own)
        from mfa.inference.evaluate import extract_features

        run = scoring.computing.open(model)
        return run.name, extract_features(run, data, flip=scoring.flip, progress=True)
    from mfa.inference.external.scoring import extract

    loaded = _loaded(model, own, external)
    features = extract(loaded, data, flip=scoring.flip, keep=KEPT, progress=True)
    return own.get("name", loaded.name), features


def embedder(word: str, external: ExternalSettings, computing: Computing) -> External:
    """A run or an external model, as what embeds pictures."""
    from mfa.inference.external import from_run

    model, own = settings(word)
    if is_run(model):
        _take_none(model, own)
        return from_run(computing.open(model))
    loaded = _loaded(model, own, external)
    return replace(loaded, name=own.get("name", loaded.name))


def _loaded(model: str, own: Mapping[str, Any], external: ExternalSettings) -> External:
    if ":" not in model and not Path(model).exists():
        raise InputError(
            f"no run and no model {model!r}; give the folder of a run, its name under runs/, the "
            "file of a model, torchvision:NAME, timm:NAME, or module:function"
        )
    from mfa.inference.external import load_external

    return load_external(
        model, size=own.get("size", external.size), inputs=own.get("inputs", external.inputs)
    )


def _take_none(model: str, own: Mapping[str, Any]) -> None:
    if own:
        raise InputError(
            f"{model} knows its own input; {', '.join(own)} behind a name is for external models"
        )


def settings(word: str) -> tuple[str, dict[str, Any]]:
    """A model and the settings behind it: ``theirs.onnx,size=384x128,inputs=half,name=theirs``."""
    own: dict[str, Any] = {}
    while found := OWN.fullmatch(word):
        name, value = found["name"], found["value"]
        if name in own:
            raise InputError(f"{name}= stands twice behind {word}")
        own[name] = _size(value) if name == "size" else value
        word = found["rest"]
    return word, own


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,9})x(\d{1,9})", text)
    sides = (int(found[1]), int(found[2])) if found else (0, 0)
    if not all(Pixels.low <= side <= Pixels.high for side in sides):
        raise InputError(
            f"size= is height x width, 1 to {Pixels.high} pixels each, such as 256x128, got "
            f"{text!r}"
        )
    return sides


def is_run(word: str) -> bool:
    """Whether ``open_run`` is to open it: a folder, a file of a run, or released weights."""
    from mfa.models.weights import RELEASED

    folders = Path(word), Path("runs") / word
    known = word in RELEASED or word.endswith(".safetensors")
    return known or any(folder.is_dir() for folder in folders)


def free(name: str, taken: Container[str]) -> str:
    """A name no other word has: runs of two folders may be called alike."""
    number, found = 2, name
    while found in taken:
        found, number = f"{name} ({number})", number + 1
    return found
