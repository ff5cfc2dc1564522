"""The names that ``import viz`` offers."""

import importlib
import pkgutil

import pytest

import viz


@pytest.mark.parametrize("name", sorted(viz._HOME))
def test_a_public_name_stays_what_it_is_when_its_module_is_loaded(name):
    first = getattr(viz, name)
    importlib.import_module(viz._HOME[name])
    assert callable(first)
    assert getattr(viz, name) is first


def test_no_public_name_is_that_of_a_submodule():
    submodules = {module.name for module in pkgutil.iter_modules(viz.__path__)}
    assert not submodules & set(viz._HOME)
