from __future__ import annotations

import dataclasses
import io
import random
from random import Random

import numpy as np
import pytest
from PIL import Image

from mfa.errors import InputError
from mfa.synthetic import NUISANCES, PARTS, SyntheticConfig, render
from mfa.synthetic.canvas import Canvas
from mfa.synthetic.figure import View, draw_person
from mfa.synthetic.histogram import BINS, STRIPES, colour_histogram
from mfa.synthetic.identity import group_colours, identity
from mfa.synthetic.masks import ARMS, BACKGROUND, BAG, HEAD, OCCLUDER, OTHER, SHINS, THIGHS, TORSO
from mfa.synthetic.plan import market_plan, partial_plan
from mfa.synthetic.scene import Nuisance, Shot, shoot

CONFIG = SyntheticConfig(height=64, width=32)
PERSON = (HEAD, TORSO, ARMS, THIGHS, SHINS, BAG)


def shots(nuisance: Nuisance, count: int = 6) -> list[Shot]:
    return [shoot(7 + k, 1 + k % 6, k, CONFIG, nuisance) for k in range(count)]


def person(shot: Shot) -> np.ndarray:
    return np.isin(np.asarray(shot.mask), PERSON)


def test_a_picture_follows_from_the_seed_and_not_from_what_was_drawn_before() -> None:
    first = render(11, 4, 1, CONFIG)
    random.seed(99)
    for pid in (5, 9):
        render(pid, 4, 0, CONFIG)
    again = render(11, 4, 1, CONFIG)
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.mask, again.mask)
    assert first.facts == again.facts
    other = render(11, 4, 1, dataclasses.replace(CONFIG, seed=1))
    assert not np.array_equal(first.image, other.image)


@pytest.mark.parametrize(("height", "width"), [(64, 32), (256, 128)])
def test_sizes_and_types(height: int, width: int) -> None:
    drawn = render(1, 1, 0, SyntheticConfig(height=height, width=width))
    assert drawn.image.shape == (height, width, 3)
    assert drawn.image.dtype == np.uint8
    assert drawn.mask.shape == (height, width)
    assert drawn.mask.dtype == np.uint8
    assert drawn.mask.max() < len(PARTS)


def test_rendering_is_what_the_jpeg_decodes_to() -> None:
    shot = shoot(4, 3, 0, CONFIG)
    with Image.open(io.BytesIO(shot.jpeg())) as decoded:
        np.testing.assert_array_equal(np.asarray(decoded), render(4, 3, 0, CONFIG).image)


def test_body_parts_lie_in_their_order_from_head_to_feet() -> None:
    for shot in shots("none"):
        mask = np.asarray(shot.mask)
        middles = [np.nonzero(mask == part)[0].mean() for part in (HEAD, TORSO, THIGHS, SHINS)]
        assert middles == sorted(middles)
        assert (mask == ARMS).any()
        assert 0.1 < person(shot).mean() < 0.45


@pytest.mark.parametrize("yaw", [0.0, 1.57, 3.14, -0.8])
def test_mask_covers_the_pixels_that_were_painted(yaw: float) -> None:
    ground = (255, 0, 255)
    for pid in range(1, 6):
        picture, parts = Image.new("RGB", (120, 240), ground), Image.new("L", (120, 240))
        view = View(yaw, centre=60, top=12, size=216, tilt=0.08, swell=0.1)
        draw_person(Canvas(picture, parts), identity(pid, 5, 0), view, 0.5, Random(pid))
        painted = (np.asarray(picture) != ground).any(axis=2)
        labelled = np.asarray(parts) != BACKGROUND
        assert not (labelled & ~painted).any()
        assert (painted & ~labelled).sum() < 0.02 * labelled.sum()  # Shade may spill over an edge.


def test_occluder_covers_the_lower_body_only() -> None:
    for shot in shots("occluded", 8):
        mask = np.asarray(shot.mask)
        rows = np.nonzero(mask == OCCLUDER)[0]
        feet = float(shot.facts["feet"]) * CONFIG.height
        head = float(shot.facts["head"]) * CONFIG.height
        assert len(rows) > 0.05 * mask.size
        assert rows.min() > head + 0.4 * (feet - head)
        assert (mask == HEAD).any()
        pid, camera, repeat = (int(shot.facts[name]) for name in ("pid", "camera", "repeat"))
        whole = np.asarray(shoot(pid, camera, repeat, CONFIG, "none").mask)
        assert (mask == SHINS).sum() < (whole == SHINS).sum()


def test_small_person_is_smaller_than_a_well_placed_one() -> None:
    for small, plain in zip(shots("small"), shots("none"), strict=True):
        assert person(small).any(axis=1).sum() < 0.9 * person(plain).any(axis=1).sum()


def test_misaligned_person_stands_aside() -> None:
    middle = (CONFIG.width - 1) / 2
    for shot in shots("misaligned"):
        torso = np.nonzero(np.asarray(shot.mask) == TORSO)[1]
        assert abs(torso.mean() - middle) > 0.08 * CONFIG.width


def test_truncated_person_reaches_over_the_edge() -> None:
    for shot in shots("truncated"):
        assert float(shot.facts["head"]) < 0 or float(shot.facts["feet"]) > 1
        shown = person(shot)
        assert shown[0].any() or shown[-1].any()


def test_others_stand_behind_and_only_there() -> None:
    for shot in shots("behind"):
        assert (np.asarray(shot.mask) == OTHER).mean() > 0.02
    for fault in ("none", "small", "misaligned", "occluded"):
        for shot in shots(fault, 2):
            assert not (np.asarray(shot.mask) == OTHER).any()


def test_every_nuisance_occurs_about_equally_often_at_the_share_asked_for() -> None:
    config = SyntheticConfig(height=32, width=16, nuisance=0.5)
    found = [str(render(pid, 1 + pid % 6, 0, config).facts["nuisance"]) for pid in range(200)]
    assert 70 <= sum(name != "none" for name in found) <= 130
    for name in NUISANCES:
        assert found.count(name) >= 8
    calm = dataclasses.replace(config, nuisance=0.0)
    assert {str(render(p, 1, 0, calm).facts["nuisance"]) for p in range(10)} == {"none"}


def test_garment_colours_come_in_the_groups_asked_for() -> None:
    pairs = {group_colours(group) for group in range(5)}
    assert len(pairs) == 5
    tops = {identity(pid, 2, 0).top.colour[0] // 48 for pid in range(60)}
    assert len(tops) <= 4  # Two colours, jittered.


def test_any_two_cameras_differ_in_tint() -> None:
    config = dataclasses.replace(CONFIG, nuisance=0.0)
    ratios = []
    for camera in range(1, 7):
        means = [render(p, camera, 0, config).image.mean(axis=(0, 1)) for p in range(6)]
        ratios.append(np.mean([mean / mean.sum() for mean in means], axis=0))
    gaps = [np.abs(a - b).max() for k, a in enumerate(ratios) for b in ratios[:k]]
    assert min(gaps) > 0.008


def test_scenes_vary_within_a_camera() -> None:
    config = dataclasses.replace(CONFIG, nuisance=0.0)
    corners = [render(p, 4, 0, config).image[:20, :5].astype(float) for p in range(5)]
    for k, corner in enumerate(corners):
        for other in corners[:k]:
            assert np.abs(corner - other).mean() > 6


def test_no_camera_of_that_number() -> None:
    with pytest.raises(InputError, match="cameras 1 to 6, got 7"):
        render(1, 7, 0, CONFIG)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("train_ids", 0, "train_ids must be 1"),
        ("test_images", 3, "test_images must be 4"),
        ("junk", -1, "junk must be 0"),
        ("cameras", 1, "cameras must be 2"),
        ("nuisance", 1.5, "nuisance is a share"),
        ("height", 8, "8x64"),
        ("width", 20, "128x20"),
        ("test_ids", 9999, "9999"),
    ],
)
def test_settings_that_make_no_sense_are_refused(field: str, value: float, words: str) -> None:
    with pytest.raises(InputError, match=words):
        dataclasses.replace(SyntheticConfig(), **{field: value})


def test_queries_have_matches_from_other_cameras_and_lists_share_no_identity() -> None:
    config = SyntheticConfig(train_ids=9, test_ids=9)
    plan = market_plan(config)
    assert len({entry.name for entry in plan}) == len(plan)
    by = {name: [e for e in plan if e.folder == name] for name in {e.folder for e in plan}}
    queries, gallery = by["query"], by["bounding_box_test"]
    assert len(by["bounding_box_train"]) == 9 * config.train_images
    assert len(queries) + len(gallery) == 9 * config.test_images + config.distractors + config.junk
    for query in queries:
        assert any(e.person == query.person and e.camera != query.camera for e in gallery)
    keys = [(e.person, e.camera) for e in queries]
    assert len(set(keys)) == len(keys)
    assert not {e.person for e in by["bounding_box_train"]} & {e.person for e in queries + gallery}


def test_partial_set_has_its_faults_by_folder() -> None:
    plan = partial_plan(SyntheticConfig(partial_ids=3))
    assert len(plan) == 3 * 3 * 5
    assert {(e.folder, e.nuisance) for e in plan} == {
        ("occluded_body_images", "occluded"),
        ("partial_body_images", "truncated"),
        ("whole_body_images", "none"),
    }
    views = [(e.person, e.camera, e.repeat) for e in plan]
    assert len(set(views)) == len(views)


def test_histogram_counts_the_person_in_stripes() -> None:
    image = np.zeros((12, 2, 3), np.uint8)
    image[6:] = 255
    mask = np.full((12, 2), TORSO, np.uint8)
    histogram = colour_histogram(image, mask).reshape(STRIPES, BINS**3)
    np.testing.assert_array_equal(histogram[:3, 0], 1)
    np.testing.assert_array_equal(histogram[3:, -1], 1)
    assert histogram.sum() == STRIPES
    mask[:, 0] = OCCLUDER
    np.testing.assert_array_equal(colour_histogram(image, mask), histogram.ravel())
    assert colour_histogram(image, np.zeros_like(mask)).sum() == 0
