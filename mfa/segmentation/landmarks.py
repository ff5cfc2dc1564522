"""The public model that finds a person's mask and landmarks, and how a picture goes through it.

``pose_landmark_lite`` is MediaPipe's BlazePose (Bazarevsky et al. 2020, arXiv 2006.10204), under
the Apache-2.0 licence; data/weights/masks/README.md is its card. It takes 11 ms per picture on one
core.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mfa.errors import InputError, extra
from mfa.files import shipped

MODEL = shipped("data/weights/masks/pose_landmark_lite.tflite")
"""The model file that comes along."""

SHA256 = "f17bfbec"
"""First digits of the file's SHA-256: the measured accuracy belongs to this file."""

SIDE, SHARE, GREY = 256, 0.8, 128
"""The model sees a square of 256 pixels; the picture takes 0.8 of its height, the rest is grey."""

LANDMARKS = 33


@dataclass(frozen=True, eq=False)
class Pose:
    """What the model says of a picture.

    Attributes:
        presence: how sure the model is that there is a person, 0 to 1.
        person: (H, W) probability of each pixel to be the person.
        landmarks: (33, 2) x and y of the body's landmarks, in pixels of the picture.
        visible: (33,) probability that each landmark can be seen.
    """

    presence: float
    person: np.ndarray
    landmarks: np.ndarray
    visible: np.ndarray


class LandmarkModel:
    """``pose_landmark_lite``, loaded once and called per picture."""

    def __init__(self, file: Path = MODEL) -> None:
        """Load the model."""
        remedy = "copy it again from data/weights/masks of the repository"
        if not file.is_file():
            raise InputError(f"no mask model at {file}", remedy)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        if not digest.startswith(SHA256):
            raise InputError(
                f"{file} is truncated or another model: its SHA-256 begins with {digest[:8]} and "
                f"not with {SHA256}",
                remedy,
            )
        with extra("masks"):
            from ai_edge_litert.interpreter import Interpreter
        self._model: Any = Interpreter(str(file), num_threads=1)
        self._model.allocate_tensors()
        self._input = self._model.get_input_details()[0]["index"]
        self._outputs = {d["name"]: d["index"] for d in self._model.get_output_details()}

    def __call__(self, image: Image.Image) -> Pose:
        """Find the person in an RGB picture of any size."""
        square, box = framed(image)
        self._model.set_tensor(self._input, (np.asarray(square, np.float32) / 255)[None])
        self._model.invoke()
        left, top, width, height = box
        found = self._output("Identity").reshape(-1, 5)[:LANDMARKS]
        scale = np.array([image.width / width, image.height / height])
        mask = Image.fromarray(_sigmoid(self._output("Identity_2")[0, :, :, 0]))
        area = (left, top, left + width, top + height)
        return Pose(
            presence=float(self._output("Identity_1")[0, 0]),
            person=np.asarray(mask.resize(image.size, Image.Resampling.BILINEAR, box=area)),
            landmarks=(found[:, :2] - (left, top)) * scale,
            visible=_sigmoid(found[:, 3]),
        )

    def _output(self, name: str) -> np.ndarray:
        values: np.ndarray = self._model.get_tensor(self._outputs[name])
        return values


def framed(image: Image.Image) -> tuple[Image.Image, tuple[int, int, int, int]]:
    """The picture in the middle of the grey square, and its left, top, width and height there."""
    height = round(SIDE * SHARE)
    width = min(SIDE, max(1, round(height * image.width / image.height)))
    left, top = (SIDE - width) // 2, (SIDE - height) // 2
    square = Image.new("RGB", (SIDE, SIDE), (GREY, GREY, GREY))
    square.paste(image.resize((width, height), Image.Resampling.BILINEAR), (left, top))
    return square, (left, top, width, height)


def _sigmoid(values: np.ndarray) -> np.ndarray:
    result: np.ndarray = 1 / (1 + np.exp(-np.clip(values, -80, 80)))
    return result
