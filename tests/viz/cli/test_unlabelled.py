"""A gallery without labels gives a ranking list and a grid, without scores and without marks."""

import shutil

import pandas as pd
import pytest

from mfa.cli import COMMANDS as MFA
from mfa.cli import run
from mfa.inference.evaluate import extract_features
from mfa.runs.run import open_run
from viz import draw_ranking
from viz.cli import COMMANDS as VIZ


@pytest.fixture
def place(tiny_root, tmp_path):
    """The tiny test set without its labels, read from two folders."""
    folder = tmp_path / "deployment"
    for name, split in (("query", "query"), ("gallery", "bounding_box_test")):
        (folder / name).mkdir(parents=True)
        for number, path in enumerate(sorted((tiny_root / "synthetic" / split).iterdir())):
            shutil.copy(path, folder / name / f"{number:03}.jpg")
    assert run("mfa", MFA, ["data", "folder", str(folder), "--pattern", "unlabelled"]) == 0
    return folder


def test_it_is_ranked_and_not_scored(place, tiny_run, tmp_path, capsys):
    data = ["--data", "folder", "--data-root", str(place)]
    assert run("mfa", MFA, ["evaluate", str(tiny_run), *data]) == 2
    assert "no gallery picture has a label" in capsys.readouterr().err
    ranking = tmp_path / "nearest.csv"
    words = ["evaluate", str(tiny_run), *data, "--ranking", str(ranking), "--top", "3"]
    assert run("mfa", MFA, words) == 0
    table = pd.read_csv(ranking)
    assert table["query_name"].nunique() == 4
    assert table.groupby("query")["rank"].max().tolist() == [3] * 4
    assert run("mfa", MFA, ["data", "doctor", str(place)]) == 0


def test_its_grid_has_neither_scores_nor_marks(place, tiny_run, tmp_path):
    data = ["--data", "folder", "--data-root", str(place)]
    words = ["grid", str(tiny_run), *data, "--queries", "0", "2", "--out", str(tmp_path / "grid")]
    assert run("mfa-viz", VIZ, words) == 0
    assert "nothing is scored" in (tmp_path / "grid.caption.md").read_text()


def test_the_figure_shows_the_ranking(place, tiny_run):
    from mfa.datasets import load_dataset

    data = load_dataset("folder", place)
    features = extract_features(open_run(tiny_run), data)
    figure = draw_ranking(features, data, [2, 0], k=5)
    names = [artist.get_gid() or "" for artist in figure.findobj()]
    assert not [name for name in names if name.startswith("mark/")]
    assert len([name for name in names if name.startswith("frame/unlabelled/")]) == 10
    texts = {artist.get_text() for artist in figure.findobj(lambda a: hasattr(a, "get_text"))}
    assert not [text for text in texts if "AP" in text]
    assert any("002.jpg" in text for text in texts)
