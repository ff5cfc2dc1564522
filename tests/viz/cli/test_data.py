from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from viz.cli.data import main


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two people in the layout of a partial set, which tells no camera."""
    for part in ("partial_body_images", "whole_body_images"):
        (tmp_path / "synthetic_partial" / part).mkdir(parents=True)
        for name in ("001_001.jpg", "002_001.jpg"):
            pixels = np.full((64, 32, 3), 90 if part[0] == "p" else 160, np.uint8)
            Image.fromarray(pixels).save(tmp_path / "synthetic_partial" / part / name)
    (tmp_path / "synthetic_partial/synthetic.json").write_text("{}", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("hide", [True, False])
def test_captions_tell_what_was_hidden_and_that_no_camera_is_known(
    root: Path, tmp_path: Path, hide: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "figures"
    more = ["--blur-faces"] if hide else []
    main(["synthetic_partial", "--data-root", str(root), "--out", str(out), *more])
    for stem in ("samples", "synthetic_partial-people"):
        assert (out / f"{stem}.png").stat().st_size > 0
        caption = (out / f"{stem}.caption.md").read_text()
        assert ("The top of each picture is coarsened." in caption) == hide
    assert "as no camera is known" in caption
    assert not list(out.glob("*-cameras.*"))
    assert "synthetic_partial: " in capsys.readouterr().err
