"""Make the drawings of ``docs/images`` (all but the apps', see screenshots.py) on drawn people.

``python tools/drawings.py --run runs/demo/run`` takes a run of ``make demo`` and the synthetic set
that it was trained on. Full colour, 300 dots per inch; pictures of people as JPEG, the rest PNG.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

import mfa
import viz

ROOT = Path(__file__).resolve().parents[1]


def drawings(run_path: str, data_root: Path) -> dict[str, Figure]:
    """Each drawing by its file's name."""
    run = mfa.open_run(run_path)
    data = mfa.load_dataset("synthetic", data_root)
    size = {"height": run.config.data.height, "width": run.config.data.width}
    samples = [data.query[position] for position in mfa.situations(data, 4)]
    images = mfa.load_images(samples, **size, cache=None).batch(range(len(samples)))
    reference = mfa.reference_pictures(run, data)
    maps = mfa.branch_maps(run, images, reference=reference)
    random = mfa.branch_maps(mfa.untrained(run.config), images, reference=reference)
    result = mfa.evaluate(run, data)
    checks = {"random weights": random}
    rows = viz.paper.ablation_rows("variants").rename(columns={"row": "method"})
    tested = rows.groupby("method", sort=False)["p_value_over_seeds"].first().dropna().to_dict()
    test = {"reference": rows["method"].iloc[0], "test": "paired t-test over seeds"}
    return {
        "maps.jpg": viz.draw_maps(maps, images, sanity_checks=checks, tallest=9.5),
        "ranks.jpg": viz.draw_rank_grid(result, data, queries="mixed", count=3),
        "ablation.png": viz.plot_ablation(rows, p_values=tested, **test).figure,
        "synthetic-sheet.jpg": viz.draw_people(first=64),
        "synthetic-masks.png": viz.draw_people(first=64, masks=True, people=3),
    }


def main() -> None:
    """Parse, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", default="runs/demo/run")
    parser.add_argument("--data-root", type=Path, default=ROOT / "data")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/images")
    options = parser.parse_args()
    for name, figure in drawings(options.run, options.data_root).items():
        path = options.out / name
        with tempfile.TemporaryDirectory() as folder:
            (made,) = viz.save(figure, Path(folder) / "drawing", formats=("png",))
            with Image.open(made) as picture:
                picture.convert("RGB").save(path, quality=88, subsampling=0, optimize=True)
        print(path)


if __name__ == "__main__":
    main()
