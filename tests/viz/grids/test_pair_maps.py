"""A pair by masks: both pictures with map and control, and curves that start from the table."""

import numpy as np
import pytest

from mfa.cli import run
from mfa.explain.pair_faithfulness import pair_faithfulness
from mfa.explain.pair_maps import pair_maps
from mfa.inference.external import from_callable
from viz.cli import COMMANDS
from viz.grids.pair_maps import draw_pair_maps


def upper_half(pictures):
    """The colours of the upper half."""
    return pictures[:, :, : pictures.shape[2] // 2].mean(axis=2).reshape(len(pictures), -1)


@pytest.mark.parametrize("width", ["single", "double"])
def test_both_sides_stand_beside_their_controls(width, words_apart):
    model = from_callable(upper_half, size=(32, 16))
    pictures = np.random.default_rng(0).integers(0, 255, (2, 32, 16, 3)).astype(np.uint8)
    maps = pair_maps(model, *pictures)
    table = pair_faithfulness(model, maps)
    figure = draw_pair_maps(maps, table, width=width)
    words_apart(figure, least=20)
    titles = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert titles == ["query", "masks", "shuffled", "gallery", "masks", "shuffled"]
    curves = next(axis for axis in figure.axes if axis.get_ylabel() == "cosine")
    first = table[(table["side"] == "query") & (table["mode"] == "deletion")]
    own = first[first["map"] == "masks"]["cosine"]
    np.testing.assert_allclose(curves.lines[0].get_ydata(), own)
    words_apart(draw_pair_maps(maps, width=width), least=6)


def test_the_command_draws_a_pair_for_a_run_and_for_any_model(
    tiny_run, tiny_data, tmp_path, capsys
):
    words = [str(sample.path) for sample in tiny_data.query[:2]]
    code = tmp_path / "theirs.py"
    code.write_text("def mean(pictures):\n    return pictures.mean(axis=(2, 3))\n")
    theirs = [f"{code}:mean,size=24x12,name=theirs", *words, "--out", str(tmp_path / "theirs")]
    assert run("mfa-viz", COMMANDS, ["maps", *theirs, "--blur-faces"]) == 0
    assert "Model theirs." in (tmp_path / "theirs.caption.md").read_text()
    ours = [str(tiny_run), *words, "--pair", "--out", str(tmp_path / "ours")]
    assert run("mfa-viz", COMMANDS, ["maps", *ours]) == 0
    assert (tmp_path / "ours.png").is_file()
    assert run("mfa-viz", COMMANDS, ["maps", f"{code}:mean", words[0]]) == 2
    assert "name two: mfa-viz maps MODEL QUERY GALLERY" in capsys.readouterr().err
