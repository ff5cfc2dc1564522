"""Heat over a picture: zero changes nothing, signs have colours, scales are shared."""

import numpy as np
import pytest

from mfa.errors import InputError
from viz.images.overlay import as_bytes, overlay

PICTURE = np.random.default_rng(0).integers(0, 256, (8, 4, 3)).astype(np.uint8)


def test_where_a_map_is_zero_the_picture_is_unchanged():
    assert np.array_equal(overlay(PICTURE, np.zeros((8, 4)), grey=0), PICTURE)


def test_positive_is_red_and_negative_blue():
    heat = np.zeros((8, 4))
    heat[0], heat[1] = 1, -1
    drawn = overlay(PICTURE, heat).astype(int)
    assert (drawn[0, :, 0] > drawn[0, :, 2] + 40).all()
    assert (drawn[1, :, 2] > drawn[1, :, 0] + 40).all()


def test_one_limit_makes_weak_maps_look_weak():
    weak = np.full((8, 4), 0.1)
    shared = overlay(PICTURE, weak, limit=1.0, grey=1).astype(int)
    own = overlay(PICTURE, weak, grey=1).astype(int)
    untouched = overlay(PICTURE, 0 * weak, grey=1).astype(int)
    assert abs(shared - untouched).mean() < abs(own - untouched).mean() / 2


def test_floats_in_0_to_1_and_bytes_are_the_same_picture():
    assert np.array_equal(as_bytes(PICTURE / 255), PICTURE)


def test_a_map_of_another_size_is_refused():
    with pytest.raises(InputError, match="does not fit"):
        overlay(PICTURE, np.zeros((4, 4)))
