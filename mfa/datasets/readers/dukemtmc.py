"""DukeMTMC-reID (Zheng et al., ICCV 2017).

Its owners withdrew the data in 2019 for the privacy of the people filmed. This reader serves those
who hold it and may use it; nothing here fetches it.
"""

from __future__ import annotations

import re
from pathlib import Path

from mfa.datasets.readers.layout import Layout
from mfa.datasets.readers.listing import Listing
from mfa.datasets.readers.market1501 import SPLIT_FOLDERS, read_three_folders, tree

_NAME = re.compile(
    r"(?P<pid>[0-9]{4})_c(?P<camid>[1-8])_f[0-9]{7}\.(jpg|jpeg|png|bmp)", re.IGNORECASE
)

_EXAMPLE = "0001_c2_f0046182.jpg"


def parse(name: str) -> tuple[int, int] | None:
    """``0001_c2_f0046182.jpg`` is person 1 on camera 2, frame 46182."""
    match = _NAME.fullmatch(name)
    # The set has no person 0000; read as one, it would become a distractor.
    return (int(match["pid"]), int(match["camid"])) if match and int(match["pid"]) else None


def read(folder: Path) -> Listing:
    """List the pictures of a folder in DukeMTMC-reID's layout, which is Market-1501's."""
    return read_three_folders(folder, parse, _EXAMPLE)


LAYOUT = Layout(
    name="dukemtmc",
    title="DukeMTMC-reID",
    folders=("dukemtmc", "DukeMTMC-reID", "dukemtmc-reid", "dukemtmcreid", "DukeMTMC"),
    needs=(tuple(SPLIT_FOLDERS.values()),),
    tree=tree("dukemtmc", _EXAMPLE),
    example=_EXAMPLE,
    advice="its owners withdrew it, so a copy can only come from your own group",
    parse=parse,
    read=read,
    counts="dukemtmc",
)
