"""A configuration as JSON: what checkpoints and run folders keep, in this version and earlier ones.

A change of the fields of ``mfa.config`` raises ``FORMAT`` and adds a step to ``from_json``.
"""

from __future__ import annotations

import json
from typing import Any

from mfa.config import Config, from_dict, to_dict
from mfa.errors import InputError
from mfa.files import parse_json

FORMAT = 6


def to_json(config: Config, *, indent: int | None = None) -> str:
    """The configuration as checkpoints and run folders keep it, with the number of its format."""
    return json.dumps({"format": FORMAT, **to_dict(config)}, indent=indent)


def from_json(text: str) -> Config:
    """The configuration that ``to_json`` wrote, in this version or an earlier one.

    Raises:
        InputError: it was written by a later version, or a field is unknown, missing or wrong.
    """
    try:
        return _read(parse_json(text))
    except InputError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(f"this is no configuration ({type(error).__name__})") from error


def _read(values: dict[str, Any]) -> Config:
    written = values.pop("format", 1)
    if not 1 <= written <= FORMAT:
        raise InputError(
            f"this configuration has format {written}, which is newer than {FORMAT}",
            "update the package",
        )
    if written == 1:
        _from_format_1(values)
    if written <= 2:
        _from_format_2(values)
    if written <= 3 and values["model"]["network"] in ("gasm", "daaf_bot", "ra_loss", "isp"):
        values["model"]["network"] += "_like"
    if written <= 4:
        _from_format_4(values["model"])
    if written <= 5:
        values["optim"] = {"gpu_bfloat16": False, **values["optim"]}
        values["model"] = {"projected_dim": 0, **values["model"]}
    return from_dict(Config, values)


def _from_format_4(model: dict[str, Any]) -> None:
    """Drop what formats 1 to 4 kept although the network did not read it."""
    if model["branch"] == "bottleneck":
        model["reduced_dim"] = 256
    if not model["cpaa"]:
        model["cpaa_affinity"] = "inverted"


def _from_format_2(values: dict[str, Any]) -> None:
    """Add the fields that formats 1 and 2 did not have yet, at the value that changes nothing."""
    added: dict[str, dict[str, object]] = {
        "model": {"ibn": False, "authors_code": False},
        "data": {"cut": 0.0, "covering": 0.0},
        "optim": {"trunk_rate": 1.0, "frozen": []},
    }
    for section, fields in added.items():
        values[section] = {**fields, **values[section]}


def _from_format_1(values: dict[str, Any]) -> None:
    """Bring a configuration of format 1 up to date, without changing what its network computes.

    Format 1 had no ``sie`` at first. It called the trunk of a transformer by the ResNet of the
    same preset, and kept settings that the network did not read.
    """
    model, loss = values["model"], values["loss"]
    model.setdefault("sie", False)
    network = model["network"]
    if network != "mfa":
        model |= {"cpaa": [], "cpaa_affinity": "inverted", "branches": 0}
    if not model["branches"]:
        model |= {"branch": "bottleneck", "reduced_dim": 256, "gate": "none"}
        model["guide_pooling"] = "gap"
        loss["gla"] = "off"
    if network == "agw":
        model["pooling"] = "gem"
    elif network not in ("mfa", "bagtricks", "ra_loss", "daaf_bot"):
        model["pooling"] = "gap"
    if network != "transreid":
        model["sie"] = False
    if network in ("transreid", "aaformer"):
        depths = {"resnet50": "vit_b16", "resnet34": "vit_depth10"}
        depths |= {"resnet18": "vit_depth8", "resnet10": "vit_depth4"}
        model["trunk"] = depths[model["trunk"]]
    if network == "osnet":
        model |= {"trunk": "osnet", "weights": "none"}
