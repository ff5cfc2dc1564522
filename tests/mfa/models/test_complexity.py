from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from torch import nn

from mfa import presets
from mfa.cli import COMMANDS, run
from mfa.errors import InputError
from mfa.models.complexity import complexity, count_macs, count_parameters


def resnet50_macs(height: int, width: int) -> int:
    """Multiply-adds of a ResNet-50 without fc and with last stride 1, layer by layer, by hand."""
    h, w = height // 2, width // 2
    total = h * w * 64 * 3 * 7 * 7
    h, w, channels = h // 2, w // 2, 64
    for stage, (blocks, planes) in enumerate(zip((3, 4, 6, 3), (64, 128, 256, 512), strict=True)):
        for block in range(blocks):
            total += h * w * channels * planes  # 1x1, before the stride
            inside = channels
            if block == 0 and stage in (1, 2):
                h, w = h // 2, w // 2
            total += h * w * planes * planes * 9
            total += h * w * planes * 4 * planes
            if block == 0:
                total += h * w * inside * 4 * planes
            channels = 4 * planes
    return total


def mfa_macs(height: int, width: int) -> int:
    """What CPAA after layers 2 to 4 and four bottleneck branches add, by hand."""
    total = 0
    sizes = ((512, 8), (1024, 16), (2048, 16))
    for c, stride in sizes:
        n = (height // stride) * (width // stride)
        total += 2 * c * c * n  # x x^T and A x
        total += 2 * n * c * (c // 8) + n * c * (c // 8)  # q, k, and v in 8 groups
        total += n * n * (c // 8) + n * n * c  # q^T k and v P^T
    n = (height // 16) * (width // 16)
    return total + 4 * n * (2 * 2048 * 128 + 9 * 128 * 128)


@pytest.mark.parametrize(
    ("name", "parameters", "descriptor"),
    [
        ("paper", 28_298_698, 8192),
        ("guided", 28_306_902, 8192),
        ("baseline", 23_508_032 + 1 + 4096, 2048),
    ],
)
def test_size_of_the_presets(name: str, parameters: int, descriptor: int) -> None:
    found = complexity(presets.get(name))
    assert found.parameters == parameters
    assert found.parameters_train == parameters + 751 * descriptor
    assert found.descriptor_dim == descriptor


def test_macs_of_the_baseline_are_those_counted_by_hand() -> None:
    assert complexity(presets.baseline()).macs == resnet50_macs(256, 128)


def test_macs_of_mfa_are_those_counted_by_hand() -> None:
    assert complexity(presets.paper()).macs == resnet50_macs(256, 128) + mfa_macs(256, 128)


def test_identities_count_only_in_training() -> None:
    few, many = complexity(presets.demo(), 10), complexity(presets.demo(), 110)
    assert many.parameters_train - few.parameters_train == 100 * few.descriptor_dim
    assert replace(many, parameters_train=few.parameters_train) == few


def test_no_identities_are_refused() -> None:
    with pytest.raises(InputError, match="identities"):
        complexity(presets.demo(), 0)


def test_macs_of_a_convolution_by_hand() -> None:
    convolution = nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2)
    assert count_macs(convolution, torch.zeros(2, 4, 8, 10)) == 2 * (4 * 5) * 6 * (4 // 2) * 9


def test_buffers_do_not_count() -> None:
    assert count_parameters(nn.BatchNorm2d(5)) == 10


def test_no_random_number_is_drawn() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    complexity(presets.demo())
    assert torch.equal(torch.rand(3), expected)


def test_the_command_prints_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("mfa", COMMANDS, ["complexity", "demo", "--variant", "anchored", "--json"]) == 0
    found = complexity(presets.variant(presets.demo(), "anchored"))
    assert json.loads(capsys.readouterr().out) == {
        "parameters": found.parameters,
        "parameters_train": found.parameters_train,
        "macs": found.macs,
        "descriptor_dim": found.descriptor_dim,
    }


def test_the_command_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("mfa", COMMANDS, ["complexity", "demo", "--identities", "10"]) == 0
    printed = capsys.readouterr().out
    found = complexity(presets.demo(), 10)
    assert f"{found.parameters_train:,}  with classifiers of 10" in printed
    assert "96x48" in printed


def test_an_unknown_preset_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("mfa", COMMANDS, ["complexity", "papre"]) == 2
    assert capsys.readouterr().err.startswith("error: no preset 'papre'")
