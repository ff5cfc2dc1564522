"""A projection says what the teacher says, and reads each branch's own stripe."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import mfa
from mfa.cli import run as command
from mfa.errors import InputError
from mfa.explain.ledger import pair_ledger
from mfa.export.graph import ExportedNetwork
from mfa.models.heads import ProjectedNeck
from mfa.records import ReidDataset
from mfa.runs.export import release
from mfa.runs.run import Run, open_run
from mfa.training import projection
from mfa.training.distillation import Teacher, read_teacher
from mfa.training.trainer import Trainer


@pytest.fixture(scope="module")
def teacher_file(tiny_data: ReidDataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A teacher that knows everybody: one direction for each person, and a little noise."""
    people = np.array([sample.pid for sample in tiny_data.train])
    noise = np.random.default_rng(0).normal(0, 0.1, (len(people), 8))
    features = np.eye(8)[np.unique(people, return_inverse=True)[1]] + noise
    file = tmp_path_factory.mktemp("teacher") / "t.npz"
    np.savez(file, feature=features, name=[sample.path.name for sample in tiny_data.train])
    return file


@pytest.fixture(scope="module")
def teacher(teacher_file: Path) -> Teacher:
    return read_teacher(teacher_file)


@pytest.fixture(scope="module")
def made(trained: Path, tiny_data: ReidDataset, teacher: Teacher) -> Run:
    return projection.project(open_run(trained, "cpu"), tiny_data, teacher, width=3)


def test_the_fit_is_the_ridge_solution_by_hand() -> None:
    draw = np.random.default_rng(1)
    x, y = draw.normal(3, 2, (50, 4)), draw.normal(size=(50, 2))
    weight, bias = projection._fit(x, y)
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    penalty = projection.RIDGE * len(x) * np.eye(4)
    slope = np.linalg.solve(z.T @ z + penalty, z.T @ (y - y.mean(axis=0)))
    assert np.allclose(x @ weight.numpy().T + bias.numpy(), z @ slope + y.mean(axis=0), atol=1e-4)


def test_stripe_and_rest_make_up_the_pooled_vector(trained: Path, tiny_data: ReidDataset) -> None:
    run = open_run(trained, "cpu")
    size = run.config.data
    images = projection.load_images(
        tiny_data.train[:3], height=size.height, width=size.width, cache=None
    )
    branches = projection._branches(run)
    sums = projection._stripes(run, tiny_data, images, branches, lambda _: None)
    (output,) = run.outputs(images, tiny_data)
    for name, head in branches.items():
        found = projection._necked(head, sum(sums[name], torch.zeros(())))
        expected = output.branches[name].embedding.double().numpy()
        assert np.allclose(found, expected, atol=1e-4)


def test_a_branch_unlearns_what_the_rest_of_its_map_says(
    trained: Path, tiny_data: ReidDataset, teacher: Teacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest alone tells the people apart: a fit on pictures as they are reads it, ours not."""
    people = np.array([sample.pid for sample in tiny_data.train])
    codes = torch.from_numpy(np.unique(people, return_inverse=True)[1]).float()

    def stripes(run: Run, *_: object) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        widths, draw = run.model.pooled_widths, torch.Generator().manual_seed(0)
        own = {name: torch.rand(len(codes), n, generator=draw) for name, n in widths.items()}
        return {name: (own[name], codes[:, None].expand(-1, own[name].shape[1])) for name in own}

    monkeypatch.setattr(projection, "_stripes", stripes)
    run = open_run(trained, "cpu")
    made = projection.project(run, tiny_data, teacher, width=3)
    name, head = next(iter(projection._branches(run).items()))
    own, rest = stripes(run)[name]
    plain, _ = projection._fit(
        projection._necked(head, own + rest), teacher.targets(tiny_data.train).numpy()
    )
    ours = made.checkpoint.tensors[f"model.heads.{name}.neck.projection.weight"]
    assert ours.sum(dim=1).norm() < 0.5 * plain.sum(dim=1).norm()


def test_the_run_stays_a_run(made: Run, trained: Path, tiny_data: ReidDataset) -> None:
    assert made.model.widths == {"branch1": 3, "branch2": 3}
    pictures = [mfa.read_image(side[0].path) for side in (tiny_data.query, tiny_data.gallery)]
    ledger = pair_ledger(made, *map(np.asarray, pictures))
    assert ledger.residual < 1e-5
    before = open_run(trained, "cpu").model
    assert made.model.pooled_widths == before.pooled_widths == before.widths


def test_exported_parts_sum_to_the_embedding(made: Run) -> None:
    network = ExportedNetwork(made.model, maps=True).eval()
    picture = torch.randint(0, 256, (1, 3, 64, 32), dtype=torch.uint8)
    black = torch.zeros_like(picture)
    for part in (2, 3):
        name = network.outputs[part - 1]
        head = dict(made.model.named_heads())[name]
        assert isinstance(head.neck, ProjectedNeck)
        with torch.inference_mode():
            offset = head.neck(torch.zeros(1, head.pooled_width))
            for given in (picture, black):
                found = network(given)
                total = found[part + 1].sum(dim=(2, 3)) + offset
                assert torch.allclose(total, found[part - 1], atol=1e-4)


def test_a_projected_network_learns_on(made: Run, tiny_data: ReidDataset) -> None:
    config = replace(made.config, loss=replace(made.config.loss, gla="cosine"))
    trainer = Trainer(config, tiny_data, device=torch.device("cpu"))
    assert np.isfinite(trainer.run_epoch(1).losses["total"])


def test_the_command_writes_a_file_once(
    trained: Path, tiny_root: Path, teacher_file: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    line = ["project", str(trained), str(tmp_path / "p.safetensors"), "--teacher",
            str(teacher_file), "--data-root", str(tiny_root), "--width", "3"]  # fmt: skip
    for _ in range(2):  # the second finds what the first has finished
        assert command("mfa", {"project": mfa.cli.COMMANDS["project"]}, line) == 0
    assert open_run(tmp_path / "p.safetensors").config.model.projected_dim == 3
    assert "weights" in capsys.readouterr().out


@pytest.mark.parametrize(("width", "words"), [(8, "take a width from 1 to 7"), (0, "from 1 to 7")])
def test_a_width_that_cannot_be_had_is_a_sentence(
    trained: Path, tiny_data: ReidDataset, teacher: Teacher, width: int, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        projection.project(open_run(trained, "cpu"), tiny_data, teacher, width=width)


def test_no_second_projection(made: Run, tiny_data: ReidDataset, teacher: Teacher) -> None:
    with pytest.raises(InputError, match="projection already"):
        projection.project(made, tiny_data, teacher, width=2)


def test_released_and_opened_again(made: Run, tmp_path: Path) -> None:
    release(made, tmp_path / "r.safetensors")
    assert open_run(tmp_path / "r.safetensors", "cpu").model.widths == made.model.widths
