"""Where a trunk's weights come from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor, nn
from torchvision.models import get_model_weights

from mfa.config import ModelConfig
from mfa.errors import InputError, extra
from mfa.files import shipped
from mfa.models.mobile import MobileTrunk, rename_published
from mfa.models.tensor_files import read_tensors
from mfa.models.trunk import Trunk
from mfa.progress import remark

RELEASED = ("mfa-tiny",)
"""Names of weights that come with the product, see ``data/weights/README.md``."""


def released_file(name: str) -> Path:
    """Where the released weights ``name`` lie."""
    file = shipped(f"data/weights/{name}.safetensors")
    if not file.is_file():
        raise InputError(
            f"no {file}: the weights {name} come with the product",
            "install it again, or give the path of the file",
        )
    return file


def load_trunk_weights(trunk: Trunk, config: ModelConfig) -> None:
    """Fill ``trunk`` from ``config.weights`` and say what fitted.

    ``none``, ``imagenet`` (torchvision's or timm's), a name of ``RELEASED``, a run folder, a file
    of tensors, or for the trunk ``osnet_lct`` an OpenVINO model (``.xml``).
    """
    if config.weights == "none":
        return
    if config.weights == "imagenet":
        state = _imagenet(config)
    elif config.trunk == "osnet_lct" and Path(config.weights).suffix == ".xml":
        # Not at the top: the conversion reads whole networks, which read this module.
        from mfa.models.weight_conversion.openvino_osnet import read_osnet

        state = read_osnet(Path(config.weights))
    else:
        state = _trunk_part(read_weights(config.weights))
    if isinstance(trunk, MobileTrunk):
        state = trunk.from_source(rename_published(state)) or state
    report = fit_state(trunk, state, where=config.weights)
    remark(f"trunk from {config.weights}: {report}")


def read_weights(name: str) -> Mapping[str, Tensor]:
    """The tensors of a name of ``RELEASED``, of a run folder or of a file."""
    return read_tensors(_file(name)).tensors


def weights_stamp(config: ModelConfig) -> str:
    """Where the trunk starts, with the hash of the file, for the checkpoint; empty for none."""
    if config.weights == "none":
        return ""
    if config.weights == "imagenet":
        return f"ImageNet, {config.trunk}"
    file = _file(config.weights)
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return f"{config.weights} (sha256 {digest[:12]})"


def fetch_imagenet(name: str) -> Mapping[str, Tensor]:
    """The ImageNet weights of torchvision's network ``name``; fetched once, then kept."""
    try:
        return get_model_weights(name).DEFAULT.get_state_dict(check_hash=True)
    except (OSError, RuntimeError) as error:
        raise _not_fetched("torchvision", name, error) from error


def _fetch_timm(name: str) -> Mapping[str, Tensor]:
    """As ``fetch_imagenet``, of timm's network ``name``."""
    with extra("external"):
        import timm
    try:
        network: nn.Module = timm.create_model(name, pretrained=True)
    except Exception as error:  # the hub's client raises errors of many kinds
        raise _not_fetched("timm", name, error) from error
    return network.state_dict()


def _not_fetched(package: str, name: str, error: Exception) -> InputError:
    return InputError(
        f"{package} could not fetch the ImageNet weights of {name} ({error})",
        "go online once, or set model.weights to none or to the path of a file",
    )


def fit_state(module: nn.Module, state: Mapping[str, Tensor], *, where: str, core: str = "") -> str:
    """Load what has the same name and shape; return a sentence saying what did and did not.

    Raises:
        InputError: of the tensors whose names begin with ``core``, less than half are in ``state``
            with their shape; ``module`` is left as it is. ``where`` names the weights.
    """
    own = module.state_dict()
    fitting = {k: v for k, v in state.items() if k in own and own[k].shape == v.shape}
    reshaped = sorted(k for k in state if k in own and own[k].shape != state[k].shape)
    missing = sorted(set(own) - set(state))
    needed = [name for name in own if name.startswith(core)]
    if 2 * sum(name in fitting for name in needed) < len(needed):
        raise InputError(
            f"{where}: only {len(fitting)} of {len(own)} tensors fit ({len(reshaped)} have another "
            f"shape, {len(missing)} are missing); these are weights of another trunk or variant"
        )
    module.load_state_dict(fitting, strict=False)
    words = f"{len(fitting)} of {len(own)} tensors loaded"
    if reshaped:
        words += f"; another shape: {shortened(reshaped)}"
    if missing:
        words += f"; kept as they were: {shortened(missing)}"
    return words


def shortened(names: Sequence[str], count: int = 4) -> str:
    """The first ``count`` names, and how many more there are."""
    more = f" and {len(names) - count} more" if len(names) > count else ""
    return ", ".join(names[:count]) + more


def _trunk_part(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A checkpoint of this package holds ``model.trunk.*``; others name the trunk's layers bare."""
    for prefix in ("model.trunk.", "trunk."):
        part = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
        if part:
            return part
    return dict(state)


def _imagenet(config: ModelConfig) -> Mapping[str, Tensor]:
    if config.trunk == "osnet_lct":
        raise InputError(
            "there are no ImageNet weights of the trunk osnet_lct",
            "set model.weights to the .xml file of person-reidentification-retail-0277, to "
            "mfa-tiny, or to none",
        )
    if config.trunk == "efficientnet_lite0":
        return _fetch_timm("tf_efficientnet_lite0")
    if config.trunk == "resnet10" or config.width != 64:
        raise InputError(
            f"torchvision has ImageNet weights for resnet18, resnet34 and resnet50 at width 64, "
            f"not for {config.trunk} at width {config.width}; set weights to none or a path"
        )
    return fetch_imagenet(config.trunk)


def _file(name: str) -> Path:
    if name in RELEASED:
        return released_file(name)
    path = Path(name)
    file = path / "checkpoint.safetensors" if path.is_dir() else path
    if not file.is_file():
        raise InputError(
            f"no weights file {file}",
            f"model.weights is none, imagenet, {', '.join(RELEASED)}, a run folder or a file",
        )
    return file
