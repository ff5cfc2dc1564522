from viz.paper import captions


def test_protocol_is_said_once_for_results_that_share_it(scored):
    words = captions.results({"A": scored.result, "B": scored.result}).caption
    assert words.count("3 queries against 6 gallery pictures, 1 not counted") == 1
    assert words.startswith("A: mAP 80.6, Rank-1 66.7")
    assert "; B: mAP 80.6, Rank-1 66.7" in words


def test_a_setting_says_what_the_card_states_and_nothing_else(scored):
    words = captions.setting(scored.result.card)
    assert "re-ranking: none" in words
    assert "are left out" in words  # the camera filter
    assert "not stated" not in words
    assert captions.setting({"dataset": "market1501", "fingerprint": "a" * 64, "flip": True}) == (
        f"Market1501 (fingerprint {'a' * 12}), flip test."
    )


def test_pictures_left_out_are_counted_in_the_caption():
    assert captions.setting({"left_out": ["a.jpg: empty", "b.jpg: cut"]}) == (
        "2 pictures could not be read and were left out."
    )


def test_the_maker_is_named():
    card = {"model": "demo", "checkpoint": "c" * 64, "epochs": 12, "trained_on": "synthetic"}
    assert (
        captions.maker(card) == f"model demo, weights {'c' * 12}, 12 epochs, trained on synthetic"
    )
