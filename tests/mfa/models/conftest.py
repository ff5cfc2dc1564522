"""Every network there is, small enough to be asked the same questions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mfa import presets
from mfa.config import Config
from mfa.models.peers import names

NETWORKS = (*presets.VARIANTS, "reduce", *names())


@pytest.fixture(params=NETWORKS)
def any_config(request: pytest.FixtureRequest, tiny_config: Config) -> Config:
    """MFA's variants, its reduced branches and each compared method, on the tiny data's budget."""
    name = request.param
    if name in names():
        return presets.peer(tiny_config, name)
    config = presets.variant(tiny_config, "guided" if name == "reduce" else name)
    if name == "reduce":
        config = replace(config, model=replace(config.model, branch="reduce", reduced_dim=16))
    return config
