"""Feature files of other projects: ``.mat`` and ``.pt``, by the names that their scripts write."""

from __future__ import annotations

import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import torch

from mfa.cli.evaluate import main
from mfa.errors import InputError
from mfa.retrieval import feature_file
from mfa.retrieval.metrics import score

RNG = np.random.default_rng(0)
QUERY, GALLERY = RNG.normal(size=(4, 8)).astype("f"), RNG.normal(size=(9, 8)).astype("f")
LABELS = {"query": [1, 2, 3, 3], "gallery": [1, 2, 3, 1, 2, 3, 4, 0, -1]}
CAMERAS = {"query": [1, 1, 2, 1], "gallery": [2, 3, 1, 2, 3, 3, 2, 2, 2]}

LAYUMI: dict[str, Any] = {
    **{"query_f": QUERY, "query_label": LABELS["query"], "query_cam": CAMERAS["query"]},
    **{"gallery_f": GALLERY, "gallery_label": LABELS["gallery"], "gallery_cam": CAMERAS["gallery"]},
}
TORCHREID: dict[str, Any] = {
    **{"qf": QUERY, "q_pids": LABELS["query"], "q_camids": CAMERAS["query"]},
    **{"gf": GALLERY, "g_pids": LABELS["gallery"], "g_camids": CAMERAS["gallery"]},
}


def test_a_mat_file_of_layumis_script(tmp_path: Path) -> None:
    for packed in (False, True):
        scipy.io.savemat(tmp_path / "r.mat", LAYUMI, do_compression=packed)
        features = feature_file.read(tmp_path / "r.mat")
        np.testing.assert_array_equal(features.query.features, QUERY)
        assert features.gallery.pids.tolist() == LABELS["gallery"]
        assert features.gallery.camids.tolist() == CAMERAS["gallery"]


@pytest.mark.parametrize("kind", [list, np.asarray, torch.tensor])
def test_a_pt_file_of_torchreids_names(tmp_path: Path, kind: Callable[[Any], Any]) -> None:
    content = {n: kind(v) if isinstance(v, list) else torch.tensor(v) for n, v in TORCHREID.items()}
    torch.save(content | {"g_paths": ["a.jpg"] * 9}, tmp_path / "f.pt")
    features = feature_file.read(tmp_path / "f.pt")
    np.testing.assert_array_equal(features.gallery.features, GALLERY)
    assert features.query.pids.tolist() == LABELS["query"]
    assert features.query.camids.tolist() == CAMERAS["query"]


def test_other_names_by_an_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours = ("query", "query_pid", "query_camid", "gallery", "gallery_pid", "gallery_camid")
    names = {our: f"x{i}" for i, our in enumerate(ours)}
    scipy.io.savemat(tmp_path / "own.mat", dict(zip(names.values(), LAYUMI.values(), strict=True)))
    with pytest.raises(InputError, match=r"its arrays: x0, x1.*--arrays query=NAME"):
        main([str(tmp_path / "own.mat")])
    with pytest.raises(InputError, match="no array 'y' for query; it has x0, x1"):
        main([str(tmp_path / "own.mat"), "--arrays", "query=y"])
    main([str(tmp_path / "own.mat"), "--arrays", *(f"{a}={b}" for a, b in names.items())])
    scipy.io.savemat(tmp_path / "r.mat", LAYUMI)
    known = score(feature_file.read(tmp_path / "r.mat"))
    assert f"{100 * known.mAP:.2f} %" in capsys.readouterr().out


class Runs:
    """What code in a file would be."""

    def __reduce__(self) -> Any:
        return print, ("it ran",)


def test_no_code_in_a_file_is_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(TORCHREID | {"more": Runs()}, tmp_path / "f.pt")
    with pytest.raises(InputError, match="Python object"):
        feature_file.read(tmp_path / "f.pt")
    assert "it ran" not in capsys.readouterr().out


@pytest.mark.parametrize("suffix", [".mat", ".pt"])
def test_what_is_no_feature_file(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"f{suffix}"
    with pytest.raises(InputError, match="no feature file"):
        feature_file.read(file)
    for content in (b"", b"MATLAB 7.3 MAT-file" + bytes(500), b"PK\x03\x04"):
        file.write_bytes(content)
        with pytest.raises(InputError) as caught:
            feature_file.read(file)
        assert "weights_only" not in str(caught.value)


def test_bombs_are_counted_before_they_are_kept(tmp_path: Path) -> None:
    zeros = np.zeros((1000, 9000))  # 72 MB
    scipy.io.savemat(tmp_path / "z.mat", LAYUMI | {"query_f": zeros}, do_compression=True)
    torch.save({"qf": torch.from_numpy(zeros)}, tmp_path / "stored.pt")
    with (
        zipfile.ZipFile(tmp_path / "stored.pt") as stored,
        zipfile.ZipFile(tmp_path / "z.pt", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in stored.namelist():
            packed.writestr(name, stored.read(name))
    del zeros
    tracemalloc.start()
    with pytest.raises(InputError, match="unpacks to more than"):
        feature_file.read(tmp_path / "z.mat")
    with pytest.raises(InputError, match="would unpack to"):
        feature_file.read(tmp_path / "z.pt")
    assert tracemalloc.get_traced_memory()[1] < 2**25
    tracemalloc.stop()


def test_a_note_on_the_format_is_short(tmp_path: Path) -> None:
    torch.save({"qf": torch.zeros(2, 3)}, tmp_path / "f.pt")
    with zipfile.ZipFile(tmp_path / "f.pt") as whole:
        members = {name: whole.read(name) for name in whole.namelist()}
    with zipfile.ZipFile(tmp_path / "f.pt", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, bytes(2000) if name.endswith("/version") else content)
    with pytest.raises(InputError, match=r"f/version in .*f\.pt has 2,000 bytes"):
        feature_file.read(tmp_path / "f.pt")
