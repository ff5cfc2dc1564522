import numpy as np
import pytest
from PIL import ImageColor

from viz import theme
from viz.grids import rank_cards
from viz.grids import rank_strip as module
from viz.grids.rank_strip import CAPTION, FRAME, GAP, TITLE, rank_strip

HEIGHT = 100
SIZE = (HEIGHT // 2, HEIGHT)
STEP = SIZE[0] + 2 * FRAME + GAP


def left(column):
    return GAP + STEP * column + (GAP if column else 0)


def color(name):
    return ImageColor.getrgb(name)


@pytest.fixture
def pixels(scored):
    picture = rank_strip(scored.result, scored.data, 0, k=6, include_junk=True, height=HEIGHT)
    return np.asarray(picture)


def bottom_edge(pixels, column):
    """The lower frame of a card: no mark lies there."""
    y = TITLE + HEIGHT + 2 * FRAME - 2
    return pixels[y, left(column) : left(column) + SIZE[0] + 2 * FRAME]


def share(edge, wanted):
    return (edge == np.array(wanted)).all(axis=1).mean()


def test_frames_tell_query_match_wrong_and_ignored(pixels):
    expected = ["query", "match", "wrong", "ignored", "ignored", "match", "wrong"]
    for column, kind in enumerate(expected):
        edge = bottom_edge(pixels, column)
        assert share(edge, color(module.COLORS[kind])) > 0.3, (column, kind)
        others = {c for k, c in module.COLORS.items() if k != kind}
        assert not any(share(edge, color(other)) for other in others), (column, kind)


def test_a_wrong_frame_is_dashed_and_a_right_one_is_not(pixels):
    assert share(bottom_edge(pixels, 1), color(theme.MATCH)) == 1
    wrong = (bottom_edge(pixels, 2) == color(theme.WRONG)).all(axis=1)
    assert np.count_nonzero(np.diff(wrong.astype(int)) == 1) >= 2  # several dashes


def test_pictures_stand_in_the_order_of_the_ranking(pixels):
    middle = TITLE + FRAME + HEIGHT // 2
    greys = [pixels[middle, left(column) + FRAME + SIZE[0] // 2, 0] for column in (1, 2, 5, 6)]
    assert greys == [20, 50, 140, 170]  # gallery pictures 0, 1, 4, 5


def test_ignored_pictures_are_paler(pixels):
    middle = TITLE + FRAME + HEIGHT // 2
    ignored = pixels[middle, left(3) + FRAME + SIZE[0] // 2, 0]
    assert ignored == pytest.approx(80 + 0.55 * (255 - 80), abs=1)  # gallery picture 2 is grey 80


def test_marks_differ_without_colour(scored):
    tick = np.asarray(module._mark("match", 22).convert("RGBA"))[..., :3].mean(axis=2)
    cross = np.asarray(module._mark("wrong", 22).convert("RGBA"))[..., :3].mean(axis=2)
    # Shapes, thresholded: white strokes on the disc in different places.
    assert np.mean((tick > 200) != (cross > 200)) > 0.05


def test_mark_is_drawn_on_counted_cards_only(pixels):
    def has_disc(column):
        right = left(column) + SIZE[0] + 2 * FRAME
        inside = pixels[TITLE + FRAME : TITLE + 18, right - 18 : right - FRAME].reshape(-1, 3)
        discs = [np.array(color(c)) for c in (theme.MATCH, theme.WRONG)]
        return any((np.abs(inside - disc) < 9).all(axis=1).mean() > 0.2 for disc in discs)

    assert [has_disc(column) for column in range(7)] == [
        False, True, True, False, False, True, True,
    ]  # fmt: skip


def test_captions_and_title_are_written(pixels):
    below = pixels[TITLE + HEIGHT + 2 * FRAME :, left(1) : left(1) + SIZE[0]]
    assert below.shape[0] == CAPTION
    assert (below < 128).any()
    assert (pixels[: TITLE - 2] < 128).any()


def test_a_default_strip_fits_a_1280_pixel_screen(scored):
    row = rank_cards.row(scored.result, scored.data, 0, k=6)
    wide = rank_cards.Row(row.query, tuple(row.cards[:1]) * 10, row.name, row.score)
    assert module.draw_row(wide).width <= 1280


def test_a_broken_picture_leaves_the_rest(scored):
    scored.data.gallery[0].path.write_bytes(b"no picture")
    picture = rank_strip(scored.result, scored.data, 0, k=2, height=HEIGHT)
    pixels = np.asarray(picture)
    middle = TITLE + FRAME + HEIGHT // 2
    assert pixels[middle, left(2) + FRAME + SIZE[0] // 2, 0] == 50
    assert tuple(pixels[middle - 20, left(1) + FRAME + SIZE[0] // 2]) == (225, 225, 225)
