from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from PIL import Image

from mfa.errors import InputError
from viz import draw_rank_grid, theme
from viz.grids.rank_grid import draw_rows, rank_cards


def artists(figure, kind):
    """By name, such as ``0/0/1``: query, model, column."""
    found = ((artist.get_gid() or "", artist) for artist in figure.findobj())
    return {gid.removeprefix(f"{kind}/"): one for gid, one in found if gid.startswith(f"{kind}/")}


@pytest.fixture
def figure(scored):
    return draw_rank_grid(scored.result, scored.data, [0], k=6, include_junk=True)


def frames(figure):
    """Frames by column of the first row: (kind, artist)."""
    named = artists(figure, "frame")
    return {
        int(name.split("/")[-1]): (name.split("/")[0], artist)
        for name, artist in named.items()
        if name.split("/")[1:3] == ["0", "0"]
    }


def test_frames_carry_what_the_result_says(figure):
    found = frames(figure)
    kinds = [found[column][0] for column in sorted(found)]
    assert kinds == ["query", "match", "wrong", "ignored", "ignored", "match", "wrong"]
    assert found[1][1].get_edgecolor() == to_rgba(theme.MATCH)
    assert found[2][1].get_edgecolor() == to_rgba(theme.WRONG)
    assert found[1][1].get_linestyle() in ("-", "solid")
    assert found[2][1].get_linestyle() not in ("-", "solid")


def test_pictures_stand_in_ranking_order_inside_their_frames(figure):
    images, framed = artists(figure, "picture"), frames(figure)
    columns = (1, 2, 5, 6)
    lefts = [framed[column][1].get_x() for column in columns]
    assert lefts == sorted(lefts)
    assert [images[f"0/0/{column}"].get_extent()[0] for column in columns] == pytest.approx(lefts)
    arrays = [images[f"0/0/{column}"].get_array() for column in columns]
    greys = [array[len(array) // 2, array.shape[1] // 2, 0] for array in arrays]
    assert greys == [20, 50, 140, 170]


def test_marks_on_counted_cards_only(figure):
    assert sorted(artists(figure, "mark")) == [
        "match/0/0/1", "match/0/0/5", "wrong/0/0/2", "wrong/0/0/6",
    ]  # fmt: skip


def test_captions_and_title_speak(figure):
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "query0.png   AP 83.3 % · last match at rank 3" in texts
    assert {"1 · cam 2", "0.015", "–"} <= {text.split(" · cam 1")[0] for text in texts}


def test_several_models_share_a_query_and_are_named(scored):
    figure = draw_rank_grid(
        {"ours": scored.result, "theirs": scored.result}, scored.data, [0, 2], k=3
    )
    frames = artists(figure, "frame")
    assert [name for name in sorted(frames) if name.startswith("query")] == [
        "query/0/0/0", "query/1/0/0",
    ]  # fmt: skip
    assert {name.split("/", 1)[1] for name in frames} >= {f"{q}/{m}/1" for q in "01" for m in "01"}
    titles = [text.get_text() for text in figure.axes[0].texts]
    assert titles.count("query0.png") == 1
    assert "theirs   AP 83.3 % · last match at rank 3" in titles


def test_captions_do_not_touch_their_neighbours(scored):
    row = rank_cards.rows(scored.result, scored.data, [0], k=4)[0]
    image = row.cards[0].image
    image = replace(image, sample=replace(image.sample, camid=15))
    card = replace(row.cards[0], rank=10, image=image)
    for inches in theme.INCHES.values():
        figure = draw_rows({"": [replace(row, cards=(card,) * 10)]}, inches, k=10)
        figure.draw_without_rendering()
        texts = figure.axes[0].texts
        boxes = [text.get_window_extent() for text in texts if text.get_text().startswith("10")]
        boxes.sort(key=lambda box: box.x0)
        assert len(boxes) == 10
        assert all(first.x1 < second.x0 for first, second in pairwise(boxes))
        assert min(text.get_fontsize() for text in texts) >= 5  # points


def test_no_figure_stays_open(scored, open_figures):
    before = open_figures()
    draw_rank_grid(scored.result, scored.data, "worst", k=2)
    assert open_figures() == before


def test_hidden_faces_change_the_top_only(scored):
    noise = np.random.default_rng(0).integers(0, 255, (64, 32, 3), dtype=np.uint8)
    Image.fromarray(noise).save(scored.data.query[0].path)
    plain, hidden = (
        artists(draw_rank_grid(scored.result, scored.data, [0], k=2, blur_faces=hide), "picture")[
            "0/0/0"
        ]
        for hide in (False, True)
    )
    same = (plain.get_array() == hidden.get_array()).all(axis=(1, 2))
    rows = len(same)
    assert not same[: int(0.28 * rows)].any()
    assert same[int(0.33 * rows) :].all()


def test_no_model_is_an_error(scored):
    with pytest.raises(InputError, match="no result"):
        draw_rank_grid({}, scored.data)
