"""``mfa import-weights FILE --from PROJECT``: weights of another project as a run."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from mfa.cli.options import DataRoot, Json, Within, command, print_json, read_data, say
from mfa.errors import InputError
from mfa.progress import answer

if TYPE_CHECKING:
    from mfa.models.weight_conversion import Imported


def import_weights(
    file: Path,
    /,
    *,
    source: Annotated[str, tyro.conf.arg(name="from")],
    run: str | None = None,
    identities: Annotated[int | None, Within(1, 1_000_000)] = None,
    height: Annotated[int, Within(32, 4096)] = 256,
    width: Annotated[int, Within(32, 4096)] = 128,
    stride: Literal[8, 16, 32] | None = None,
    trained_on: str | None = None,
    data_root: DataRoot = None,
    json: Json = False,
) -> None:
    """Read a checkpoint of another project; the run it becomes can be scored, drawn, trained on.

    The file is read without running any code in it.

    Args:
        file: The project's file: .pth, .pth.tar, .pt or .safetensors.
        source: fast-reid, torchreid, bagtricks, agw, layumi, transreid, lightmbn or torchvision.
        run: Name of the run, a folder under runs/ (or a path); by default the file's name.
        identities: Classes of the classifier wanted; by default as many as the file's has.
        height: Height of the pictures it was trained on, in pixels.
        width: Their width.
        stride: Input pixels per pixel of a ResNet's last map, which its file does not state; by
            default what the project uses by default.
        trained_on: Dataset it was trained on, where that lies here; a network with SIE needs it to
            know which cameras its embeddings are of, and takes their mean without.
    """
    from mfa import presets
    from mfa.config import derive
    from mfa.models.tensor_files import read_tensors
    from mfa.models.weight_conversion import convert
    from mfa.models.weights import shortened
    from mfa.runs.checkpoint import CHECKPOINT, Checkpoint, save_checkpoint
    from mfa.runs.side_information import training_cameras

    data = None if trained_on is None else read_data(trained_on, data_root)
    if data is not None and not data.train:
        raise InputError(f"{data.name} has no training list, so nothing can be trained on it")
    cameras = () if data is None else training_cameras(data.train)
    read = read_tensors(file)
    imported = convert(read.tensors, source, identities, cameras, stride=stride)
    imported = replace(imported, notes=(*read.notes, *imported.notes))
    named = Path(run or file.name.partition(".")[0])
    folder = named if named.parent != Path() else Path("runs") / named
    if (folder / CHECKPOINT).exists():
        raise InputError(f"{folder} already holds a run; choose another name, or delete the folder")
    # Its own recipe, so that a training that goes on from here is the method's.
    base = presets.get(imported.config.network)
    config = replace(base, model=imported.config, name=f"{base.name}/imported")
    config = derive(config, {"data.height": height, "data.width": width})
    tensors = {f"model.{name}": value for name, value in imported.network.state_dict().items()}
    notes = list(imported.notes)
    if imported.missing:
        notes.append(f"the file has nothing for {shortened(imported.missing, 4)}: they are random")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    facts = {
        "imported": f"{source} file {file.name} (sha256 {digest[:12]})",
        "notes": notes,
        "cameras": imported.cameras,
    }
    if data is not None:
        facts |= {"dataset": data.name, "fingerprint": data.fingerprint}
    checkpoint = Checkpoint(config, 0, imported.identities, tensors, facts)
    save_checkpoint(checkpoint, folder / CHECKPOINT)
    if json:
        print_json(_facts(imported, folder))
        return
    answer(*_words(imported, trained_on_known=data is not None))
    say(f"run {folder}; score it with: mfa evaluate {folder} --data NAME")


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


main = command("mfa import-weights", import_weights)
