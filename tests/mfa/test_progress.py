"""One callback for bars, apps and tests."""

from __future__ import annotations

import time

import pytest

from mfa.progress import answer, part_of, remark, reporting


def test_a_bar_asks_for_its_costly_words_only_when_it_is_drawn(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: list[int] = []

    def words() -> str:
        asked.append(1)
        return "id 6.55"

    with reporting(True, "epoch 1/2", words) as report:
        time.sleep(1.1)  # shorter work shows no bar
        for step in range(20_000):
            report(step / 20_000)
    assert len(asked) < 1_000
    assert "epoch 1/2" in capsys.readouterr().err


def test_a_callback_is_handed_on_and_parts_lie_within_the_whole() -> None:
    seen: list[float] = []
    with reporting(seen.append, "anything") as report:
        part_of(report, 0.25, 0.75)(0.5)
    assert seen == [0.5]


def test_what_is_printed_has_no_power_over_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    answer("run a\x1b[2J", "b\nc")
    remark("d\u200fe")
    with reporting(True, "scoring f\x07", lambda: "g\u202e") as report:
        time.sleep(1.1)  # shorter work shows no bar
        report(0.5)
        time.sleep(0.6)
        report(1.0)
    out, err = capsys.readouterr()
    assert out == "run a\\x1b[2J\nb\\nc\n"
    assert err.startswith("d\\u200fe\n\rscoring f\\x07: ")
    assert r"g\u202e" in err
