"""``mfa compare RUN RUN ... --data NAME``: runs and models side by side on one dataset."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from mfa.errors import InputError

if TYPE_CHECKING:
    from mfa.compare import Overview
    from mfa.records import ReidDataset
    from mfa.results import RetrievalResult

KEPT = Path("runs/external")
"""Where vectors of models from elsewhere are kept, named by model and data."""


@dataclass(frozen=True)
class Options:
    """Score runs and models on the same queries: one table, paired tests, flipped queries.

    Two results are tested only where their protocol cards agree; else the difference is named.
    """

    subjects: tyro.conf.Positional[tuple[str, ...]]
    """Runs (folders, names under runs/, released weights such as mfa-tiny), feature files (.npz),
    and models from elsewhere: .onnx, .xml, .pt, .pt2, torchvision:NAME, timm:NAME, module:function.
    The first is the reference."""
    data: str | None = None
    """Dataset to score on; feature files bring their own."""
    data_root: Path | None = None
    """Folder the datasets lie in; by default MFA_DATA, else data."""
    flip: bool = False
    """Mean the vectors of each picture and its mirror image."""
    no_camera: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Apply no camera filter."""
    inputs: Literal["imagenet", "unit", "rgb255", "bgr255", "half"] | None = None
    """What models from elsewhere expect in place of 8-bit RGB; by default imagenet, and bgr255 for
    Intel's person-reidentification-retail."""
    size: tuple[int, int] | None = None
    """Height and width of their pictures, where they take any; by default 256 128."""
    output: Path | None = None
    """Also write the table as CSV, and beside it the pairs (NAME-pairs.csv) and the queries whose
    Rank-1 turned (NAME-flipped.csv)."""
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Print one JSON object, figures in percent."""


def main(argv: list[str]) -> None:
    """Score each, compare, print.

    Raises:
        InputError: nothing to compare, a subject that is nothing, or no dataset for it.
    """
    options = tyro.cli(Options, prog="mfa compare", args=argv)
    if not options.subjects:
        raise InputError("name runs or models: mfa compare RUN RUN --data NAME")
    data = _data(options)
    results: dict[str, RetrievalResult] = {}
    for subject in options.subjects:
        name, result = _scored(subject, data, options)
        results[_free(name, results)] = result
    from mfa.compare import overview

    found = overview(results)
    if options.output:
        _keep(found, options.output)
    cards = {name: result.card for name, result in results.items()}
    if options.json:
        print(json.dumps(_facts(found, cards)))
        return
    print("\n".join(_lines(found, cards)))


def _data(options: Options) -> ReidDataset | None:
    if options.data is None:
        if all(subject.endswith(".npz") for subject in options.subjects):
            return None
        raise InputError("say which dataset to score on: --data NAME")
    from mfa.datasets import data_root, load_dataset

    data = load_dataset(options.data, data_root(options.data_root))
    for note in data.notes:
        print(note, file=sys.stderr)
    return data


def _scored(
    subject: str, data: ReidDataset | None, options: Options
) -> tuple[str, RetrievalResult]:
    """Name and result of a run, a feature file or a model."""
    filtered = not options.no_camera
    if subject.endswith(".npz"):
        from mfa import featurefile, metrics

        return Path(subject).stem, metrics.score(featurefile.read(subject), camera_filter=filtered)
    assert data is not None
    from mfa.runs import open_run

    if is_run(subject):
        from mfa.evaluation import evaluate

        run = open_run(subject)
        return run.name, evaluate(
            run, data, flip=options.flip, camera_filter=filtered, progress=True
        )
    if ":" not in subject and not Path(subject).exists():
        raise InputError(
            f"no run and no model {subject!r}; give the folder of a run, its name under runs/, the "
            "file of a model, torchvision:NAME, timm:NAME, or module:function"
        )
    from mfa.external import load_external
    from mfa.external.scoring import evaluate as evaluate_external

    model = load_external(subject, size=options.size, inputs=options.inputs)
    result = evaluate_external(
        model, data, flip=options.flip, camera_filter=filtered, keep=KEPT, progress=True
    )
    return model.name, result


def is_run(subject: str) -> bool:
    """Whether ``open_run`` is to open it: a folder, a file of a run, or released weights."""
    from mfa.models.weights import RELEASED

    path = Path(subject)
    return (
        path.is_dir()
        or (Path("runs") / path).is_dir()
        or path.suffix == ".safetensors"
        or subject in RELEASED
    )


def _free(name: str, taken: dict[str, Any]) -> str:
    """A name no other row has: runs of two folders may be called alike."""
    number, free = 2, name
    while free in taken:
        free, number = f"{name} ({number})", number + 1
    return free


def _facts(found: Overview, cards: dict[str, Any]) -> dict[str, Any]:
    return {
        "models": found.table.to_dict("records"),
        "pairs": found.pairs.to_dict("records"),
        "not_comparable": [
            {"first": first, "second": second, "why": why}
            for (first, second), why in found.refused.items()
        ],
        "not_stated": list(found.unknown),
        "cards": cards,
    }


def _keep(found: Overview, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    found.table.to_csv(path, index=False)
    found.pairs.to_csv(path.with_name(f"{path.stem}-pairs.csv"), index=False)
    found.flipped.to_csv(path.with_name(f"{path.stem}-flipped.csv"), index=False)


def _lines(found: Overview, cards: dict[str, Any]) -> list[str]:
    shown = found.table.copy()
    for figure in ("mAP", "rank1"):
        ends = shown.pop(f"{figure}_low"), shown.pop(f"{figure}_high")
        words = [f"{low:.1f}-{high:.1f}" for low, high in zip(*ends, strict=True)]
        shown.insert(list(shown).index(figure) + 1, f"{figure} 95 %", words)
    lines = [shown.to_string(index=False)]
    for row in found.pairs.to_dict("records"):
        lines.append(
            f"{row['second']} - {row['first']}: {row['figure']} {row['difference']:+.2f} "
            f"({row['low']:+.2f} to {row['high']:+.2f}), p {row['p_value']:.4f}"
            + (
                f"; Rank-1 gained on {row['gained']}, lost on {row['lost']} queries"
                if row["figure"] == "rank1"
                else ""
            )
        )
    for (first, second), why in found.refused.items():
        lines.append(f"{second} is not tested against {first}: {why}")
    if found.unknown:
        lines.append(f"not stated by all cards, so not checked: {', '.join(found.unknown)}")
    card = next(iter(cards.values()))
    return [*lines, f"{card['dataset']}: {card['filter']}; {card['ap_rule']}"]
