"""The parts of a run and one step of it; ``test_fit.py`` has whole runs."""

from __future__ import annotations

from math import isfinite
from typing import Any

import pytest
import torch

from mfa.config import Config, DataConfig, derive
from mfa.datasets.loading.augment import to_unit
from mfa.presets import VARIANTS, Variant, variant
from mfa.records import ReidDataset
from mfa.training.batches import Batch
from mfa.training.trainer import Trainer

CPU = torch.device("cpu")


@pytest.mark.parametrize("name", VARIANTS)
def test_each_variant_takes_a_step_that_reaches_every_parameter(
    tiny_config: Config, tiny_data: ReidDataset, name: Variant
) -> None:
    config = variant(tiny_config, name)
    made = Trainer(config, tiny_data, CPU)
    before = {n: p.detach().clone() for n, p in made.state.model.named_parameters()}
    # Half way, where a warmed-up GLA has its whole weight.
    _, terms = made.step(made.batches.first(), config.optim.epochs / 2)
    assert {n for n in terms if n.endswith("/id")} == {
        f"{branch}/id" for branch in made.state.model.widths
    }
    assert all(isfinite(value.item()) for value in terms.values())
    learned = {n: p for n, p in made.state.model.named_parameters() if p.requires_grad}
    for n, parameter in learned.items():
        assert parameter.grad is not None, n
        assert parameter.grad.isfinite().all(), n
    moved = {n for n, p in learned.items() if not torch.equal(p, before[n])}
    # Where a scale or scalar starts at 0 what feeds it has no gradient yet; all else moves.
    still = learned.keys() - moved
    assert all(".bottleneck." in n or ".cpaa." in n for n in still), still
    assert made.state.criterion.center.centers(next(iter(made.state.model.widths))).any()


def test_the_first_norm_is_taken_without_a_trace(
    tiny_config: Config, tiny_data: ReidDataset
) -> None:
    made = Trainer(tiny_config, tiny_data, CPU)
    before = {n: value.clone() for n, value in made.state.model.state_dict().items()}
    norm = made.start_norm()
    for n, value in made.state.model.state_dict().items():
        assert torch.equal(value, before[n]), n
    assert norm == made.start_norm()
    assert norm > 0


def spied_steps(made: Trainer, epochs: int, patch: pytest.MonkeyPatch) -> list[Any]:
    """(batch, done) of every step of some epochs."""
    seen = []
    step = made.step

    def spy(batch: Batch, done: float) -> Any:
        seen.append((batch, done))
        return step(batch, done)

    with patch.context() as inner:
        inner.setattr(made, "step", spy)
        for epoch in range(1, epochs + 1):
            made.run_epoch(epoch)
    return seen


def test_a_step_gets_p_times_k_pictures_in_0_to_1(
    tiny_config: Config, tiny_data: ReidDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = spied_steps(Trainer(tiny_config, tiny_data, CPU), 1, monkeypatch)
    assert [done for _, done in seen] == [i / len(seen) for i in range(len(seen))]
    for batch, _ in seen:
        images, labels = batch.images, batch.labels
        assert images.shape == (6, 3, 64, 32)
        assert images.min() >= 0
        assert 0.5 < images.max() <= 1
        assert sorted(labels.bincount().tolist())[-3:] == [2, 2, 2]
        assert torch.equal(labels[::2], labels[1::2])


def test_labels_belong_to_their_pictures(
    tiny_config: Config, tiny_data: ReidDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = derive(tiny_config, {"data.flip": 0, "data.pad": 0, "data.erasing": 0})
    made = Trainer(plain, tiny_data, CPU)
    files = to_unit(made.batches.images.batch(range(24)))
    orders: tuple[list[int], list[int]] = ([], [])
    for batch, done in spied_steps(made, 2, monkeypatch):
        assert batch.targets is batch.cameras is None
        for image, label in zip(batch.images, batch.labels.tolist(), strict=True):
            (index,) = [i for i in range(24) if torch.equal(files[i], image)]
            assert tiny_data.train_pids[label] == tiny_data.train[index].pid
            orders[int(done)].append(index)
    # Nothing twice in an epoch (four pictures a person, two a batch), and another order in each.
    assert all(len(order) == len(set(order)) >= 18 for order in orders)
    assert orders[0] != orders[1]


def test_every_epoch_and_step_draws_its_own_augmentation(
    tiny_config: Config, tiny_data: ReidDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seeds() -> list[int]:
        drawn = []

        def spy(images: torch.Tensor, _: DataConfig, generator: torch.Generator) -> torch.Tensor:
            drawn.append(generator.initial_seed())
            return images

        with monkeypatch.context() as patch:
            patch.setattr("mfa.training.batches.augment", spy)
            spied_steps(Trainer(tiny_config, tiny_data, CPU), 2, monkeypatch)
        return drawn

    first = seeds()
    assert len(set(first)) == len(first) >= 6
    assert seeds() == first


def test_the_cpu_always_computes_in_float32(tiny_config: Config, tiny_data: ReidDataset) -> None:
    assert tiny_config.optim.amp
    made = Trainer(tiny_config, tiny_data, CPU)
    output, _ = made.step(made.batches.first(), 0.0)
    assert output.trunk.dtype == torch.float32
    assert made.state.scaler.state_dict() == {}
