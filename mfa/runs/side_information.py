"""Which cameras a network is told of, where descriptors are of picture and camera (SIE).

A camera's number means something in the data it comes from alone: camera 1 of another dataset is
another camera. So a network is told the cameras of pictures of the data it was trained on, by their
fingerprint, and nothing of all others; it then takes the mean of the cameras it knows (ours).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from mfa.config import ModelConfig
from mfa.records import NO_CAMERA, ReidDataset, Sample
from mfa.runs.run import Run


def training_cameras(samples: Sequence[Sample]) -> tuple[int, ...]:
    """The cameras of a training list, sorted, without unknown ones."""
    return tuple(sorted({sample.camid for sample in samples} - {NO_CAMERA}))


def cameras_to_learn(config: ModelConfig, samples: Sequence[Sample]) -> tuple[int, ...]:
    """The cameras a training gives an embedding each; none without ``config.sie``."""
    cameras = training_cameras(samples) if config.sie else ()
    if config.sie and not cameras:
        print("no camera of a training picture is known: SIE learns none", file=sys.stderr)
    return cameras


def told_words(run: Run, data: ReidDataset) -> dict[str, str]:
    """For the card of a score, what the network is told beside the pixels; empty without SIE."""
    if not run.checkpoint.cameras:
        return {}
    if run.cameras_of((), data) is None:
        words = "mean of the learned cameras, since these are not the data it was trained on"
        return {"side_information": words}
    seen = {sample.camid for sample in (*data.query, *data.gallery)}
    unknown = sorted(seen - set(run.checkpoint.cameras))
    rest = f"; for {unknown}, not trained on, the mean of the others" if unknown else ""
    return {"side_information": f"camera of each picture{rest}"}
