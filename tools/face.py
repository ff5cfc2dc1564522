"""Make the README's small pictures: its badges, and one picture per door, from ``docs/images``.

A badge says what ``pyproject.toml`` says. A door's picture is the upper part of a picture that
``drawings.py`` or ``screenshots.py`` made, all of one size.
"""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path

from PIL import Image, ImageOps

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs/images"

DOORS = {
    "door-explore.png": "app-occlusion.png",
    "door-paper.png": "ranks.jpg",
    "door-teach.png": "app-stripes.png",
}
"""The picture of each door, and which picture it is the top of."""

SIZE = (720, 440)
"""Pixels of a door's picture; pages show it at a third of the width."""

GREY, BLUE = "#555", "#0072b2"

BADGE = """<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" \
aria-label="{label}: {value}">
<title>{label}: {value}</title>
<rect width="{width}" height="20" rx="3" fill="{grey}"/>
<path d="M{split} 0h{rest}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-{rest}z" fill="{blue}"/>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">
<text x="{left}" y="14" textLength="{label_width}">{label}</text>
<text x="{right}" y="14" textLength="{value_width}">{value}</text>
</g>
</svg>
"""


def facts() -> dict[str, tuple[str, str]]:
    """Label and value of each badge, by its file's name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {
        "badge-python.svg": ("Python", project["requires-python"].removeprefix(">=") + "+"),
        "badge-licence.svg": ("licence", project["license"]),
        "badge-hardware.svg": ("runs on", "two CPU cores"),
        "badge-paper.svg": ("paper", "10.3233/IDA-230392"),
    }


def badge(label: str, value: str) -> str:
    """A flat badge as SVG, 20 pixels high; each letter gets seven pixels."""
    label_width, value_width = (7 * len(words) for words in (label, value))
    split, rest = label_width + 12, value_width + 9
    return BADGE.format(
        **{"label": label, "value": value, "grey": GREY, "blue": BLUE},
        **{"split": split, "rest": rest, "width": split + rest + 3},
        **{"label_width": label_width, "value_width": value_width},
        left=split / 2,
        right=split + (rest + 3) / 2,
    )


def door(path: Path) -> Image.Image:
    """The top of a picture, in the shape that all doors have."""
    with Image.open(path) as picture:
        return ImageOps.fit(picture.convert("RGB"), SIZE, centering=(0.5, 0.0))


def main() -> None:
    """Write badges and doors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=IMAGES)
    out: Path = parser.parse_args().out
    for name, (label, value) in facts().items():
        (out / name).write_text(badge(label, value), encoding="utf-8")
    for name, source in DOORS.items():
        small = door(IMAGES / source).quantize(
            256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
        )
        small.save(out / name, optimize=True)


if __name__ == "__main__":
    main()
