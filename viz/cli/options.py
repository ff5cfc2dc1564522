"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

Width = Annotated[
    str,
    tyro.conf.arg(
        help="Columns of a page: single, double, or one of a venue: cvpr-single, cvpr-double, "
        "ieee-single, ieee-double."
    ),
]
BlurFaces = Annotated[
    bool,
    tyro.conf.arg(
        help="Coarsen the top of every picture, where the head of a whole person is. No face is "
        "looked for: in a badly cut picture it may lie lower. Look before you publish."
    ),
]
DataRoot = Annotated[
    Path | None,
    tyro.conf.arg(help="Folder the datasets lie in; by default MFA_DATA, else data."),
]
NoCamera = Annotated[
    bool,
    tyro.conf.FlagCreatePairsOff,
    tyro.conf.arg(help="Count pictures of a query's person by the query's own camera."),
]
