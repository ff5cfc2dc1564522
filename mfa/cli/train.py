"""``mfa train PRESET --data NAME --run NAME``: any field of the configuration can be overridden."""

from __future__ import annotations

import re
import shlex
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from mfa import presets
from mfa.cli.options import DataRoot, Threads, check_bounds, read_data, say, set_threads
from mfa.config import Config
from mfa.progress import answer, remark
from mfa.records import EpochRecord, ReidDataset

if TYPE_CHECKING:
    from mfa.training.distillation import Teacher


@dataclass(frozen=True, kw_only=True)
class Options:
    """Train a preset on a dataset; the run folder holds checkpoint, configuration and history.

    With several GPUs: torchrun --nproc-per-node N -m -- mfa.cli train PRESET ... (torchrun takes
    --run for an option of its own where the two dashes are missing).
    """

    preset: tyro.conf.Positional[str]
    """Where the configuration starts: paper, guided, anchored, baseline, cpu or demo; a compared
    method such as agw, or one at the budget of a preset such as agw-demo."""
    config: Annotated[Config, tyro.conf.arg(name="")]
    variant: presets.Variant | None = None
    """Run the preset as another variant of the network."""
    teacher: str | None = None
    """Distillation: learn the features of a teacher, with the schedule and the losses for that. A
    file of features (.npz with feature and name), or a model (.onnx, OpenVINO's .xml, which need
    the extra external, or anything that mfa.inference.external takes), whose features are computed
    once and kept in the cache."""
    labels: bool = False
    """With --teacher: keep the preset's schedule and the losses of the labels as well."""
    data: str = "synthetic"
    """Dataset to train on."""
    data_root: DataRoot = None
    run: str | None = None
    """Name of the run, a folder under runs/ (or a path); by default preset-variant-dataset."""
    resume: bool = False
    """Go on from the last finished epoch of the run."""
    init: str | None = None
    """Start from the weights of a run, a checkpoint file or mfa-tiny, as far as they fit."""
    device: str | None = None
    """cpu, cuda or cuda:NUMBER; by default the GPU where there is one, else the CPU."""
    compile: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Translate the network with torch.compile at the first step. That takes minutes and needs a
    C++ compiler, so it is for long trainings; measure whether it pays."""
    tensorboard: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Also write the figures of history.csv as events, in the folder tensorboard of the run (needs
    the extra tensorboard)."""
    threads: Threads = None
    score_on: tuple[str, ...] = ()
    """Datasets to score the run on once it is trained, by the standard protocol: others than --data
    make it a cross-dataset run. They are checked before the training begins."""
    score_root: Path | None = None
    """Folder that holds the datasets of --score-on; by default that of --data-root."""

    @property
    def folder(self) -> Path:
        """The run folder: the one asked for, else one named after preset, variant and dataset."""
        kind = "distilled" if self.teacher else self.variant or "default"
        run = Path(self.run or f"{self.preset}-{kind}-{self.data}")
        return run if run.parent != Path() else Path("runs") / run


def main(argv: list[str]) -> None:
    """Parse, train, print one line per epoch, then what to do next and the scores.

    Raises:
        InputError: anything given is wrong, or the training stopped.
    """
    options = parse(argv)
    from mfa.cli import evaluate
    from mfa.inference.evaluate import check_scorable
    from mfa.models import check_settings
    from mfa.processes import speaks
    from mfa.runs.run import open_run
    from mfa.training.fit import fit

    check_settings(options.config)
    set_threads(options.threads)
    data = read_data(options.data, options.data_root)
    root = options.score_root or options.data_root
    further = [read_data(name, root) for name in dict.fromkeys(options.score_on)]
    for other in further:
        check_scorable(options.config, other)
    records = fit(
        options.config,
        data,
        options.folder,
        resume=options.resume,
        teacher=find_teacher(options.teacher, data) if options.teacher else None,
        init=open_run(options.init, "cpu") if options.init else None,
        device=options.device,
        compile=options.compile,
        tensorboard=options.tensorboard,
    )
    _report(records, speaks())
    if not speaks():
        return
    words = ["mfa", "evaluate", str(options.folder), "--data", options.data]
    if options.data_root:
        words += ["--data-root", str(options.data_root)]
    answer(f"run {options.folder}; score it with: {shlex.join(words)}")
    for other in further:
        answer(*evaluate.kept_score(open_run(options.folder, options.device), other))


def find_teacher(source: str, data: ReidDataset) -> Teacher:
    """The teacher in a feature file, or the one that a model makes, computed at the first call.

    Processes that want the same features wait for the first one to write them.
    """
    from filelock import FileLock

    from mfa.training.distillation import compute_teacher, read_teacher

    path = Path(source)
    if path.suffix == ".npz":
        return read_teacher(path)
    from mfa.datasets.loading.cache import cache_folder
    from mfa.inference.external import load_external
    from mfa.inference.external.plausible import doubt_inputs

    model, cache = load_external(source), cache_folder(data.root)
    # A callable has no hash; its own name has to do.
    name = "-".join(["teacher", re.sub(r"\W+", "-", model.name), *filter(None, [model.hash])])
    kept = cache or Path(tempfile.gettempdir()) / "mfa"
    file = kept / f"{name}-{data.fingerprint[:12]}.npz"
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(file.with_suffix(".lock")):
        if not file.is_file():
            say(f"computing the teacher's features once, into {file}")
            if doubt := doubt_inputs(model, data.train, data.train):
                say(doubt)
            compute_teacher(model, data, file, cache=cache)
    return read_teacher(file)


def parse(argv: list[str]) -> Options:
    """The options. Fields of the configuration override what preset, variant and teacher choose.

    The line is parsed once to learn these, and again with their configuration as the default.
    """

    def parse_over(default: Options) -> Options:
        return tyro.cli(Options, prog="mfa train", args=argv, default=default)

    guess = next((word for word in argv if word in presets.PRESETS), "cpu")
    first = parse_over(Options(preset=guess, config=presets.get(guess)))
    config = presets.get(first.preset)
    if first.variant is not None:
        config = presets.variant(config, first.variant)
    if first.teacher and not first.labels:
        config = presets.distilled(config)
    options = parse_over(Options(preset=first.preset, config=config, variant=first.variant))
    check_bounds(Options, vars(options))
    return options


def _report(records: Iterable[EpochRecord], speaks: bool) -> None:
    """Train by drawing the records; print each as a line."""
    for record in records:
        if not speaks:
            continue
        losses = "  ".join(f"{k} {v:.3f}" for k, v in record.losses.items() if "/" not in k)
        answer(
            f"epoch {record.epoch}: {losses}  norm {record.feature_norm:.2f}  "
            f"{record.images_per_second:.0f} img/s  {record.seconds:.0f} s"
        )
        for warning in record.warnings:
            remark(f"warning: {warning}")
