import pytest

from mfa.errors import InputError
from viz.grids.dataset_sheets import draw_roles


def pictures(figure):
    gids = [artist.get_gid() or "" for artist in figure.findobj()]
    return sorted(gid.removeprefix("picture/") for gid in gids if gid.startswith("picture/"))


def test_each_picture_stands_under_its_role(scored):
    figure = draw_roles(scored.data, 0)  # person 7 by camera 1
    twice = ["match/0", "match/1", "other person/0", "other person/1"]
    assert pictures(figure) == ["junk/0", *twice, "own camera/0", "query/0"]
    words = [text.get_text() for text in figure.axes[0].texts]
    assert "2 in the gallery: the same person by another camera: to be found" in words
    assert not any("nobody's match" in text for text in words)  # this gallery has none
    assert words.count("7, cam 2") == 1


def test_left_out_pictures_are_grey(scored):
    images = {image.get_gid(): image for image in draw_roles(scored.data, 0).axes[0].images}
    arrays = [images[f"picture/{name}/0"].get_array() for name in ("match", "own camera")]
    plain, faded = (array[array.shape[0] // 2, array.shape[1] // 2] for array in arrays)
    assert plain.max() == 20  # the first picture of the gallery is that grey
    assert faded.min() > 130


def test_few_of_many_are_shown(scored):
    assert len(pictures(draw_roles(scored.data, 0, count=1))) == 5


def test_a_query_that_is_not_there_is_refused(scored):
    with pytest.raises(InputError, match="no query 9"):
        draw_roles(scored.data, 9)
