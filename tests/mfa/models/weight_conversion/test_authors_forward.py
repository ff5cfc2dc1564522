"""Imported networks against the forward pass of their authors, written out from its definition.

Each reference works on the tensors alone, under the names and in the order of the authors' files;
nothing of this package computes in it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from mfa.models import ReidNetwork
from mfa.models.weight_conversion import Imported, convert

PEOPLE = 5
DEPTHS = (3, 4, 6, 3)


class Theirs(dict[str, Tensor]):
    """Tensors of a file, drawn on the way in and used on the way out."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = torch.Generator().manual_seed(0)

    def draw(self, *shape: int, scale: float = 1.0) -> Tensor:
        return torch.randn(shape, generator=self.generator) * scale

    def add_conv(self, name: str, shape: tuple[int, ...], *, bias: bool = False) -> None:
        self[f"{name}.weight"] = self.draw(*shape, scale=math.prod(shape[1:]) ** -0.5)
        if bias:
            self[f"{name}.bias"] = self.draw(shape[0], scale=0.1)

    def add_norm(self, name: str, width: int, *, running: bool = True) -> None:
        self[f"{name}.weight"] = 1 + self.draw(width, scale=0.1)
        self[f"{name}.bias"] = self.draw(width, scale=0.1)
        if running:
            self[f"{name}.running_mean"] = self.draw(width, scale=0.1)
            self[f"{name}.running_var"] = 1 + self.draw(width).abs()
            self[f"{name}.num_batches_tracked"] = torch.tensor(3)

    def conv(self, name: str, x: Tensor, stride: int = 1, groups: int = 1) -> Tensor:
        weight = self[f"{name}.weight"]
        pad = weight.shape[2] // 2
        return F.conv2d(x, weight, self.get(f"{name}.bias"), stride, pad, groups=groups)

    def linear(self, name: str, x: Tensor) -> Tensor:
        return F.linear(x, self[f"{name}.weight"], self.get(f"{name}.bias"))

    def norm(self, name: str, x: Tensor) -> Tensor:
        """Batch normalisation, or IBN where the file has its two halves."""
        if f"{name}.IN.weight" in self:
            first, rest = x.chunk(2, dim=1)
            scale, shift = (self[f"{name}.IN.{part}"] for part in ("weight", "bias"))
            first = F.instance_norm(first, weight=scale, bias=shift)
            return torch.cat([first, self.norm(f"{name}.BN", rest)], dim=1)
        parts = ("running_mean", "running_var", "weight", "bias")
        return F.batch_norm(x, *(self[f"{name}.{part}"] for part in parts))

    def layer_norm(self, name: str, x: Tensor) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], self[f"{name}.weight"], self[f"{name}.bias"], 1e-6)


def add_resnet(file: Theirs, prefix: str, width: int, *, ibn: bool = False) -> None:
    """A ResNet-50 of ``width`` channels, in the order of its modules."""
    file.add_conv(f"{prefix}conv1", (width, 3, 7, 7))
    file.add_norm(f"{prefix}bn1", width)
    channels = width
    for layer, depth in enumerate(DEPTHS, start=1):
        planes = width * 2 ** (layer - 1)
        for block in range(depth):
            name = f"{prefix}layer{layer}.{block}"
            file.add_conv(f"{name}.conv1", (planes, channels, 1, 1))
            if ibn and layer < 4:
                file.add_norm(f"{name}.bn1.IN", planes // 2, running=False)
                file.add_norm(f"{name}.bn1.BN", planes - planes // 2)
            else:
                file.add_norm(f"{name}.bn1", planes)
            file.add_conv(f"{name}.conv2", (planes, planes, 3, 3))
            file.add_norm(f"{name}.bn2", planes)
            file.add_conv(f"{name}.conv3", (4 * planes, planes, 1, 1))
            file.add_norm(f"{name}.bn3", 4 * planes)
            if block == 0:
                file.add_conv(f"{name}.downsample.0", (4 * planes, channels, 1, 1))
                file.add_norm(f"{name}.downsample.1", 4 * planes)
            channels = 4 * planes


def resnet(
    file: Theirs, prefix: str, x: Tensor, *, stem_relu: bool, strides: Sequence[int]
) -> Tensor:
    """The last map; AGW's non-local blocks stand behind the last blocks of layers 2 and 3."""
    x = file.norm(f"{prefix}bn1", file.conv(f"{prefix}conv1", x, 2))
    x = F.max_pool2d(x.relu() if stem_relu else x, 3, 2, 1)
    for layer, (depth, stride) in enumerate(zip(DEPTHS, strides, strict=True), start=1):
        for block in range(depth):
            name = f"{prefix}layer{layer}.{block}"
            first = stride if block == 0 else 1
            y = file.norm(f"{name}.bn1", file.conv(f"{name}.conv1", x)).relu()
            y = file.norm(f"{name}.bn2", file.conv(f"{name}.conv2", y, first)).relu()
            y = file.norm(f"{name}.bn3", file.conv(f"{name}.conv3", y))
            if block == 0:
                x = file.norm(f"{name}.downsample.1", file.conv(f"{name}.downsample.0", x, first))
            x = (x + y).relu()
            number = block - depth + layer  # two in layer 2, three in layer 3
            if f"{prefix}NL_{layer}.{number}.g.weight" in file:
                x = non_local(file, f"{prefix}NL_{layer}.{number}", x)
    return x


def non_local(file: Theirs, name: str, x: Tensor) -> Tensor:
    g, theta, phi = (file.conv(f"{name}.{part}", x).flatten(2) for part in ("g", "theta", "phi"))
    pixels = x.shape[2] * x.shape[3]
    mixed = torch.stack(
        [
            (theta[:, :, i, None] * phi).sum(dim=1, keepdim=True).mul(g).sum(2)
            for i in range(pixels)
        ],
        dim=2,
    )
    mixed = (mixed / pixels).view(*mixed.shape[:2], *x.shape[2:])
    return x + file.norm(f"{name}.W.1", file.conv(f"{name}.W.0", mixed))


def add_neck(file: Theirs, width: int) -> None:
    file.add_norm("bottleneck", width)
    file.add_conv("classifier", (PEOPLE, width))


def imported_from(file: Theirs, source: str) -> tuple[Imported, Tensor, Tensor]:
    """What comes in, pictures for it, and the same as the authors normalise them."""
    imported = convert(file, source)
    pictures = torch.rand(2, 3, 64, 32, generator=torch.Generator().manual_seed(1))
    return imported, pictures, imported.network.normalise(pictures)


def compare(network: ReidNetwork, pictures: Tensor, theirs: Tensor) -> None:
    with torch.no_grad():
        found = network(pictures).descriptor
    torch.testing.assert_close(found, F.normalize(theirs, dim=1), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("ibn", [False, True])
def test_bagtricks(ibn: bool) -> None:
    file = Theirs()
    add_resnet(file, "base.", 8, ibn=ibn)
    add_neck(file, 256)
    imported, pictures, seen = imported_from(file, "bagtricks")
    assert (imported.config.network, imported.config.authors_code) == ("bagtricks", not ibn)
    assert (imported.missing, imported.notes) == ((), ())
    x = resnet(file, "base.", seen, stem_relu=ibn, strides=(1, 2, 2, 1))
    compare(imported.network, pictures, file.norm("bottleneck", x.mean(dim=(2, 3))))


def test_agw() -> None:
    file = Theirs()
    add_resnet(file, "base.", 8)
    for layer, channels in ((2, 64), (3, 128)):
        for number in range(layer):
            name = f"base.NL_{layer}.{number}"
            file.add_conv(f"{name}.g", (1, channels, 1, 1), bias=True)
            file.add_conv(f"{name}.W.0", (channels, 1, 1, 1), bias=True)
            file.add_norm(f"{name}.W.1", channels)
            file.add_conv(f"{name}.theta", (1, channels, 1, 1), bias=True)
            file.add_conv(f"{name}.phi", (1, channels, 1, 1), bias=True)
    file["global_pool.p"] = torch.tensor([2.5])
    add_neck(file, 256)
    imported, pictures, seen = imported_from(file, "agw")
    assert (imported.config.network, imported.missing) == ("agw", ())
    x = resnet(file, "base.", seen, stem_relu=False, strides=(1, 2, 2, 1))
    pooled = x.clamp(min=1e-6).pow(2.5).mean(dim=(2, 3)).pow(1 / 2.5)
    compare(imported.network, pictures, file.norm("bottleneck", pooled))


@pytest.mark.parametrize("stride", [None, 16])
def test_layumis_resnet(stride: int | None) -> None:
    file = Theirs()
    add_resnet(file, "model.", 8)
    file.add_conv("model.fc", (1000, 256), bias=True)
    file.add_conv("classifier.add_block.0", (512, 256), bias=True)
    file.add_norm("classifier.add_block.1", 512)
    file.add_conv("classifier.classifier.0", (PEOPLE, 512), bias=True)
    imported = convert(file, "layumi", stride=stride)
    assert (imported.config.network, imported.missing) == ("layumi", ())
    pictures = torch.rand(2, 3, 64, 32)
    last = 2 if stride is None else 1
    seen = imported.network.normalise(pictures)
    x = resnet(file, "model.", seen, stem_relu=True, strides=(1, 2, 2, last))
    vector = file.linear("classifier.add_block.0", x.mean(dim=(2, 3)))
    compare(imported.network, pictures, file.norm("classifier.add_block.1", vector))


def test_torchreids_resnet() -> None:
    file = Theirs()
    add_resnet(file, "", 8)
    file.add_conv("classifier", (PEOPLE, 256), bias=True)
    imported, pictures, seen = imported_from(file, "torchreid")
    x = resnet(file, "", seen, stem_relu=True, strides=(1, 2, 2, 2))
    compare(imported.network, pictures, x.mean(dim=(2, 3)))


def add_osnet(file: Theirs, width: int, names: dict[str, str]) -> None:
    """OSNet's stages under ``names``, each followed by what the authors' modules are called."""
    sizes = [width, 4 * width, 6 * width, 8 * width]

    def layer(name: str, channels: int, out: int, kernel: int = 1) -> None:
        file.add_conv(f"{name}.conv", (out, channels, kernel, kernel))
        file.add_norm(f"{name}.bn", out)

    def light(name: str, channels: int) -> None:
        file.add_conv(f"{name}.conv1", (channels, channels, 1, 1))
        file.add_conv(f"{name}.conv2", (channels, 1, 3, 3))
        file.add_norm(f"{name}.bn", channels)

    layer(names["conv1"], 3, width, 7)
    for stage in (2, 3, 4):
        channels, out = sizes[stage - 2], sizes[stage - 1]
        inner = out // 4
        for block in range(2):
            name = names[f"conv{stage}.{block}"]
            layer(f"{name}.conv1", channels, inner)
            light(f"{name}.conv2a", inner)
            for letter, depth in (("b", 2), ("c", 3), ("d", 4)):
                for number in range(depth):
                    light(f"{name}.conv2{letter}.{number}", inner)
            gate = max(inner // 16, 1)
            file.add_conv(f"{name}.gate.fc1", (gate, inner, 1, 1), bias=True)
            file.add_conv(f"{name}.gate.fc2", (inner, gate, 1, 1), bias=True)
            layer(f"{name}.conv3", inner, out)
            if channels != out:
                layer(f"{name}.downsample", channels, out)
            channels = out
        if stage < 4:
            layer(names[f"conv{stage}.2"] + ".0", out, out)
    layer(names["conv5"], sizes[3], sizes[3])


def osnet(file: Theirs, names: dict[str, str], x: Tensor) -> Tensor:
    """OSNet's last map."""

    def layer(name: str, x: Tensor, stride: int = 1) -> Tensor:
        return file.norm(f"{name}.bn", file.conv(f"{name}.conv", x, stride))

    def light(name: str, x: Tensor) -> Tensor:
        x = file.conv(f"{name}.conv1", x)
        return file.norm(f"{name}.bn", file.conv(f"{name}.conv2", x, groups=x.shape[1])).relu()

    x = F.max_pool2d(layer(names["conv1"], x, 2).relu(), 3, 2, 1)
    for stage in (2, 3, 4):
        for block in range(2):
            name = names[f"conv{stage}.{block}"]
            start = layer(f"{name}.conv1", x).relu()
            mixed = torch.zeros_like(start)
            for letter, depth in (("a", 1), ("b", 2), ("c", 3), ("d", 4)):
                stream = start
                for number in range(depth):
                    place = "" if letter == "a" else f".{number}"
                    stream = light(f"{name}.conv2{letter}{place}", stream)
                means = stream.mean(dim=(2, 3), keepdim=True)
                gate = file.conv(f"{name}.gate.fc1", means).relu()
                mixed = mixed + stream * file.conv(f"{name}.gate.fc2", gate).sigmoid()
            own = f"{name}.downsample"
            x = layer(own, x) if f"{own}.conv.weight" in file else x
            x = (x + layer(f"{name}.conv3", mixed)).relu()
        if stage < 4:
            x = F.avg_pool2d(layer(names[f"conv{stage}.2"] + ".0", x).relu(), 2, 2)
    return layer(names["conv5"], x).relu()


def test_osnet() -> None:
    stages = ("conv1", "conv5", *(f"conv{s}.{b}" for s in (2, 3, 4) for b in range(3)))
    names = {name: name for name in stages}
    file = Theirs()
    add_osnet(file, 16, names)
    file.add_conv("fc.0", (512, 128), bias=True)
    file.add_norm("fc.1", 512)
    file.add_conv("classifier", (PEOPLE, 512), bias=True)
    imported, pictures, seen = imported_from(file, "torchreid")
    assert (imported.config.network, imported.missing) == ("osnet", ())
    vector = file.linear("fc.0", osnet(file, names, seen).mean(dim=(2, 3)))
    compare(imported.network, pictures, file.norm("fc.1", vector).relu())


@pytest.mark.parametrize("trunk", ["backone", "backbone"])
def test_lightmbns_global_branch(trunk: str) -> None:
    names = {
        "conv1": f"{trunk}.0",
        **{f"conv2.{block}": f"{trunk}.2.{block}" for block in range(3)},
        "conv3.0": f"{trunk}.3",
        "conv3.1": "global_branch.0.0",
        "conv3.2": "global_branch.0.1",
        "conv4.0": "global_branch.1.0",
        "conv4.1": "global_branch.1.1",
        "conv5": "global_branch.2",
    }
    file = Theirs()
    add_osnet(file, 16, names)
    file.add_conv("partial_branch.2.conv", (128, 128, 1, 1))
    imported, pictures, seen = imported_from(file, "lightmbn")
    assert "not built here" in imported.left_out["partial_branch.2.conv.weight"]
    with torch.no_grad():
        found = imported.network.trunk_map(pictures)
    torch.testing.assert_close(found, osnet(file, names, seen), atol=1e-5, rtol=1e-4)


HEADS, WIDTH = 12, 96


def add_block(file: Theirs, name: str) -> None:
    file.add_norm(f"{name}.norm1", WIDTH, running=False)
    file.add_conv(f"{name}.attn.qkv", (3 * WIDTH, WIDTH), bias=True)
    file.add_conv(f"{name}.attn.proj", (WIDTH, WIDTH), bias=True)
    file.add_norm(f"{name}.norm2", WIDTH, running=False)
    file.add_conv(f"{name}.mlp.fc1", (4 * WIDTH, WIDTH), bias=True)
    file.add_conv(f"{name}.mlp.fc2", (WIDTH, 4 * WIDTH), bias=True)


def block(file: Theirs, name: str, x: Tensor) -> Tensor:
    batch, count, _ = x.shape
    qkv = file.linear(f"{name}.attn.qkv", file.layer_norm(f"{name}.norm1", x))
    q, k, v = (part.view(batch, count, HEADS, -1).transpose(1, 2) for part in qkv.chunk(3, dim=2))
    weights = (q @ k.transpose(2, 3) / (WIDTH // HEADS) ** 0.5).softmax(dim=3)
    mixed = (weights @ v).transpose(1, 2).reshape(batch, count, WIDTH)
    x = x + file.linear(f"{name}.attn.proj", mixed)
    inner = F.gelu(file.linear(f"{name}.mlp.fc1", file.layer_norm(f"{name}.norm2", x)))
    return x + file.linear(f"{name}.mlp.fc2", inner)


def jigsaw(tokens: Tensor) -> list[Tensor]:
    """The class token with the patches of each part, as their code deals them."""
    # It starts at the fifth patch, since it counts the class token; two halves, one of each.
    patches = list(tokens[:, 1:].unbind(1))
    patches = patches[4:] + patches[:4]
    half = len(patches) // 2
    mixed = [patch for pair in zip(patches[:half], patches[half:], strict=True) for patch in pair]
    length = len(mixed) // 4
    parts = [mixed[length * i : length * (i + 1)] for i in range(4)]
    return [torch.stack([tokens[:, 0], *part], dim=1) for part in parts]


@pytest.mark.parametrize(("stride", "grid"), [(16, (16, 8)), (12, (21, 10))])
def test_transreid(stride: int, grid: tuple[int, int]) -> None:
    file = Theirs()
    file["base.cls_token"] = file.draw(1, 1, WIDTH)
    file["base.pos_embed"] = file.draw(1, 1 + grid[0] * grid[1], WIDTH)
    file["base.sie_embed"] = file.draw(3, 1, WIDTH, scale=0.1)
    file.add_conv("base.patch_embed.proj", (WIDTH, 3, 16, 16), bias=True)
    for number in range(12):
        add_block(file, f"base.blocks.{number}")
    file.add_norm("base.norm", WIDTH, running=False)
    for branch in ("b1", "b2"):
        add_block(file, f"{branch}.0")
        file.add_norm(f"{branch}.1", WIDTH, running=False)
    for part in ("", *(f"_{i}" for i in range(1, 5))):
        file.add_conv(f"classifier{part}", (PEOPLE, WIDTH))
        file.add_norm(f"bottleneck{part}", WIDTH)
    imported = convert(file, "transreid", cameras=(2, 4, 6))
    assert imported.missing == ()
    assert imported.notes  # the authors weigh and cut the descriptor in another way
    pictures = torch.rand(2, 3, 256, 128, generator=torch.Generator().manual_seed(1))

    proj = "base.patch_embed.proj"
    seen = (pictures - 0.5) / 0.5
    x = F.conv2d(seen, file[f"{proj}.weight"], file[f"{proj}.bias"], stride).flatten(2)
    cls = file["base.cls_token"].expand(2, -1, -1)
    x = torch.cat([cls, x.transpose(1, 2)], dim=1) + file["base.pos_embed"]
    x = x + 3 * file["base.sie_embed"][[1, 2]]
    for number in range(11):
        x = block(file, f"base.blocks.{number}", x)
    wanted = {"global": file.layer_norm("b1.1", block(file, "b1.0", x))[:, 0]}
    for number, tokens in enumerate(jigsaw(x), start=1):
        read = file.layer_norm("b2.1", block(file, "b2.0", tokens))[:, 0]
        wanted[f"part{number}"] = read
    with torch.no_grad():
        branches = imported.network(pictures, torch.tensor([4, 6])).branches
    for name, vector in wanted.items():
        torch.testing.assert_close(branches[name].pooled, vector, atol=1e-4, rtol=1e-3)
        neck = "bottleneck" + (f"_{name[-1]}" if name != "global" else "")
        theirs = file.norm(neck, vector)
        torch.testing.assert_close(branches[name].embedding, theirs, atol=1e-4, rtol=1e-3)
