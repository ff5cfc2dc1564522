"""The inputs and the commands on a tiny run: two networks, four people, three cameras."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import mfa.cli
from mfa import presets
from mfa.cli import run as run_command
from mfa.config import Config, DataConfig, ModelConfig, OptimConfig
from mfa.datasets import load_dataset
from mfa.errors import InputError
from mfa.models import build_model
from mfa.presets import variant
from mfa.runs.checkpoint import Checkpoint
from mfa.runs.run import Run, open_run, untrained
from mfa.synthetic import SyntheticConfig, write_partial
from mfa.training.fit import fit
from viz.cli import COMMANDS
from viz.paper.build import ITEMS, build_paper
from viz.paper.figures import _explain, _images
from viz.paper.inputs import PaperInputs
from viz.paper.published import ablation_rows, published, title

LISTS = {
    "bounding_box_train": [(pid, cam) for pid in range(1, 5) for cam in (1, 2)],
    "query": [(pid, 1) for pid in range(11, 15)],
    "bounding_box_test": [(pid, cam) for pid in range(11, 15) for cam in (2, 3)],
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic set of coloured blocks and two runs on it, under one folder."""
    root = tmp_path_factory.mktemp("inputs")
    rng = np.random.default_rng(0)
    for folder, entries in LISTS.items():
        (root / "data/synthetic" / folder).mkdir(parents=True)
        for pid, cam in entries:
            blocks = rng.integers(0, 255, (4, 2, 3), dtype=np.uint8)
            picture = Image.fromarray(blocks).resize((32, 64), Image.Resampling.NEAREST)
            name = f"{pid:04}_c{cam}s1_000001_00.jpg"
            picture.save(root / "data/synthetic" / folder / name, quality=95)
    (root / "data/synthetic/synthetic.json").write_text("{}", encoding="utf-8")
    config = Config(
        model=ModelConfig(trunk="resnet10", width=8),
        data=DataConfig(height=64, width=32, pids=2, images=2, pad=2, cache=False),
        optim=OptimConfig(epochs=1, warmup_epochs=0),
    )
    data = load_dataset("synthetic", root / "data")
    for name in ("guided", "baseline"):
        for _ in fit(replace(variant(config, name), name=name), data, root / name):
            pass
    return root


@pytest.fixture
def inputs(root: Path, tmp_path: Path) -> PaperInputs:
    runs = tuple(open_run(root / name) for name in ("guided", "baseline"))
    return PaperInputs(runs, data_root=root / "data", results=tmp_path, k=3)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_what_can_be_made_is_made_and_the_rest_says_why(inputs, tmp_path):
    done = {w.name: w for w in build_paper(inputs, tmp_path / "out")}
    assert list(done) == list(ITEMS)
    left_out = {name for name, written in done.items() if written.why_not}
    assert left_out == {"fig5", "fig5-random", "bars2", "bars3", "bars-variants"}
    assert "mfa data make synthetic_partial" in done["fig5"].why_not
    assert "mfa ablate table2" in done["bars2"].why_not
    listing = (tmp_path / "out/README.md").read_text(encoding="utf-8")
    assert all(f"- {name}: " in listing for name in ITEMS)
    for written in done.values():
        assert all(path.stat().st_size for path in written.files)
    caption = (tmp_path / "out/fig6.details.md").read_text(encoding="utf-8")
    assert inputs.dataset.fingerprint[:12] in caption
    assert all(run.hash[:12] in caption for run in inputs.runs)


def test_fig5_and_its_control_show_a_drawn_partial_set(inputs, root, tmp_path):
    place = Path(shutil.copytree(root / "data", tmp_path / "data"))
    write_partial(place, SyntheticConfig(partial_ids=4))
    done = build_paper(replace(inputs, data_root=place), tmp_path, ["fig5", "fig5-random"])
    assert [written.why_not for written in done] == ["", ""]
    partial = load_dataset("synthetic_partial", place)
    for name in ("fig5", "fig5-random"):
        details = (tmp_path / f"{name}.details.md").read_text(encoding="utf-8")
        assert partial.query[0].path.name in details
    pictures = [(tmp_path / f"{name}.png").read_bytes() for name in ("fig5", "fig5-random")]
    assert pictures[0] != pictures[1]


def test_same_input_same_bytes(inputs, tmp_path):
    only = ["fig3", "fig4", "table4"]
    first, second = (build_paper(inputs, tmp_path / name, only) for name in ("one", "two"))
    for before, after in zip(first, second, strict=True):
        for one, two in zip(before.files, after.files, strict=True):
            assert one.read_bytes() == two.read_bytes(), one.name


def test_table4_never_has_a_number_without_its_origin(inputs, tmp_path):
    build_paper(inputs, tmp_path, ["table4"])
    rows = rows_of(tmp_path / "table4.csv")
    ours = [row for row in rows if row["method"] in ("guided", "baseline")]
    assert len(ours) == 2
    assert "learned gate, ours, weights" in ours[0]["source"]
    for row in rows:
        assert row["source"]
        for column, value in row.items():
            if column.endswith(" origin"):
                number = row[column.removesuffix(" origin")]
                assert bool(number) == (value != "missing")
                assert (value == "measured") <= (row in ours)
    expected = f"{100 * inputs.result(inputs.runs[0], inputs.dataset).mAP:.1f}"
    assert ours[0]["Synthetic mAP"] == expected
    (pcb,) = [row for row in rows if row["method"] == "PCB"]
    assert (pcb["Market-1501 mAP"], pcb["Market-1501 mAP origin"]) == ("77.4", "unverified")
    assert pcb["DukeMTMC mAP origin"] == "published"
    assert pcb["CUHK03 mAP"] == ""


def test_table1_counts_what_is_on_disk_beside_the_published_sizes(inputs, tmp_path):
    build_paper(inputs, tmp_path, ["table1"])
    rows = {(row["dataset"], row["list"]): row for row in rows_of(tmp_path / "table1.csv")}
    assert rows["Synthetic", "gallery"]["images here"] == "8"
    assert rows["Market-1501", "train"]["images"] == "12936"
    assert rows["Market-1501", "train"]["images here"] == ""
    assert rows["DukeMTMC", "train"]["images origin"] == "unverified"


def test_ablation_rows_become_means_over_seeds_in_tables_and_bars(inputs, tmp_path):
    table = pd.DataFrame(
        [
            {"row": "Baseline", "seed": seed, "dataset": "synthetic", "mAP": 50 + seed, "rank1": 60}
            for seed in (0, 2)
        ]
    )
    table.to_csv(tmp_path / "table2-synthetic.csv", index=False)
    done = build_paper(inputs, tmp_path / "out", ["table2", "bars2"])
    assert not any(written.why_not for written in done)
    rows = rows_of(tmp_path / "out/table2.csv")
    measured = [row for row in rows if row["Synthetic mAP origin"] == "measured"]
    assert [(row["method"], row["Synthetic mAP"]) for row in measured] == [
        ("Baseline", "51.0 ± 1.4")
    ]
    assert rows[0]["Market-1501 R1"] == "93.6"
    assert rows[1]["source"] == "the paper's figure did not survive"


def test_a_commit_that_looks_like_a_number_stays_one(tmp_path):
    row = "row,seed,dataset,mAP,rank1,commit\nBaseline,0,synthetic,1.0,2.0,979e800\n"
    (tmp_path / "table3-synthetic.csv").write_text(row, encoding="utf-8")
    assert ablation_rows("table3", tmp_path)["commit"].tolist() == ["979e800"]


def test_rows_without_their_columns_are_refused(tmp_path):
    (tmp_path / "table3-x.csv").write_text("row,seed\nBaseline,0\n")
    with pytest.raises(InputError, match=r"table3-x\.csv has no column 'dataset'"):
        ablation_rows("table3", tmp_path)


def test_captions_say_where_heads_are_coarsened(inputs, tmp_path):
    for hide in (True, False):
        build_paper(replace(inputs, blur_faces=hide), tmp_path, ["fig6"])
        caption = (tmp_path / "fig6.caption.md").read_text(encoding="utf-8")
        assert ("The top of each picture is coarsened." in caption) is hide


def test_a_fused_map_without_anything_positive_says_so(inputs):
    blind = untrained(inputs.runs[0].config)
    for head in blind.model.heads.values():
        torch.nn.init.zeros_(head.neck.weight)  # whatever the picture, the descriptor is the bias
        torch.nn.init.ones_(head.neck.bias)
    figure = ITEMS["fig7"](replace(inputs, runs=(inputs.runs[0], blind))).figure
    said = [[text.get_text() for text in axis.texts] for axis in figure.axes]
    assert said == [[], [], ["empty"]] * 4


def test_a_network_with_sie_is_told_whose_picture_it_is(inputs):
    data = inputs.dataset
    config = presets.get("transreid-demo")
    config = replace(config, model=replace(config.model, width=8))
    network = build_model(config.model, cameras=(1, 2, 3))
    tensors = {f"model.{name}": value for name, value in network.state_dict().items()}
    facts = {"fingerprint": data.fingerprint, "cameras": (1, 2, 3), "dataset": data.name}
    run = Run(Path("told"), Checkpoint(config, 1, 0, tensors, facts))
    samples = list(data.query[:2])
    images = _images(run, samples)
    maps = _explain(inputs, run, data, samples, images)
    seen = torch.tensor([sample.camid for sample in samples])
    with torch.no_grad():
        output = run.model(torch.from_numpy(images) / 255, seen)
    own = (output.embedding * output.descriptor).sum(dim=1)
    np.testing.assert_allclose(maps.scores["fused"], own, atol=1e-5)


def test_positions_outside_the_list_are_refused(inputs):
    with pytest.raises(InputError, match="no query 9 in synthetic: there are 4"):
        ITEMS["fig4"](replace(inputs, queries=(9,)))


def test_unknown_items_are_refused(inputs, tmp_path):
    with pytest.raises(InputError, match="no figure or table 'fig9'"):
        build_paper(inputs, tmp_path, ["fig9"])


def test_random_weights_are_called_random(inputs):
    words = ITEMS["fig4-random"](inputs).caption
    assert "random weights, never trained" in words
    assert "Control: what these maps show, no training taught" in words


def test_titles_of_datasets():
    assert title("cuhk03_labeled") == "CUHK03 labeled"
    assert title("synthetic_partial_occluded") == "Synthetic partial occluded"
    assert title("mine") == "mine"
    assert set(published()["confidence"]) == {"read", "computed", "unverified"}


@pytest.mark.parametrize(
    ("command", "made"),
    [
        (["grid", "{root}/guided", "{root}/baseline", "--count", "2"], "grid-worst"),
        (["curves", "{root}/guided"], "curves"),
        (["maps", "{root}/guided", "--positions", "0", "2", "--reference", "4"], "maps"),
    ],
)
def test_commands_write_where_they_say(root, tmp_path, capsys, command, made):
    words = [word.format(root=root) for word in command]
    place = ["--out", str(tmp_path / made)]
    data = [] if command[0] == "curves" else ["--data-root", str(root / "data")]
    assert run_command("mfa-viz", COMMANDS, [*words, *place, *data]) == 0
    printed = capsys.readouterr().out.splitlines()
    endings = ("png", "pdf", "svg", "caption.md", "details.md")
    assert printed == [str(tmp_path / f"{made}.{form}") for form in endings]
    assert Image.open(printed[0]).width == 2100  # 7 inches at 300 dots
    assert open_run(root / "guided").hash[:12] in Path(printed[4]).read_text(encoding="utf-8")


def test_grid_command_draws_models_from_elsewhere_beside_a_run(root, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code = "def rows(x):\n    return x.mean(axis=3).reshape(len(x), -1)\n"
    (tmp_path / "own.py").write_text(code)
    theirs = ["own.py:rows,size=64x32,name=a", "own.py:rows,size=16x8,name=b"]
    data = ["--data-root", str(root / "data"), "--queries", "0", "1", "--k", "3"]
    words = ["grid", str(root / "guided"), *theirs, *data, "--out", str(tmp_path / "grid")]
    assert run_command("mfa-viz", COMMANDS, words) == 0
    caption = (tmp_path / "grid.details.md").read_text(encoding="utf-8")
    assert all(word in caption for word in ("guided: mAP", "a: mAP", "b: mAP", "64x32", "16x8"))
    rows = [Image.open(tmp_path / "grid.png").height]
    alone = ["grid", str(root / "guided"), *data, "--out", str(tmp_path / "alone")]
    assert run_command("mfa-viz", COMMANDS, alone) == 0
    assert rows[0] > 2.5 * Image.open(tmp_path / "alone.png").height
    # A model alone: it knows no dataset, and its pictures go where one stands.
    assert run_command("mfa-viz", COMMANDS, ["grid", theirs[0], *data]) == 2
    assert "say which dataset" in capsys.readouterr().err
    assert run_command("mfa-viz", COMMANDS, ["grid", theirs[0], *data, "--data", "synthetic"]) == 0
    assert (tmp_path / "figures" / "grid-0-1.png").is_file()


def test_figures_command_leaves_words_on_stderr_and_paths_on_stdout(root, tmp_path, capsys):
    words = ["figures", "--run", str(root / "guided"), "--out", str(tmp_path)]
    more = ["--only", "table5,fig5", "--data-root", str(root / "data")]
    assert run_command("mfa-viz", COMMANDS, [*words, *more]) == 2  # fig5 was asked for by name
    shown = capsys.readouterr()
    assert [Path(line).name for line in shown.out.splitlines()] == [
        "table5.tex", "table5.md", "table5.csv", "table5.bundle.json",
    ]  # fmt: skip
    assert "1 of 2 made; left out: fig5" in shown.err


def test_a_bundle_names_what_differs(root, tmp_path, capsys):
    words = ["figures", "--run", str(root / "guided"), "--out", str(tmp_path), "--only", "fig6"]
    assert run_command("mfa-viz", COMMANDS, [*words, "--data-root", str(root / "data")]) == 0
    bundle = tmp_path / "fig6.bundle.json"

    def verify(*more: str) -> tuple[object, list[str]]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            run_command("mfa", mfa.cli.COMMANDS, ["verify", str(bundle), *more])
        lines = capsys.readouterr().out.splitlines()
        return left.value.code, [line.removeprefix(f"{bundle}: ") for line in lines]

    assert verify("--derived") == (False, ["as it was drawn"])
    content = json.loads(bundle.read_text())
    assert content["inputs"]["run guided"] == open_run(root / "guided").hash
    (shown,) = [axes for axes in content["numbers"] if axes.get("images")][:1]
    picture, shown["images"][0] = shown["images"][0], "0" * 16
    bundle.write_text(json.dumps(content))
    (tmp_path / "fig6.svg").unlink()
    drawn = bytearray((tmp_path / "fig6.png").read_bytes())
    drawn[len(drawn) // 2] ^= 1
    (tmp_path / "fig6.png").write_bytes(drawn)
    status, differences = verify()
    assert status
    assert len(differences) == 3
    assert differences[0].startswith(f"file fig6.png is {content['files']['fig6.png']}, found ")
    assert differences[1] == f"file fig6.svg is {content['files']['fig6.svg']}, found missing"
    assert differences[2].endswith(f"images / 0 is {'0' * 16}, recomputed {picture}")
    assert len(verify("--derived")[1]) == 2
    for odd in ({"command": ["app", "--host", "0.0.0.0"]}, {"name": 3}, {"files": []}):
        bundle.write_text(json.dumps(content | odd))
        assert run_command("mfa", mfa.cli.COMMANDS, ["verify", str(bundle)]) == 2


def test_charts_command_draws_what_it_can_and_says_the_rest(root, tmp_path, capsys):
    words = ["charts", str(root / "guided"), "--out", str(tmp_path), "--projection", "pca"]
    assert run_command("mfa-viz", COMMANDS, [*words, "--data-root", str(root / "data")]) == 0
    shown = capsys.readouterr()
    made = {Path(line).name.partition(".")[0] for line in shown.out.splitlines()}
    assert made == {
        "cmc", "ap", "distances", "roc", "cameras", "branches", "descriptors", "thresholds",
    }  # fmt: skip
    run = open_run(root / "guided")
    for name in made - {"thresholds"}:
        assert run.hash[:12] in (tmp_path / f"{name}.details.md").read_text(encoding="utf-8")
    assert run.hash[:12] in (tmp_path / "thresholds.details.md").read_text(encoding="utf-8")
    assert "gallery left out: every gallery picture shows a person of the query list" in shown.err


def test_data_command_draws_the_sheets(root, tmp_path, capsys):
    words = ["data", "synthetic", "--out", str(tmp_path), "--data-root", str(root / "data")]
    assert run_command("mfa-viz", COMMANDS, words) == 0
    made = {Path(line).name.partition(".")[0] for line in capsys.readouterr().out.splitlines()}
    assert made == {"samples", "synthetic-people", "synthetic-cameras"}


def test_a_wrong_query_word_is_one_line(root, capsys):
    words = ["grid", str(root / "guided"), "--queries", "best", "--data-root", str(root / "data")]
    assert run_command("mfa-viz", COMMANDS, words) == 2
    assert "--queries is worst, first_error, mixed, random or numbers" in capsys.readouterr().err
