"""``mfa import-weights FILE --from PROJECT``: weights of another project as a run."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from mfa.cli.options import read_data
from mfa.errors import InputError

if TYPE_CHECKING:
    from mfa.models.weight_conversion import Imported
    from mfa.records import ReidDataset


@dataclass(frozen=True)
class Options:
    """Read a checkpoint of another project; the run it becomes can be scored, drawn, trained on.

    The file is read without running any code in it.
    """

    file: tyro.conf.Positional[Path]
    """The project's file: .pth, .pth.tar, .pt or .safetensors."""
    source: Annotated[str, tyro.conf.arg(name="from")]
    """fast-reid, torchreid, bagtricks, agw, layumi, transreid, lightmbn or torchvision."""
    run: str | None = None
    """Name of the run, a folder under runs/ (or a path); by default the file's name."""
    identities: int | None = None
    """Classes of the classifier wanted; by default as many as the file's has."""
    height: int = 256
    """Height of the pictures it was trained on, in pixels."""
    width: int = 128
    """Their width."""
    stride: Literal[8, 16, 32] | None = None
    """Input pixels per pixel of a ResNet's last map, which its file does not state; by default what
    the project uses by default."""
    trained_on: str | None = None
    """Dataset it was trained on, where that lies here; a network with SIE needs it to know which
    cameras its embeddings are of, and takes their mean without."""
    data_root: Path | None = None
    """Folder that dataset lies in; by default MFA_DATA, else data."""
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Print one JSON object."""


def main(argv: list[str]) -> None:
    """Import the file, write the run, and report what did not fit.

    Raises:
        InputError: the file cannot be read or is of another project, or the run exists.
    """
    options = tyro.cli(Options, prog="mfa import-weights", args=argv)
    from mfa.models.tensor_files import read_tensors
    from mfa.models.weight_conversion import convert
    from mfa.runs.side_information import training_cameras

    data = _trained_on(options)
    cameras = () if data is None else training_cameras(data.train)
    file = read_tensors(options.file)
    imported = convert(
        file.tensors, options.source, options.identities, cameras, stride=options.stride
    )
    imported = replace(imported, notes=(*file.notes, *imported.notes))
    run = Path(options.run or options.file.name.partition(".")[0])
    folder = run if run.parent != Path() else Path("runs") / run
    _write(imported, folder, options, data)
    if options.json:
        print(json.dumps(_facts(imported, folder)))
        return
    for line in _words(imported, trained_on_known=data is not None):
        print(line)
    print(f"run {folder}; score it with: mfa evaluate {folder} --data NAME", file=sys.stderr)


def _trained_on(options: Options) -> ReidDataset | None:
    if options.trained_on is None:
        return None
    data = read_data(options.trained_on, options.data_root)
    if not data.train:
        raise InputError(f"{data.name} has no training list, so nothing can be trained on it")
    return data


def _write(imported: Imported, folder: Path, options: Options, data: ReidDataset | None) -> None:
    from mfa import presets
    from mfa.config import derive
    from mfa.models.weights import shortened
    from mfa.runs.checkpoint import CHECKPOINT, Checkpoint, save_checkpoint

    if (folder / CHECKPOINT).exists():
        raise InputError(f"{folder} already holds a run; choose another name, or delete the folder")
    # Its own recipe, so that a training that goes on from here is the method's.
    base = presets.get(imported.config.network)
    size = {"data.height": options.height, "data.width": options.width}
    named = replace(base, model=imported.config, name=f"{base.name}/imported")
    tensors = {f"model.{name}": value for name, value in imported.network.state_dict().items()}
    digest = hashlib.sha256(options.file.read_bytes()).hexdigest()
    notes = list(imported.notes)
    if imported.missing:
        notes.append(f"the file has nothing for {shortened(imported.missing, 4)}: they are random")
    facts = {
        "imported": f"{options.source} file {options.file.name} (sha256 {digest[:12]})",
        "notes": notes,
        "cameras": imported.cameras,
    }
    if data is not None:
        facts |= {"dataset": data.name, "fingerprint": data.fingerprint}
    save_checkpoint(
        Checkpoint(derive(named, size), 0, imported.identities, tensors, facts),
        folder / CHECKPOINT,
    )


def _facts(imported: Imported, folder: Path) -> dict[str, Any]:
    return {
        "run": str(folder),
        "network": imported.config.network,
        "identities": imported.identities,
        "loaded": len(imported.loaded),
        "left_out": dict(imported.left_out),
        "missing": list(imported.missing),
        "notes": list(imported.notes),
        "cameras": list(imported.cameras),
    }


def _words(imported: Imported, *, trained_on_known: bool) -> list[str]:
    """What was loaded, and each reason with the tensors it holds for.

    ``trained_on_known``: the user named the dataset it was trained on.
    """
    from mfa.models.weights import shortened

    lines = [f"{len(imported.loaded)} tensors loaded into {imported.config.network}"]
    reasons: dict[str, list[str]] = {}
    for name, why in imported.left_out.items():
        reasons.setdefault(why, []).append(name)
    for why, names in reasons.items():
        lines.append(f"not used: {shortened(names, 3)}: {why}")
    if imported.missing:
        few = shortened(imported.missing, 6)
        lines.append(f"stay random, the file has nothing for them: {few}")
    if imported.cameras and not trained_on_known:
        lines.append(
            f"note: it has embeddings of {len(imported.cameras)} cameras; say with --trained-on "
            "which dataset's, else their mean is taken for every picture"
        )
    return [*lines, *(f"note: {note}" for note in imported.notes)]
