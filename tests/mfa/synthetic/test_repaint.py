"""Only the thing that is changed differs, and it differs where its part is."""

import numpy as np
import pytest

from mfa.errors import InputError
from mfa.synthetic import PARTS, THINGS, SyntheticConfig, repaint
from mfa.synthetic.identity import identity
from mfa.synthetic.scene import shoot

CONFIG = SyntheticConfig()
PLACES = {
    "jacket": ("torso", "arms"),
    "trousers": ("thighs", "shins", "torso"),
    "shoes": ("shins",),
    "bag": ("bag",),
    "hat": ("head",),
}


@pytest.mark.parametrize("thing", THINGS)
def test_what_differs_is_the_thing(thing):
    seen = 0
    for pid in range(1, 9):
        found = repaint(pid, 1 + pid % 6, 0, CONFIG, thing)
        if found is None:
            assert thing == "bag"
            assert identity(pid, CONFIG.groups, CONFIG.seed).bag.kind == "none"
            continue
        shot = shoot(pid, 1 + pid % 6, 0, CONFIG, "none")
        assert np.array_equal(found.image, np.asarray(shot.image))
        assert np.array_equal(found.changed, (found.image != found.repainted).any(axis=2))
        difference = np.abs(found.image.astype(int) - found.repainted).max(axis=2)
        where = np.asarray(shot.mask)[difference > 40]
        if len(where):
            on_thing = np.isin(where, [PARTS.index(part) for part in PLACES[thing]])
            assert on_thing.mean() > 0.7
            seen += 1
    assert seen >= 2


def test_a_thing_that_nobody_wears_is_refused():
    with pytest.raises(InputError, match="jacket, trousers"):
        repaint(1, 1, 0, CONFIG, "sword")
