"""What a word on the command line names: a run, a file of features, an external model."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mfa.cli.options import Computing, say
from mfa.errors import InputError

if TYPE_CHECKING:
    from mfa.records import Features, ReidDataset
    from mfa.retrieval.results import RetrievalResult

KEPT = Path("runs/external")
"""Where vectors of external models are kept, named by model and data."""

OWN = re.compile(r"(?P<rest>.+),(?P<name>size|inputs|name)=(?P<value>[^,]*)$")
"""The last of the settings behind a model."""

SIZE = re.compile(r"(\d+)x(\d+)")


@dataclass(frozen=True)
class ExternalSettings:
    """Settings of external models that do not say their own: MODEL,size=...,inputs=..."""

    inputs: Literal["imagenet", "unit", "rgb255", "bgr255", "half"] | None = None
    """What external models expect in place of 8-bit RGB; by default imagenet, and bgr255 for
    Intel's person-reidentification-retail. One alone: MODEL,inputs=bgr255."""
    size: tuple[int, int] | None = None
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
    """Name and result of a run, a feature file or a model, on ``data``; says what to doubt.

    Args:
        word: a run (folder, name under ``runs/``, released weights), a feature file, or an external
            model with its own settings behind it.
        data: the dataset; feature files bring their own.
        external: settings of external models that do not say theirs.
        scoring: how.

    Raises:
        InputError: it is nothing of these, or its settings do not suit it.
    """
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
    if own and (is_run(model) or model.endswith(SUFFIXES)):
        raise InputError(
            f"{model} knows its own input; {', '.join(own)} behind a name is for external models"
        )
    if model.endswith(SUFFIXES):
        from mfa.retrieval import feature_file

        return Path(model).stem, feature_file.read(model)
    if data is None:
        raise InputError("say which dataset to score on: --data NAME")
    if is_run(model):
        from mfa.inference.evaluate import extract_features

        run = scoring.computing.open(model)
        return run.name, extract_features(run, data, flip=scoring.flip, progress=True)
    if ":" not in model and not Path(model).exists():
        raise InputError(
            f"no run and no model {model!r}; give the folder of a run, its name under runs/, the "
            "file of a model, torchvision:NAME, timm:NAME, or module:function"
        )
    from mfa.inference.external import load_external
    from mfa.inference.external.scoring import extract

    loaded = load_external(
        model,
        size=own.get("size", external.size),
        inputs=own.get("inputs", external.inputs),
    )
    features = extract(loaded, data, flip=scoring.flip, keep=KEPT, progress=True)
    return own.get("name", loaded.name), features


def settings(word: str) -> tuple[str, dict[str, Any]]:
    """A model and the settings behind it: ``theirs.onnx,size=384x128,inputs=half,name=theirs``.

    Raises:
        InputError: a setting twice, or a size that is none.
    """
    own: dict[str, Any] = {}
    while found := OWN.fullmatch(word):
        name, value = found["name"], found["value"]
        if name in own:
            raise InputError(f"{name}= stands twice behind {word}")
        own[name] = _size(value) if name == "size" else value
        word = found["rest"]
    return word, own


def _size(text: str) -> tuple[int, int]:
    found = SIZE.fullmatch(text)
    if found is None or not all(int(side) for side in found.groups()):
        raise InputError(f"size= is height x width in pixels, such as 256x128, got {text!r}")
    return int(found[1]), int(found[2])


def is_run(word: str) -> bool:
    """Whether ``open_run`` is to open it: a folder, a file of a run, or released weights."""
    from mfa.models.weights import RELEASED

    path = Path(word)
    return (
        path.is_dir()
        or (Path("runs") / path).is_dir()
        or path.suffix == ".safetensors"
        or word in RELEASED
    )


def free(name: str, taken: Container[str]) -> str:
    """A name no other word has: runs of two folders may be called alike."""
    number, found = 2, name
    while found in taken:
        found, number = f"{name} ({number})", number + 1
    return found
