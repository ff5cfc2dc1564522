"""From activations and gradients to a map: pytorch-grad-cam's own rules, without its hooks.

Its classes keep the rule in ``get_cam_image``. Constructing one puts hooks on the model, switches
it to eval for good and clears its gradients; so instances are made here without their
constructor and see nothing but arrays.
"""

from __future__ import annotations

import importlib
import inspect
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from mfa.errors import InputError

ARRAY_METHODS = (
    "GradCAM",
    "HiResCAM",
    "GradCAMPlusPlus",
    "XGradCAM",
    "LayerCAM",
    "GradCAMElementWise",
    "EigenCAM",
    "EigenGradCAM",
    "SegEigenCAM",
    "KPCA_CAM",
    "FEM",
    "RandomCAM",
    "ShapleyCAM",
)
"""Rules that need activations and gradients only: all branches in one forward."""

FORWARD_METHODS = ("ScoreCAM", "AblationCAM")
"""Rules that run the network again for every channel; slow, see ``mfa.explain.library``."""

METHODS = ARRAY_METHODS + FORWARD_METHODS

Sign = Literal["argues", "strength", "none"]

STRENGTH = ("GradCAMPlusPlus", "LayerCAM", "GradCAMElementWise", "FEM", "ScoreCAM")
NO_SIGN = ("EigenCAM", "EigenGradCAM", "SegEigenCAM", "KPCA_CAM", "RandomCAM")

SIGNS: dict[str, Sign] = {
    name: "strength" if name in STRENGTH else "none" if name in NO_SIGN else "argues"
    for name in METHODS
}
"""What the sign of a rule's values says. ``argues``: positive values argue for the target, negative
ones against it. ``strength``: the rule keeps what argues for the target, or ignores the target, and
has no negative values of its own. ``none``: the sign of a principal component, or a random one."""

SECOND_ORDER = "ShapleyCAM"
"""Weights by gradient and Hessian, so it gets the graph instead of arrays."""

_ELSEWHERE = {
    "FullGrad": "it adds up all bias layers, so it has no map of a layer or a branch",
    "FinerCAM": "it compares classes; give target='contrast'",
    "RefineCAM": "it multiplies maps of several layers; ask for each layer",
    "SESS": "it averages crops of one picture; ask for each crop",
    "GuidedBackpropReLUModel": "it replaces the network's ReLUs",
    "DeepFeatureFactorization": "see mfa.common_parts",
}
_ALIASES = {"GradCAM++": "GradCAMPlusPlus", "KPCACAM": "KPCA_CAM"}


def method_name(name: str) -> str:
    """pytorch-grad-cam's name of a method.

    Raises:
        InputError: no such method, or one that has no map of a branch; the message says why.
    """
    name = _ALIASES.get(name, name)
    if name in _ELSEWHERE:
        raise InputError(f"{name} is not offered for branches: {_ELSEWHERE[name]}")
    if name not in METHODS:
        raise InputError(f"no method {name!r}; there are {', '.join(METHODS)}")
    return name


def library_class(name: str) -> Any:
    """The class of pytorch-grad-cam, imported late: it brings OpenCV and scikit-learn."""
    return getattr(importlib.import_module("pytorch_grad_cam"), name)


def weigh(
    method: str, activations: Tensor, gradients: Tensor, mean: Tensor | None = None
) -> np.ndarray:
    """The signed map (B, h, w) in float32, before any rectifying or scaling.

    Args:
        method: one of ``ARRAY_METHODS``.
        activations: (B, C, h, w).
        gradients: of the score by the activations, same shape; for ``ShapleyCAM`` with its graph.
        mean: (C, h, w) subtracted from the activations.

    Raises:
        InputError: a mean for ``ShapleyCAM``, which differentiates by the activations.
    """
    rule = _unhooked(library_class(method))
    given: list[Any]
    if method == SECOND_ORDER:
        if mean is not None:
            raise InputError(f"{method} differentiates twice, so it takes no reference pictures")
        # A linear score has a constant gradient; adding 0 ties it to the activations, so that its
        # derivative is 0 instead of an error.
        given = [activations, gradients + 0 * activations]
    else:
        shown = activations if mean is None else activations - mean
        given = [values.detach().float().cpu().numpy() for values in (shown, gradients)]
    if method == "RandomCAM":  # the library draws from numpy's global state, which others use too
        drawn = np.random.default_rng(0).uniform(-1, 1, size=gradients.shape[:2])
        rule.get_cam_weights = lambda *_: drawn
    image = rule.get_cam_image(None, None, None, *given, eigen_smooth=False)
    return np.asarray(image, dtype=np.float32)


def normalised(maps: np.ndarray) -> np.ndarray:
    """Maps as the library draws them: rectified, then scaled to [0, 1] picture by picture.

    Magnitudes are lost: a map of a non-match is as red as one of a match.
    """
    positive = np.maximum(maps, 0)
    positive = positive - positive.min(axis=(1, 2), keepdims=True)
    scaled: np.ndarray = positive / (1e-7 + positive.max(axis=(1, 2), keepdims=True))
    return scaled


def _unhooked(kind: Any) -> Any:
    """An instance of ``kind`` with its constructor's default settings and without its effects."""
    rule = kind.__new__(kind)
    standard = ("self", "model", "target_layers", "reshape_transform")
    for name, parameter in inspect.signature(kind.__init__).parameters.items():
        if name not in standard:
            setattr(rule, name, parameter.default)
    # Its destructor releases hooks, of which there are none.
    rule.activations_and_grads = SimpleNamespace(release=lambda: None, reshape_transform=None)
    rule.device = torch.device("cpu")
    return rule
