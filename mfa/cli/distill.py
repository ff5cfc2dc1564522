"""``mfa distill --teacher FILE|MODEL --student PRESET``: learn another model's features."""

from __future__ import annotations

import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from mfa import presets
from mfa.cli import training
from mfa.config import Config
from mfa.errors import InputError

if TYPE_CHECKING:
    from mfa.records import ReidDataset
    from mfa.training.teacher import Teacher


@dataclass(frozen=True, kw_only=True)
class Options(training.Options):
    """Train a student on a teacher's features; the run folder is that of any training."""

    config: Annotated[Config, tyro.conf.arg(name="")]
    teacher: str = ""
    """A file of features (.npz with feature and name), or a model (.onnx, OpenVINO's .xml, which
    need pip install .[external], or anything mfa.inference.external takes) whose features are computed once
    and kept beside the dataset."""
    student: str = "cpu"
    """Preset of the student: paper, guided, anchored, baseline, cpu or demo."""
    variant: presets.Variant | None = None
    """Train the preset as another variant of the network."""
    labels: bool = False
    """Keep the preset's schedule and the losses of the labels, beside the teacher's."""


def main(argv: list[str]) -> None:
    """Parse, find the teacher's features, train, print one line an epoch.

    Raises:
        InputError: no teacher, or one that does not suit the data.
    """
    options = parse(argv)
    if not options.teacher:
        raise InputError("say what to learn from: --teacher FEATURES.npz, MODEL.onnx or MODEL.xml")
    data, further = training.prepare(options, options.config)
    from mfa.runs.run import open_run
    from mfa.training.fit import fit

    folder = options.folder(f"{options.student}-distilled-{options.data}")
    records = fit(
        options.config,
        data,
        folder,
        resume=options.resume,
        teacher=find_teacher(options.teacher, data),
        init=open_run(options.init) if options.init else None,
        device=options.device,
    )
    training.report(records, folder, options, further)


def find_teacher(source: str, data: ReidDataset) -> Teacher:
    """The teacher in a feature file, or the one a model makes, computed at the first call.

    Raises:
        InputError: neither can be read.
    """
    from mfa.training.teacher import compute_teacher, read_teacher

    path = Path(source)
    if path.suffix == ".npz":
        return read_teacher(path)
    from mfa.datasets.loading.cache import cache_folder
    from mfa.inference.external import load_external

    model, cache = load_external(source), cache_folder(data.root)
    # A callable has no hash; its own name has to do.
    name = "-".join(["teacher", re.sub(r"\W+", "-", model.name), *filter(None, [model.hash])])
    kept = cache or Path(tempfile.gettempdir()) / "mfa"
    file = kept / f"{name}-{data.fingerprint[:12]}.npz"
    if not file.is_file():
        print(f"computing the teacher's features once, into {file}", file=sys.stderr)
        compute_teacher(model, data, file, cache=cache)
    return read_teacher(file)


def parse(argv: list[str]) -> Options:
    """The options; those of the configuration override student, variant and labels.

    Raises:
        InputError: no such preset.
    """
    default = _parse_over(argv, Options(config=presets.cpu()))
    config = presets.get(default.student)
    if default.variant is not None:
        config = presets.variant(config, default.variant)
    if not default.labels:
        config = presets.distilled(config)
    return _parse_over(argv, Options(config=config))


def _parse_over(argv: list[str], default: Options) -> Options:
    return tyro.cli(Options, prog="mfa distill", args=argv, default=default)
