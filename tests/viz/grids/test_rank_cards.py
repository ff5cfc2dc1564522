from dataclasses import replace

import pytest

from mfa.errors import InputError
from viz.grids import rank_cards


def test_a_row_is_the_ranking_in_order_with_what_was_counted(scored):
    row = rank_cards.rows(scored.result, scored.data, [0], k=6, include_junk=True)[0]
    assert [card.image.path.stem for card in row.cards] == [f"gallery{i}" for i in range(6)]
    kinds = ["match", "wrong", "ignored", "ignored", "match", "wrong"]
    assert [card.kind for card in row.cards] == kinds
    assert [card.rank for card in row.cards] == [1, 2, None, None, 3, 4]
    assert row.score == "AP 83.3 % · last match at rank 3"  # (1/1 + 2/3) / 2


def test_without_junk_ranks_run_through(scored):
    row = rank_cards.rows(scored.result, scored.data, [0], k=3)[0]
    shown = [(card.image.path.stem, card.rank) for card in row.cards]
    assert shown == [("gallery0", 1), ("gallery1", 2), ("gallery4", 3)]


def test_captions_give_rank_camera_and_distance(scored):
    row = rank_cards.rows(scored.result, scored.data, [0], k=3)[0]
    assert row.cards[1].caption() == ("2 · cam 2", "0.060")  # 1 - cos 20°
    assert row.cards[1].caption(narrow=True) == ("2·c2", "0.060")
    assert row.query.caption() == ("query", "cam 1")


def test_a_dropped_query_says_why_instead_of_a_score(scored):
    row = rank_cards.rows(scored.result, scored.data, [3], k=2)[0]
    assert row.score == "not counted: no gallery picture of identity 5"


def test_queries_are_chosen_by_the_result(scored):
    # AP: query 2 is 0.58 (ranks 2 and 3), query 0 0.83, query 1 1.0; query 3 does not count.
    assert rank_cards.choose(scored.result, "worst", count=2) == (2, 0)
    assert rank_cards.choose(scored.result, "first_error") == (2,)
    assert sorted(rank_cards.choose(scored.result, "random", count=9)) == [0, 1, 2]
    assert rank_cards.choose(scored.result, [3, 1]) == (3, 1)


def test_random_queries_repeat_with_the_seed(scored):
    draws = [rank_cards.choose(scored.result, "random", 2, seed=seed) for seed in (*range(8), 3)]
    assert len({*draws}) > 1
    assert draws[-1] == draws[3]


def test_bad_choices_are_sentences(scored):
    with pytest.raises(InputError, match="queries 0 to 3"):
        rank_cards.choose(scored.result, [4])
    with pytest.raises(InputError, match="worst, first_error, mixed, random or positions"):
        rank_cards.choose(scored.result, "best")


def test_pictures_left_out_of_the_features_shift_nothing(scored):
    """The features lack a broken picture the dataset still lists."""
    extra = replace(scored.data.gallery[0], path=scored.data.root / "gallery" / "broken.png")
    data = replace(scored.data, gallery=(extra, *scored.data.gallery))
    row = rank_cards.rows(scored.result, data, [0], k=2)[0]
    assert [card.image.path.stem for card in row.cards] == ["gallery0", "gallery1"]


def test_another_dataset_is_refused(scored):
    data = replace(scored.data, gallery=scored.data.query)
    with pytest.raises(InputError, match="give the dataset that the features were made on"):
        rank_cards.rows(scored.result, data, [0], k=2)[0]
