from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from benchmarks import compared
from mfa.errors import InputError
from mfa.models.peers import faithful


def test_one_row_a_network_with_the_published_figure_beside_it() -> None:
    made = compared.compared(1, 64, 32, large=2, networks=["osnet", "bagtricks"])
    osnet = made["osnet"]
    assert osnet["parameters_m"] == pytest.approx(2.1695, abs=1e-3)
    assert osnet["parameters_train_m"] - osnet["parameters_m"] == pytest.approx(0.3853, abs=1e-3)
    assert osnet["published"]["parameters_m"] == 2.2
    assert osnet["images_per_second_1"] > 0
    assert osnet["images_per_second_2"] > 0
    assert osnet["memory_mib_2"] > osnet["memory_mib"] > 4 * osnet["parameters_m"] / 1.048576
    assert made["bagtricks"]["gmacs"] > osnet["gmacs"]
    json.dumps(made)


def test_every_faithful_network_is_named() -> None:
    assert set(faithful()) < set(compared.all_names())
    assert not any(name.endswith("_like") for name in compared.all_names())
    assert compared.chosen() == compared.all_names()


def test_fewer_networks_by_name() -> None:
    assert compared.chosen(["mfa", "agw", "paper"]) == (*compared.MFA, "agw")
    assert compared.chosen([]) == ()
    with pytest.raises(InputError, match="no preset 'resnet'; there are"):
        compared.chosen(["agw", "resnet"])


def test_memory_by_hand() -> None:
    # 1000 floats in, then 1000, then 1000 while the one before still lives, then a sum.
    class Twice(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return ((x + 1) * 2).sum()

    assert compared.peak_bytes(Twice(), torch.zeros(1000)) == 8000
    # A linear layer turns its weight around, which is a view and takes no memory.
    assert compared.peak_bytes(nn.Linear(100, 10, bias=False), torch.zeros(3, 100)) == 120


def test_published_figures_come_from_the_table_or_the_method(tmp_path: Path) -> None:
    file = tmp_path / "complexity.csv"
    file.write_text("method,kind,parameters_m,fps,device,source\nMFA,ours,28.3,32,GPU,the paper\n")
    assert compared.published("paper", file)["fps"] == 32
    assert compared.published("pcb", file) == {}
    assert compared.published("agw", file)["parameters_m"] == 23.5
