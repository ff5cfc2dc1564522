from __future__ import annotations

import pytest

from mfa.training.collapse import CollapseWatch


def warnings(
    epochs: list[tuple[float, float]], start: float | None = None
) -> list[tuple[str, ...]]:
    watch = CollapseWatch(start)
    return [watch.update(norm, triplet) for norm, triplet in epochs]


def test_a_healthy_training_is_silent() -> None:
    epochs = [(18.0, 0.9), (19.0, 0.6), (17.0, 0.4), (16.0, 0.2), (15.0, 0.1)]
    assert not any(warnings(epochs))


def test_a_norm_under_a_fifth_of_its_start_is_told_with_figures_and_a_remedy() -> None:
    found = warnings([(25.0, 0.9), (6.0, 0.5), (5.0, 0.4), (0.8, 0.3)])
    assert [len(sentences) for sentences in found] == [0, 0, 0, 1]
    sentence = found[3][0]
    assert "0.8, only 3% of the 25 it started with" in sentence
    for remedy in ("gla_weight", "warmup", "guided"):
        assert remedy in sentence


def test_the_start_can_be_given_where_the_first_epoch_already_collapsed() -> None:
    assert not any(warnings([(1.0, 0.5), (1.0, 0.5)]))
    assert all(warnings([(1.0, 0.5), (1.0, 0.5)], start=25.0))


def test_triplet_at_ln_2_while_the_norm_falls_needs_two_epochs_in_a_row() -> None:
    found = warnings([(10.0, 0.70), (9.0, 0.69), (8.0, 0.70), (7.0, 0.70)])
    assert [len(sentences) for sentences in found] == [0, 0, 1, 1]
    assert "2 epochs" in found[2][0]
    assert "3 epochs" in found[3][0]
    assert "gla_weight" in found[2][0]


@pytest.mark.parametrize(
    "epochs",
    [
        [(10.0, 0.69), (10.0, 0.69), (10.0, 0.69), (11.0, 0.69)],  # the norm stands or grows
        [(10.0, 0.69), (9.0, 0.69), (9.5, 0.69), (9.0, 0.69)],  # it falls now and then
        [(10.0, 0.9), (9.0, 0.64), (8.0, 0.6), (7.0, 0.77), (6.0, 0.8)],  # outside the band
        [(10.0, 0.69), (9.0, 0.69), (8.0, 0.5), (7.0, 0.69)],  # interrupted
        [(10.0, 0.9), (26.0, 0.7), (25.0, 0.69), (24.0, 0.67)],  # eases back, still above its start
    ],
)
def test_no_alarm(epochs: list[tuple[float, float]]) -> None:
    assert not any(warnings(epochs))


@pytest.mark.parametrize("triplet", [0.65, 0.76])
def test_the_band_includes_its_ends(triplet: float) -> None:
    assert warnings([(10.0, triplet), (9.0, triplet), (8.0, triplet)])[2]


def test_both_signs_are_two_sentences() -> None:
    assert len(warnings([(25.0, 0.7), (6.0, 0.7), (0.8, 0.7)])[2]) == 2
