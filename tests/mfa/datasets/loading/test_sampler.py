from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from mfa.config import DataConfig
from mfa.datasets.loading.sampler import PKBatchSampler, ShuffledBatchSampler, make_sampler
from mfa.errors import InputError

# 12 identities with 1 to 12 pictures, in mixed order.
LABELS = np.random.default_rng(0).permutation(np.repeat(np.arange(12), np.arange(1, 13))).tolist()


def epoch(number: int, *, labels: list[int] = LABELS, **keys: int) -> list[list[int]]:
    settings = {"pids": 3, "images": 4, **keys}
    sampler = PKBatchSampler(labels, **settings)
    sampler.set_epoch(number)
    batches = list(sampler)
    assert len(sampler) == len(batches)
    return batches


@pytest.mark.parametrize(("pids", "images"), [(2, 2), (3, 4), (12, 2), (5, 7)])
def test_every_batch_is_p_people_times_k_pictures(pids: int, images: int) -> None:
    for number in range(3):
        batches = epoch(number, pids=pids, images=images)
        assert batches
        for batch in batches:
            people = [LABELS[index] for index in batch]
            assert sorted(Counter(people).values()) == [images] * pids
            # In groups: the losses may rely on it, and so may a reader of a batch.
            for start in range(0, len(batch), images):
                assert len(set(people[start : start + images])) == 1


def test_a_person_with_enough_pictures_never_shows_one_twice() -> None:
    shown = Counter(index for batch in epoch(1) for index in batch)
    sizes = Counter(LABELS)
    for index, times in shown.items():
        assert times == 1 or sizes[LABELS[index]] < 4


def test_a_small_person_repeats_only_their_own() -> None:
    labels = [0, 0, 0, 1, 2, 2, 2, 2]
    for number in range(5):
        for batch in epoch(number, labels=labels, pids=3, images=4):
            mine = [index for index in batch if labels[index] == 0]
            assert set(mine) == {0, 1, 2}  # all three, one of them twice
            assert [index for index in batch if labels[index] == 1] == [3, 3, 3, 3]


def test_an_epoch_shows_each_picture_about_once() -> None:
    labels = np.repeat(np.arange(20), 8).tolist()
    batches = epoch(0, labels=labels, pids=4, images=4)
    shown = Counter(index for batch in batches for index in batch)
    assert max(shown.values()) == 1
    # Only the groups of the last fewer than 4 people are left over.
    assert len(shown) >= 160 - 3 * 8
    # What one epoch leaves over is not what the next one leaves over.
    later = {index for n in (1, 2, 3) for batch in epoch(n, labels=labels) for index in batch}
    assert later | set(shown) == set(range(160))


def test_batches_follow_from_seed_and_epoch_alone() -> None:
    assert epoch(4, seed=7) == epoch(4, seed=7)
    assert epoch(4, seed=7) != epoch(5, seed=7)
    assert epoch(4, seed=7) != epoch(4, seed=8)
    sampler = PKBatchSampler(LABELS, pids=3, images=4, seed=7)
    for number in (1, 4, 2, 4):  # as after a resume: no memory of earlier epochs
        sampler.set_epoch(number)
        assert list(sampler) == epoch(number, seed=7)
        assert list(sampler) == epoch(number, seed=7)


def test_ranks_take_different_people_and_equally_many_batches() -> None:
    world = 3
    ranks = [epoch(2, pids=2, images=2, rank=rank, world=world) for rank in range(world)]
    assert len({len(batches) for batches in ranks}) == 1
    for parts in zip(*ranks, strict=True):
        people = [{LABELS[index] for index in part} for part in parts]
        assert [len(p) for p in people] == [2] * world
        assert len(set.union(*people)) == 2 * world
        assert all(len(part) == 4 for part in parts)
    # Together they see what one process with batches of six people would.
    together = [[i for part in parts for i in part] for parts in zip(*ranks, strict=True)]
    assert together == epoch(2, pids=6, images=2)


@pytest.mark.parametrize(("pids", "world"), [(13, 1), (5, 3)])
def test_too_few_people_is_said(pids: int, world: int) -> None:
    with pytest.raises(InputError, match=rf"takes {pids * world} .* has 12; lower data\.pids"):
        PKBatchSampler(LABELS, pids=pids, images=2, world=world)


def test_just_enough_people_is_enough() -> None:
    assert len(epoch(0, pids=12)) >= 1
    assert len(epoch(0, pids=4, world=3)) >= 1


def test_shuffled_batches_show_every_picture_at_most_once_and_differ_by_epoch() -> None:
    sampler = ShuffledBatchSampler(23, size=4, seed=1)
    seen = [index for batch in sampler for index in batch]
    assert [len(batch) for batch in sampler] == [4] * 5 == [4] * len(sampler)
    assert len(set(seen)) == 20
    assert set(seen) <= set(range(23))
    sampler.set_epoch(1)
    assert [index for batch in sampler for index in batch] != seen
    again = ShuffledBatchSampler(23, size=4, seed=1)
    assert [index for batch in again for index in batch] == seen


def test_several_processes_share_the_shuffled_pictures() -> None:
    parts = [list(ShuffledBatchSampler(23, size=4, rank=rank, world=2)) for rank in (0, 1)]
    assert [len(part) for part in parts] == [2, 2]
    assert len({index for part in parts for batch in part for index in batch}) == 16


def test_too_few_pictures_for_a_batch() -> None:
    with pytest.raises(InputError, match="takes 8 pictures but the training list has 7"):
        ShuffledBatchSampler(7, size=4, world=2)


def test_the_configuration_names_the_sampler() -> None:
    config = DataConfig(pids=2, images=2)
    labels = [0, 0, 1, 1, 2]
    assert isinstance(make_sampler(labels, config, seed=0), PKBatchSampler)
    shuffled = make_sampler(labels, replace(config, sampling="shuffled"), seed=0)
    assert isinstance(shuffled, ShuffledBatchSampler)
    assert len(shuffled) == 1
