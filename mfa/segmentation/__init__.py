"""Body regions of real people, by a small public model; cached beside the dataset.

They say what the synthetic set's part masks say (``mfa.synthetic.PARTS``), so that attention is
measured on photographs by the same functions as on drawn people. ``mfa data masks NAME`` writes
them. The runtime of the model is an extra: ``pip install 'mfa-workbench[masks]'``.
"""

from mfa.segmentation.landmarks import MODEL, LandmarkModel, Pose
from mfa.segmentation.regions import regions_of
from mfa.segmentation.store import Masks, masks_folder, read_masks, write_masks

__all__ = [
    "MODEL",
    "LandmarkModel",
    "Masks",
    "Pose",
    "masks_folder",
    "read_masks",
    "regions_of",
    "write_masks",
]
