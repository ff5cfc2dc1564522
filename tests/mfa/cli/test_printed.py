"""Names with power over a terminal are spelled out, whatever command prints them."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.models import resnet18

from benchmarks.made import made_features
from mfa.cli import COMMANDS, run
from mfa.errors import printable
from mfa.retrieval import feature_file
from viz.cli import COMMANDS as VIZ

NAME = "a\nerror: \x1b[2J\x1b]0;b\x07\u202ec\u200f"
SHOWN = r"a\nerror: \x1b[2J\x1b]0;b\x07\u202ec\u200f"
TINY = [
    *("demo", "--model.width", "8", "--model.branches", "2", "--optim.epochs", "1"),
    *("--data.height", "64", "--data.width", "32", "--data.pids", "3", "--data.images", "2"),
    *("--device", "cpu"),
]

USES = [
    ("mfa", "train", *TINY, "--run", "{place}/new", "--score-on", "synthetic"),
    ("mfa", "evaluate", "{run}"),
    ("mfa", "evaluate", "{run}.npz", "--ranking", "{place}/ranking.csv", "--top", "2"),
    ("mfa", "compare", "{run}", "{run}.npz", "--data", "synthetic"),
    ("mfa", "export", "{run}", "{place}/out.safetensors"),
    ("mfa", "project", "{run}", "{place}/short.safetensors", "--teacher", "{run}.npz"),
    ("mfa", "import-weights", "{place}/resnet.pth", "--from", "torchvision", "--run", "{place}/in"),
    ("mfa", "ablate", "{place}/plan.json", "--dry-run"),
    ("mfa", "explain", "pair", "{run}", "{place}/1.png", "{place}/2.png"),
    ("mfa", "verify", "{place}/none.bundle.json"),
    ("mfa", "data", "doctor", "synthetic"),
    ("mfa", "data", "folder", "{place}/people", "--pattern", "market"),
    ("mfa", "data", "views", "synthetic", "--copies", "1", "--out", "{place}/views"),
    ("mfa-viz", "curves", "{run}"),
    ("mfa-viz", "grid", "{run}", "--out", "{place}/grid"),
    ("mfa-viz", "charts", "{run}", "--only", "cmc"),
    ("mfa-viz", "maps", "{run}", "--out", "{place}/maps", "--reference", "0"),
    ("mfa-viz", "attention", "{run}", "--reference", "0"),
    ("mfa-viz", "data", "synthetic", "--out", "{place}"),
    ("mfa-viz", "figures", "--run", "{run}", "--out", "{place}/f", "--only", "fig4"),
]


@pytest.fixture
def place(tmp_path: Path, tiny_run: Path, tiny_root: Path) -> Path:
    """A folder of that name with a run, a dataset, features, weights and pictures."""
    folder = tmp_path / NAME
    shutil.copytree(tiny_run, folder / NAME)
    shutil.copytree(tiny_root, folder / "data")
    shutil.copytree(tiny_root / "synthetic/bounding_box_train", folder / "people")
    feature_file.write(
        folder / f"{NAME}.npz",
        made_features(queries=4, gallery=8, people=3, distractors=1, cameras=2, width=8, noise=0.2),
    )
    torch.save(resnet18().state_dict(), folder / "resnet.pth")
    (folder / "plan.json").write_text("{}")
    for number in (1, 2):
        Image.fromarray(np.full((64, 32, 3), 90 * number, np.uint8)).save(folder / f"{number}.png")
    return folder


@pytest.mark.slow  # the commands together take half a minute
@pytest.mark.parametrize("words", USES, ids=lambda words: "-".join(words[:3]))
def test_what_a_command_prints_has_no_power_over_the_terminal(
    words: tuple[str, ...],
    place: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    recwarn: pytest.WarningsRecorder,
) -> None:
    monkeypatch.setenv("MFA_DATA", str(place / "data"))
    program, *argv = (word.format(place=place, run=place / NAME) for word in words)
    with suppress(SystemExit):
        run(program, COMMANDS if program == "mfa" else VIZ, argv)
    said = "".join([*capfd.readouterr(), *(str(warning.message) for warning in recwarn)])
    assert SHOWN in said
    assert not [sign for sign in {*said} - {"\n", "\r"} if printable(sign) != sign]
