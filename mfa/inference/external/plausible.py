"""Is a model fed the range of numbers that it was trained on? A test on the first people of a list.

A wrong range raises no error: the vectors merely tell people apart badly.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from mfa.datasets.loading.decode import decode
from mfa.errors import InputError
from mfa.inference.external.embedder import CONVENTIONS, External
from mfa.records import JUNK, Sample
from mfa.retrieval.distances import normalised

PEOPLE = 32
"""People that are looked for among each other."""

_LEVEL = 0.01


def doubt_inputs(model: External, query: Sequence[Sample], gallery: Sequence[Sample]) -> str:
    """A sentence where people are found far more often with other inputs; else empty.

    The first ``PEOPLE`` people with two pictures, by two cameras where they are known, are looked
    for among each other: once as the model is fed, once by each other convention. The difference
    counts where a sign test, corrected for the number of conventions, finds it at the 1 % level.

    Args:
        model: what is tested; one whose file states its inputs is not doubted.
        query: pictures to look for.
        gallery: pictures to look among; may be the same list.
    """
    from scipy.stats import binomtest

    if model.states_inputs:
        return ""
    pictures = _pairs(model, query, gallery)
    if len(pictures) < 8:
        return ""
    right = _found(model, pictures)
    if (~right).sum() < 8:  # no gain could be told from chance
        return ""
    better: dict[str, int] = {}
    others = {name: inputs for name, inputs in CONVENTIONS.items() if inputs != model.inputs}
    for name, inputs in others.items():
        with suppress(Exception):  # a model may fail on numbers that are not its own
            found = _found(replace(model, inputs=inputs), pictures)
            gained, lost = int((found & ~right).sum()), int((right & ~found).sum())
            chance = binomtest(gained, max(gained + lost, 1), alternative="greater").pvalue
            if chance * len(others) < _LEVEL:
                better[name] = int(found.sum())
    if not better:
        return ""
    most = max(better.values())
    names = " or ".join(name for name, count in better.items() if count == most)
    return (
        f"of {len(pictures)} people, {int(right.sum())} are found first with the inputs "
        f"{model.inputs.words}, and {most} with {names}: look up what the model was trained on, "
        "and give it by inputs= behind its name, or --inputs"
    )


def _pairs(model: External, query: Sequence[Sample], gallery: Sequence[Sample]) -> np.ndarray:
    """(people, 2, 3, H, W) uint8: a picture to look for, and one to find."""
    known: dict[int, list[Sample]] = {}
    for sample in gallery:
        if sample.pid > JUNK + 1:  # neither junk nor distractor
            known.setdefault(sample.pid, []).append(sample)
    pairs: dict[int, np.ndarray] = {}
    for one in query:
        if one.pid in pairs or len(pairs) == PEOPLE:
            continue
        others = [s for s in known.get(one.pid, []) if s.path != one.path]
        others.sort(key=lambda sample: sample.camid == one.camid)  # another camera first
        with suppress(InputError):  # unreadable pictures are named by the extraction
            shown = [decode(sample.path, *model.size) for sample in (one, *others[:1])]
            if len(shown) == 2:
                pairs[one.pid] = np.stack(shown)
    return np.stack(list(pairs.values())) if pairs else np.empty((0, 2))


def _found(model: External, pictures: np.ndarray) -> np.ndarray:
    """(people,) bool: whose second picture is the nearest of all second pictures."""
    query, gallery = (normalised(model.embed(pictures[:, side])) for side in (0, 1))
    found: np.ndarray = (query @ gallery.T).argmax(axis=1) == np.arange(len(pictures))
    return found
