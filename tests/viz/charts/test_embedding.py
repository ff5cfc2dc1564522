import importlib.util

import numpy as np
import pytest
from matplotlib.offsetbox import AnnotationBbox

import mfa
import viz
from mfa.comparison.projection import project
from mfa.errors import InputError
from mfa.records import Features, FeatureSet


def groups(seed=0, each=12):
    rng = np.random.default_rng(seed)
    centers = np.eye(3, 8) * 5
    rows = np.concatenate([center + rng.normal(size=(each, 8)) * 0.2 for center in centers])
    return rows.astype(np.float32), np.repeat([1, 2, 3], each)


def test_pca_keeps_the_largest_directions():
    rows = np.zeros((40, 5))
    rows[:, 4] = 1.0  # off the origin, so that normalising bends nothing much
    rng = np.random.default_rng(0)
    rows[:, 0], rows[:, 1] = rng.normal(size=(2, 40)) * [[0.1], [0.01]]
    points, axes = project(rows, "pca")
    assert abs(np.corrcoef(points[:, 0], rows[:, 0])[0, 1]) > 0.999
    assert axes == "PCA, 100 % of the variance"


@pytest.mark.parametrize(
    "method",
    [
        "pca",
        "tsne",
        pytest.param(
            "umap",
            marks=pytest.mark.skipif(
                importlib.util.find_spec("umap") is None, reason="umap-learn is not installed"
            ),
        ),
    ],
)
def test_people_far_apart_stay_apart_and_the_seed_repeats(method, monkeypatch):
    if method == "umap":  # to compile it takes longer than to place a few points without
        monkeypatch.setattr(pytest.importorskip("numba").config, "DISABLE_JIT", 1)
    rows, pids = groups(each=9)
    points, _ = project(rows, method, seed=1)
    np.testing.assert_array_equal(points, project(rows, method, seed=1)[0])
    for pid in (1, 2, 3):
        own, others = points[pids == pid], points[pids != pid]
        middle = own.mean(axis=0)
        farthest_own = np.linalg.norm(own - middle, axis=1).max()
        assert farthest_own < np.linalg.norm(others - middle, axis=1).min()


@pytest.fixture
def features():
    rows, pids = groups()
    names = np.array([f"{i}.png" for i in range(len(rows))])
    side = FeatureSet(rows, pids, np.ones_like(pids), names)
    gallery = FeatureSet(rows, np.where(pids == 3, -1, pids), np.ones_like(pids), names)
    return Features(side, gallery, branches=(("branch1", 4), ("branch2", 4)))


def test_map_shows_the_people_with_most_pictures_and_rings_the_queries(features):
    table = mfa.measure_embedding(features, people=2, method="pca")
    assert set(table["pid"]) == {1, 2}
    assert (table["side"] == "query").sum() == 24
    ax = viz.plot_embedding(table)
    rings = [c for c in ax.collections if (c.get_edgecolor() == (0, 0, 0, 1)).all()]
    assert sum(len(ring.get_offsets()) for ring in rings) == 24
    assert ax.get_title().startswith("PCA")


def test_pictures_stand_in_place_of_their_points(features):
    table = mfa.measure_embedding(features, people=2, method="pca").iloc[[0, 3, 30]]
    shades = (0, 100, 200)
    pictures = [np.full((64, 32, 3), shade, np.uint8) for shade in shades]
    ax = viz.plot_embedding(table, pictures=pictures)
    boxes = [artist for artist in ax.artists if isinstance(artist, AnnotationBbox)]
    assert [box.xy for box in boxes] == list(zip(table["x"], table["y"], strict=True))
    assert [int(box.offsetbox.get_data()[0, 0, 0]) for box in boxes] == list(shades)
    dashed = [box.patch.get_linestyle() == "--" for box in boxes]
    assert dashed == list(table["side"] == "query")
    assert len(set(dashed)) == 2
    with pytest.raises(InputError, match="2 pictures for 3 points"):
        viz.plot_embedding(table, pictures=pictures[:2])


def test_a_part_of_the_people_keeps_its_colours(features):
    table = mfa.measure_embedding(features, people=2, method="pca")
    last = str(table["pid"].max())

    def colour(shown):
        points = {each.get_label(): each for each in viz.plot_embedding(shown).collections}
        return tuple(points[last].get_facecolor()[0])

    assert colour(table[table["pid"] == int(last)]) == colour(table)


def test_a_branch_uses_its_own_columns(features):
    whole = mfa.measure_embedding(features, method="pca")
    part = mfa.measure_embedding(features, branch="branch1", method="pca")
    assert not np.allclose(whole[["x", "y"]], part[["x", "y"]])
    with pytest.raises(InputError, match="no branch 'head'"):
        mfa.measure_embedding(features, branch="head")


def test_bad_requests_are_sentences():
    with pytest.raises(InputError, match="3 pictures or more"):
        project(np.ones((2, 4)))
    with pytest.raises(InputError, match="pca, tsne or umap"):
        project(np.ones((9, 4)), "lda")
