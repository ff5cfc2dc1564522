"""The threshold page: its numbers are those of mfa, its pairs stand on their side of the line."""

from __future__ import annotations

from typing import Any

import mfa
import viz


def test_a_threshold_from_the_share_to_the_code(world: Any, keep: Any, executed: Any) -> None:
    app = keep(viz.threshold_chooser(world.anchored, data_root=world.root))
    features = mfa.extract_features(mfa.open_run(world.anchored), world.data)
    pairs = mfa.verify(features)
    app.share.value = 0.1
    app.wait()
    assert app.state.threshold == app.threshold.value == pairs.at_fpr(0.1)["threshold"]
    assert f"of {pairs.same:,} pairs" in app.numbers.value
    for (same, accepted), cards in app.examples.items():
        table, shown = app.shown.examples[same, accepted]
        assert ((table["distance"] <= app.state.threshold) == accepted).all()
        assert [one.pid == two.pid for one, two in shown] == [same] * len(cards.items)
        assert {item["kind"] for item in cards.items} <= {"match" if same == accepted else "wrong"}
    app.threshold.value = 0.5 * app.threshold.value  # a slider that moves leaves the choice
    app.wait()
    assert app.share.value == 0.0
    people = mfa.identify(features)
    queue = people.unnamed(app.state.threshold)
    assert app.place.value.endswith(f"of {len(queue):,}")
    named = people.at_threshold(app.state.threshold)["nobody"]
    assert f"{100 * named:.1f} %" in app.numbers.value
    app.queue.selected = 1
    app.queue.clicks += 1
    app.wait()
    query, gallery = app.shown.pair
    assert (query.row, gallery.row) == tuple(queue.loc[1, ["query", "gallery"]])
    assert len(app.maps.items) == 10
    names = executed(app.code())
    assert names["queue"].equals(queue)
    assert names["shown"].axes


def test_a_prior_moves_the_probability_alone(world: Any, keep: Any) -> None:
    app = keep(viz.threshold_chooser(world.anchored, data_root=world.root, threshold=0.01))
    before = app.shown
    app.prior.value = 0.5
    app.wait()
    assert app.shown.threshold == before.threshold == 0.01
    assert app.shown.queue.equals(before.queue)
    assert app.shown.calibration.prior == 0.5
    assert (app.shown.calibration.probability(0.01) > before.calibration.probability(0.01)).all()


def test_a_share_finer_than_the_pairs_is_refused(world: Any, keep: Any) -> None:
    app = keep(viz.threshold_chooser(world.anchored, data_root=world.root))
    app.share.value = 1e-5
    assert "cannot show a false positive rate" in app.error
