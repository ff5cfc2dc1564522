"""No file name parses into a wrong identity silently."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfa.datasets.readers.find import LAYOUTS

NAMED = [layout for layout in LAYOUTS.values() if layout.parse(layout.example) is not None]

ALPHABET = string.ascii_letters + string.digits + "_-. ()٣２é/"
DIGITS = st.integers(0, 99999)


def near_misses() -> st.SearchStrategy[str]:
    """Names like the field's: of the right form, slightly wrong, or of another dataset."""
    form = st.sampled_from(
        [
            "{a:04}_c{b}s{c}_{d:06}_{e:02}.jpg",
            "{a:04}_c{b}_f{d:07}.jpg",
            "{a:04}_c{b}_{e}.png",
            "{a:03}_{b:03}.jpg",
            "{a:03}_{b:02}.tif",
            "{a:04}_{b:03}_{c:02}_0303morning_{d:04}_{e}.jpg",
            "{a}.jpg",
            "-1_c{b}s{c}_{d:06}_{e:02}.jpg",
            "{a:05}_c{b}s{c}_{d:06}_{e:02}.jpg",
            "-{a:04}_c{b}s{c}_{d:06}_{e:02}.jpg",
        ]
    )
    names = st.builds(
        lambda f, a, b, c, d, e: f.format(a=a, b=b, c=c, d=d, e=e),
        form, DIGITS, st.integers(0, 20), st.integers(0, 9), DIGITS, st.integers(0, 99),
    )  # fmt: skip
    edits = st.tuples(names, st.integers(0, 40), st.sampled_from(ALPHABET)).map(
        lambda t: t[0][: t[1]] + t[2] + t[0][t[1] :]
    )
    return st.one_of(names, edits, st.text(ALPHABET, max_size=40))


def leading_number(name: str) -> int | None:
    """The identity every one of these datasets writes first, read without any of their patterns."""
    digits = ""
    for character in name.removeprefix("-"):
        if character not in "0123456789":
            break
        digits += character
    return (-1 if name.startswith("-") else 1) * int(digits) if digits else None


@pytest.mark.parametrize("layout", NAMED, ids=lambda layout: layout.name)
@given(name=near_misses())
def test_what_parses_has_the_identity_the_name_begins_with(layout: object, name: str) -> None:
    parsed = layout.parse(name)  # type: ignore[attr-defined]
    if parsed is None:
        return
    pid, camid = parsed
    number = leading_number(name)
    assert number is not None
    # MSMT17 counts from 0, which means a distractor here, so its reader adds one.
    assert pid == number + (layout.name == "msmt17")  # type: ignore[attr-defined]
    camera = re.search(r"_c([0-9]+)", name)
    assert camera is None or camid == int(camera[1])
    assert pid > 0 or layout.parse is LAYOUTS["market1501"].parse  # type: ignore[attr-defined]


@pytest.mark.parametrize("layout", NAMED, ids=lambda layout: layout.name)
@given(name=near_misses())
def test_junk_around_a_name_is_never_read(layout: object, name: str) -> None:
    for spoilt in (f"x{name}", f"{name}.bak", f" {name}", f"{name}\n", f"sub/{name}"):
        assert layout.parse(spoilt) is None  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "name",
    [
        "00002_c1s1_000451_03.jpg",  # five digits: not person 2
        "0002_c1s1_000451_03",
        "0002_c1_f0046182.jpg",
        "-2_c1s1_000451_03.jpg",
        "٠٠٠٢_c1s1_000451_03.jpg",  # digits of another script
        "0002_c1s1_000451_03.jpg.jpg.jpg",
        "0002_c1s1_000451_03 (1).jpg",
    ],
)
def test_market_refuses(name: str) -> None:
    assert LAYOUTS["market1501"].parse(name) is None


@pytest.mark.parametrize(
    ("dataset", "name", "expected"),
    [
        ("market1501", "-1_c3s2_000451_03.jpg", (-1, 3)),
        ("market1501", "0000_c3s2_000451_03.jpg", (0, 3)),
        ("market1501", "1488_c6s1_000451_03.jpg.jpg", (1488, 6)),
        ("dukemtmc", "7140_c8_f0046182.jpg", (7140, 8)),
        ("cuhk03", "1467_c2_10.png", (1467, 2)),
        ("msmt17", "3059_012_15_0302afternoon_1170_1_ex.jpg", (3060, 15)),
        ("partial_reid", "060_005.jpg", (60, -1)),
        ("occluded_reid", "200_05.tif", (200, -1)),
        ("partial_ilids", "119.jpg", (119, -1)),
    ],
)
def test_published_names(dataset: str, name: str, expected: tuple[int, int]) -> None:
    assert LAYOUTS[dataset].parse(name) == expected
