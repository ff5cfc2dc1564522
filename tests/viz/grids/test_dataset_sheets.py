from dataclasses import replace

import numpy as np
import pytest
from matplotlib.text import Text

import viz
from mfa.errors import InputError
from mfa.records import NO_CAMERA, ReidDataset


def pictures(figure):
    found = {}
    for image in figure.findobj():
        gid = image.get_gid() or ""
        if gid.startswith("picture/"):
            found[gid.removeprefix("picture/")] = image
    return found


def test_identity_sheet_puts_each_camera_in_its_column(scored):
    figure = viz.draw_identities(scored.data, [7, 8])
    found = pictures(figure)
    # Person 7 was seen by cameras 1, 2 and 3, person 8 by 1 and 3; junk is nobody.
    assert sorted(found) == ["7/1", "7/2", "7/3", "8/1", "8/3"]
    left = {name: image.get_extent()[0] for name, image in found.items()}
    assert left["7/1"] == left["8/1"] < left["7/2"] < left["7/3"] == left["8/3"]
    assert found["7/2"].get_extent()[3] < found["8/1"].get_extent()[3]  # y runs down


def test_cameras_beyond_the_width_are_counted(scored):
    seen = [replace(scored.data.query[0], pid=7, camid=camera) for camera in range(1, 21)]
    figure = viz.draw_identities(replace(scored.data, train=(), query=(), gallery=seen), [7])
    left = 20 - len(pictures(figure))
    assert 0 < left < 20
    words = [text.get_text() for text in figure.findobj(Text)]
    assert [word for word in words if "more" in word] == [f"+{left} more"]


def test_unknown_person_is_named(scored):
    with pytest.raises(InputError, match="no picture of person 99"):
        viz.draw_identities(scored.data, [99])


def test_camera_counts_are_people_seen_by_both(scored):
    ax = viz.plot_camera_counts(scored.data)
    printed = np.array([int(text.get_text()) for text in ax.texts]).reshape(3, 3)
    # camera 1: persons 5, 7, 8; camera 2: 7, 9; camera 3: 7, 8.
    np.testing.assert_array_equal(printed, [[3, 1, 2], [1, 2, 1], [2, 1, 2]])


def test_camera_counts_need_cameras(scored):
    blind = tuple(type(s)(s.path, s.pid, NO_CAMERA) for s in scored.data.query)
    data = ReidDataset("x", scored.data.root, (), blind, blind, "f")
    with pytest.raises(InputError, match="no camera is known"):
        viz.plot_camera_counts(data)


def test_sample_sheet_letters_every_dataset(scored):
    figure = viz.draw_samples({"One": scored.data, "Two": scored.data}, count=3)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["(a) One", "(b) Two"]
    assert sorted(pictures(figure)) == [f"{n}/{i}" for n in ("One", "Two") for i in range(3)]


def test_sample_sheet_shows_different_people_and_no_junk(scored):
    first = viz.draw_samples({"One": scored.data}, count=9)
    assert len(pictures(first)) == 4  # persons 5, 7, 8, 9
