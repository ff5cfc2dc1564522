"""``mfa project RUN FILE``: shorter branches, fitted to a teacher."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from mfa.cli.options import DataRoot, Pictures, RunName, Within, command
from mfa.progress import answer


def project(
    run: RunName,
    file: Path,
    /,
    *,
    teacher: str,
    data: str | None = None,
    data_root: DataRoot = None,
    width: Annotated[int, Within(1, 8192)] = 128,
    pictures: Annotated[int, Pictures] = 4000,
    name: str | None = None,
    device: str | None = None,
) -> None:
    """Put a linear map behind each branch that says what a teacher says, with no further training.

    Args:
        file: The .safetensors file to write, weights in half precision.
        teacher: Features of the training pictures (.npz) or a model, as for mfa train --teacher.
        data: Dataset with the training pictures; by default the one the run was trained on.
        width: Numbers of each branch's embedding.
        pictures: Training pictures to fit to.
        name: What tables call it; by default the name of the run's configuration.
        device: Where the network computes; by default the GPU where there is one.
    """
    from mfa.cli.train import find_teacher
    from mfa.inference.evaluate import resolve
    from mfa.runs.export import release
    from mfa.runs.run import open_run
    from mfa.training import projection

    opened = open_run(run, device)
    dataset = resolve(opened, data, data_root)
    found = find_teacher(teacher, dataset)
    made = projection.project(opened, dataset, found, width=width, pictures=pictures, progress=True)
    release(made, file, name=name)
    written = open_run(file, "cpu")
    parameters = sum(p.numel() for p in written.model.parameters())
    size = file.stat().st_size / 2**20
    answer(f"{file}: {parameters:,} parameters, {size:.2f} MiB, weights {written.hash}")


main = command("mfa project", project)
