"""Which cameras a network uses beside the pixels (SIE).

The number of a camera means something only in its own dataset: camera 1 of another dataset is
another camera. So a network uses the cameras of the data it was trained on, known by their
fingerprint. For all other data it takes the mean of the cameras that it learned (ours).
"""

from __future__ import annotations

from collections.abc import Sequence

from mfa.config import ModelConfig
from mfa.progress import remark
from mfa.records import NO_CAMERA, ReidDataset, Sample
from mfa.runs.run import Run


def training_cameras(samples: Sequence[Sample]) -> tuple[int, ...]:
    """The cameras of a training list, sorted, without unknown ones."""
    return tuple(sorted({sample.camid for sample in samples} - {NO_CAMERA}))


def cameras_to_learn(config: ModelConfig, samples: Sequence[Sample]) -> tuple[int, ...]:
    """The cameras that get an embedding in training; none without ``config.sie``."""
    cameras = training_cameras(samples) if config.sie else ()
    if config.sie and not cameras:
        remark("no training picture has a known camera, so SIE learns none")
    return cameras


def camera_statement(run: Run, data: ReidDataset) -> dict[str, str]:
    """What the protocol card says about the cameras that the network uses; empty without SIE."""
    if not run.checkpoint.cameras:
        return {}
    if run.cameras_of((), data) is None:
        words = "mean of the learned cameras, since these are not the data it was trained on"
        return {"side_information": words}
    seen = {sample.camid for sample in (*data.query, *data.gallery)}
    unknown = sorted(seen - set(run.checkpoint.cameras))
    rest = f"; for {unknown}, not trained on, the mean of the others" if unknown else ""
    return {"side_information": f"camera of each picture{rest}"}
