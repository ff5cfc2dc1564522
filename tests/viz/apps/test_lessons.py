"""Lessons: the small functions against slow loops, and every control of every lesson."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import viz
from mfa.errors import InputError
from viz import theme
from viz.apps.core import html
from viz.apps.lessons.bnneck_spaces import necked, separation
from viz.apps.lessons.bnneck_spaces import pooled as pooled_points
from viz.apps.lessons.drawing import SIDE
from viz.apps.lessons.gem_pooling import bump, parts, pooled
from viz.apps.lessons.hard_triplets import batch, hardest
from viz.apps.lessons.label_smoothing import answer, target
from viz.apps.lessons.list_scores import figures, read
from viz.apps.lessons.pk_batches import pairs
from viz.apps.lessons.reciprocal_neighbours import neighbours, pictures
from viz.apps.lessons.stripe_guidance import centres, pull

NAMES = sorted(set(viz.lessons.__all__) - {"pk_batch", "predict", "quiz", "quiz_difference"})


def moved(value: Any, control: Any) -> Any:
    if isinstance(value, str):
        return "1" + value
    step = control.max if control.max != value else control.min
    return int(step) if isinstance(value, int) else float(step)


@pytest.mark.parametrize("name", NAMES)
def test_every_control_redraws_and_the_code_makes_the_same(
    name: str, keep: Any, executed: Any
) -> None:
    lesson = keep(getattr(viz.lessons, name)())
    for field, control in lesson.controls.items():
        before = lesson.drawing.value
        control.value = moved(getattr(lesson.state, field), control)
        lesson.wait()
        assert lesson.error == ""
        assert lesson.drawing.value != before, field
    again = keep(executed(lesson.code())["shown"])
    assert again.drawing.value == lesson.drawing.value


@pytest.mark.parametrize(
    ("name", "field"), [("triplets", "anchor"), ("stripes", "step"), ("reciprocal", "query")]
)
def test_a_number_that_is_not_there_is_a_sentence(name: str, field: str, keep: Any) -> None:
    lesson = keep(getattr(viz.lessons, name)(**{field: 1000}))
    assert f"{field} goes from 0 to" in lesson.error
    lesson.set(**{field: 2})
    lesson.wait()
    assert lesson.error == ""


def test_the_notebooks_open_lessons_at_values_that_are_there(keep: Any) -> None:
    notebooks = Path(__file__).parents[3] / "notebooks"
    calls = "".join(path.read_text() for path in sorted(notebooks.glob("*.ipynb")))
    found = set(re.findall(rf"viz\.lessons\.({'|'.join(NAMES)})\(([\w=., ]*)\)", calls))
    assert len(found) > 4
    for name, given in found:
        lesson = keep(eval(f"viz.lessons.{name}({given})"))
        assert lesson.error == "", (name, given)


def test_every_picture_of_a_plane_is_inside_it(keep: Any) -> None:
    lesson = keep(viz.lessons.triplets(anchor=6, spread=1.2))
    drawn = lesson.drawing.value
    places = re.findall(r"translate\(([-\d.]+),([-\d.]+)\)", drawn)
    assert len(places) == 16
    assert all(6 <= float(x) <= SIDE - 6 for place in places for x in place)
    assert drawn.count("stroke-width='2.5' opacity") == 1  # the anchor's ring


def test_lines_to_neighbours_say_who_is_right(keep: Any) -> None:
    lesson = keep(viz.lessons.reciprocal(query=20, k=12))
    points, people = pictures()
    found = neighbours(points, 20, 12)
    right = people[found.nearest] == people[20]
    mutual = np.isin(found.nearest, found.mutual)
    lines = re.findall(r"<line [^>]*>", lesson.drawing.value)
    assert [theme.MATCH in line for line in lines] == list(right)
    assert ["dasharray" not in line for line in lines] == list(mutual)


def test_shares_are_drawn_from_the_left() -> None:
    drawn = html.bars({"one": 0.25}, limit=1, signed=False)
    assert "left:0.00%;width:25.00%" in drawn
    assert ">0.250<" in drawn
    assert "left:25.00%;width:25.00%" in html.bars({"one": -0.5}, limit=1)


def test_pk_batch_shows_what_the_sampler_draws(world: Any, keep: Any, executed: Any) -> None:
    lesson = keep(viz.lessons.pk_batch(world.data, pids=2, images=3))
    assert len(lesson.cards.items) == 6
    assert len({item["title"] for item in lesson.cards.items[:3]}) == 1
    lesson.controls["pids"].value = 3
    lesson.wait()
    assert len(lesson.cards.items) == 9
    again = keep(executed(lesson.code())["shown"])
    assert again.cards.items == lesson.cards.items


def test_pairs_by_a_loop() -> None:
    labels = np.array([0, 0, 1, 1, 1, 2])
    triplets = sum(
        labels[a] == labels[p] and a != p and labels[a] != labels[n]
        for a in range(6)
        for p in range(6)
        for n in range(6)
    )
    assert pairs(labels).triplets == triplets
    assert pairs(labels).same == 8


def test_hardest_by_a_loop_and_the_losses_by_hand() -> None:
    points, labels = batch(0.7)
    for anchor in (0, 7, 15):
        found = hardest(points, labels, anchor, 0.4)
        distance = [math.dist(points[anchor], p) for p in points]
        far = max(d for i, d in enumerate(distance) if labels[i] == labels[anchor] and i != anchor)
        near = min(d for i, d in enumerate(distance) if labels[i] != labels[anchor])
        assert found.far == pytest.approx(far)
        assert found.near == pytest.approx(near)
        assert found.hinge == pytest.approx(max(0, 0.4 + far - near))
        assert found.soft == pytest.approx(math.log(1 + math.exp(far - near)))


def test_smoothed_targets_sum_to_one_and_temperature_flattens() -> None:
    asked = target(5, 0.2)
    assert asked.sum() == pytest.approx(1)
    assert asked[0] == pytest.approx(0.8 + 0.04)
    logits = np.array([2.0, 0.0, -1.0])
    assert answer(logits, 1.0) == pytest.approx(torch.tensor(logits).softmax(0).numpy())
    assert answer(logits, 5.0).max() < answer(logits, 1.0).max()


def test_gem_goes_from_mean_to_maximum() -> None:
    values = bump(1.0, 0.2)
    assert pooled(values, 1.0) == pytest.approx(values.mean(), rel=1e-5)
    assert pooled(values, 30.0) == pytest.approx(values.max(), rel=0.15)
    ladder = [pooled(values, p) for p in (1.0, 2.0, 5.0, 20.0)]
    assert ladder == sorted(ladder)
    assert parts(values, 4.0).sum() == pytest.approx(1)


def test_the_neck_is_batchnorm_and_lets_the_cosine_see() -> None:
    points, labels = pooled_points(3.0, 2.0, 0.2)
    layer = torch.nn.BatchNorm1d(2).train()
    expected = layer(torch.from_numpy(points).float()).detach().numpy()
    assert np.allclose(necked(points), expected, atol=1e-4)
    assert separation(points, labels)[1] > 0.5
    assert separation(necked(points), labels)[1] < 0


def test_with_gla_the_branches_go_to_their_stripes_and_without_they_stay_together() -> None:
    guided, terms = pull(10.0)
    heights = centres(guided)[-1]
    assert list(heights) == sorted(heights)
    assert heights[-1] - heights[0] > 0.5
    assert terms[-1] < 0.2 * terms[0]
    alone = centres(pull(0.0)[0])[-1]
    assert np.ptp(alone) < 0.05


def test_figures_of_a_list_by_hand() -> None:
    found = figures(read("0110"))
    assert found.precision == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert found.trapezoid == pytest.approx(((0 + 1 / 2) / 2 + (1 / 2 + 2 / 3) / 2) / 2)
    assert found.penalty == pytest.approx(2 / 3)
    for wrong in ("", "012", "000"):
        with pytest.raises(InputError):
            read(wrong)


def test_mutual_neighbours_by_a_loop() -> None:
    points, _ = pictures()

    def nearest(one: int, k: int) -> list[int]:
        order = sorted(range(len(points)), key=lambda x: math.dist(points[one], points[x]))
        return [x for x in order if x != one][:k]

    for query in (0, 9, 33):
        found = neighbours(points, query, 6)
        expected = sorted(x for x in nearest(query, 6) if query in nearest(x, 6))
        assert list(found.mutual) == expected
        assert set(expected) <= set(found.expanded)


def test_a_list_that_is_none_is_told_in_the_lesson(keep: Any) -> None:
    lesson = keep(viz.lessons.ranked_list())
    lesson.set(ranking="abc")
    lesson.wait()
    assert "write the list in 1" in lesson.error
