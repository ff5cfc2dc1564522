"""Feature files: what is written comes back, and what is wrong is named."""

from __future__ import annotations

import dataclasses
import io
import tempfile
import tracemalloc
import warnings
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.made import made_features
from mfa.errors import InputError
from mfa.records import NO_CAMERA
from mfa.retrieval import feature_file


def arrays() -> dict[str, Any]:
    """A small file in the public form."""
    return {
        "query": np.eye(2, 3, dtype=np.float16),
        "query_pid": np.array([1, 2], dtype=np.int32),
        "query_camid": np.array([1, 1], dtype=np.int32),
        "query_name": np.array(["a.jpg", "b.jpg"]),
        "gallery": np.eye(3, dtype=np.float16),
        "gallery_pid": np.array([1, 2, 2], dtype=np.int32),
        "gallery_camid": np.array([2, 1, 2], dtype=np.int32),
        "gallery_name": np.array(["c.jpg", "d.jpg", "e.jpg"]),
    }


def save(path: Path, content: dict[str, Any]) -> Path:
    np.savez(path / "file.npz", **content)
    return path / "file.npz"


def test_the_public_form_is_read(tmp_path: Path) -> None:
    features = feature_file.read(save(tmp_path, arrays()))
    assert features.query.features.dtype == np.float32
    assert features.gallery.pids.tolist() == [1, 2, 2]
    assert features.gallery.camids.tolist() == [2, 1, 2]
    assert features.query.names.tolist() == ["a.jpg", "b.jpg"]
    assert features.origin == {"features": "file.npz"}


def test_named_groups_without_cameras_or_names(tmp_path: Path) -> None:
    whole = {"whole": np.eye(2), "whole_pid": np.array([1.0, 2.0])}
    path = save(tmp_path, whole | {"partial": np.eye(1, 2), "partial_pid": [1]})
    features = feature_file.read(path, query="partial", gallery="whole")
    assert features.gallery.camids.tolist() == [NO_CAMERA, NO_CAMERA]
    assert features.gallery.names.tolist() == ["whole[0]", "whole[1]"]
    assert feature_file.read_group(path, "whole").pids.tolist() == [1, 2]


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    made = made_features(
        queries=4, gallery=9, people=3, distractors=2, cameras=2, width=6, noise=1.0
    )
    made = dataclasses.replace(
        made, branches=(("one", 2), ("two", 4)), origin={"dataset": "toy", "seed": 0}
    )
    feature_file.write(tmp_path / "sub" / "f.npz", made)
    back = feature_file.read(tmp_path / "sub" / "f.npz")
    assert back.branches == made.branches
    assert back.origin == {"features": "f.npz", "dataset": "toy", "seed": 0}
    for side in ("query", "gallery"):
        for name in ("features", "pids", "camids", "names"):
            one, two = (getattr(getattr(f, side), name) for f in (made, back))
            np.testing.assert_array_equal(one, two)
    assert [p.name for p in (tmp_path / "sub").iterdir()] == ["f.npz"]


def branches(names: Any, widths: Any) -> dict[str, Any]:
    return {"branch_name": np.array(names), "branch_width": np.array(widths)}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"query": None}, "no array 'query'; groups in it .*: gallery; choose two"),
        ({"gallery_pid": None}, "no array 'gallery_pid'; groups in it .*: query; choose"),
        ({"query_pid": np.array([1])}, r"query_pid has shape \(1,\), but there are 2 features"),
        ({"gallery_camid": np.zeros((3, 1))}, r"gallery_camid has shape \(3, 1\)"),
        ({"query": np.zeros(2)}, r"query must be numbers of shape \(N, D\)"),
        ({"query": np.array([["x"], ["y"]])}, r"query must be numbers of shape"),
        ({"query_pid": np.array(["p1", "p2"])}, "query_pid must be whole numbers"),
        ({"query_pid": np.array([1.5, 2])}, "query_pid must be whole numbers"),
        ({"query": np.eye(2, 4)}, "query features have 4 columns, gallery 3"),
        (
            {"gallery": np.array([[1, 0, 0], [0, np.nan, 0], [0, 0, 1]])},
            r"1 of 3 features of gallery hold NaN or infinity, first in row 1 \(d.jpg\)",
        ),
        ({"origin": "{"}, "array 'origin' is not JSON"),
        ({"branch_name": np.array(["x"])}, "branch_name but no branch_width"),
        (branches(["x"], [2]), "do not add up to 3 columns"),
        (branches(["x", "y"], [3]), r"2 branch names and the branch widths \[3\]"),
        (branches(["x", "y"], [-1, 4]), r"widths \[-1, 4\]; give each branch its number of"),
        (branches(["x"], ["3 wide"]), "branch_width must be whole numbers"),
        ({"origin": "[1]"}, "array 'origin' is JSON, but no object"),
        ({"query": np.zeros((2, 0))}, "D at least 1"),
        ({"query_pid": np.array([1, np.inf])}, "query_pid must be whole .* got inf in row 1"),
        ({"query_pid": np.array([np.nan, 1])}, "query_pid must be whole .* got nan in row 0"),
        ({"query_pid": np.array([1, 2**63 + 5], np.uint64)}, "got 9223372036854775813 in row 1"),
        ({"query": np.full((2, 3), 1e300)}, "2 of 2 features of query hold NaN or infinity"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    content = {name: value for name, value in (arrays() | change).items() if value is not None}
    with pytest.raises(InputError, match=words):
        feature_file.read(save(tmp_path, content))


def test_one_branch_may_be_named_without_a_list(tmp_path: Path) -> None:
    content = arrays() | branches("x", 3)
    assert feature_file.read(save(tmp_path, content)).branches == (("x", 3),)


def test_files_that_are_no_archives(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no feature file"):
        feature_file.read(tmp_path / "none.npz")
    (tmp_path / "empty.npz").touch()
    (tmp_path / "text.npz").write_text("not numbers")
    (tmp_path / "cut.npz").write_bytes(save(tmp_path, arrays()).read_bytes()[:700])
    for name in ("empty.npz", "text.npz", "cut.npz"):
        with pytest.raises(InputError, match=rf"{name} (cannot be read|is not a plain)"):
            feature_file.read(tmp_path / name)
    np.save(tmp_path / "one.npy", np.eye(2))
    with pytest.raises(InputError, match="is one array"):
        feature_file.read(tmp_path / "one.npy")
    packed = tmp_path / "packed.npz"
    noise = np.random.default_rng(0).normal(size=(2, 900))
    np.savez_compressed(packed, **arrays() | {"query": noise})
    content = bytearray(packed.read_bytes())
    content[300:9000] = bytes(8700)
    packed.write_bytes(content)
    with pytest.raises(InputError, match=r"packed\.npz cannot be read"):
        feature_file.read(packed)


def head(shape: tuple[int, ...], descr: str = "<f4") -> bytes:
    """The head of an array of this shape, without its numbers."""
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        buffer, {"descr": descr, "fortran_order": False, "shape": shape}
    )
    return buffer.getvalue()


def packed(path: Path, query: bytes, **options: Any) -> Path:
    """The small file with other bytes for the array ``query``."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, values in arrays().items():
            buffer = io.BytesIO()
            np.save(buffer, values)
            archive.writestr(f"{name}.npy", buffer.getvalue())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the second array of this name is the one found
            archive.writestr("query.npy", query, **options)
    return path


def refused(path: Path) -> str:
    """The one sentence for a file, and that little memory was taken before it."""
    tracemalloc.start()
    with pytest.raises(InputError) as caught:
        feature_file.read(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**25
    assert "allow_pickle" not in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_declared_size_is_checked_before_memory_is_taken(tmp_path: Path) -> None:
    file = packed(tmp_path / "f.npz", head((10**6, 10**6)) + bytes(64))
    assert "declares 4,000,000,000,000 bytes" in refused(file)
    file = packed(tmp_path / "f.npz", head((2, 3)))
    assert "declares 24 bytes of shape (2, 3), but 0 follow" in refused(file)


def test_a_bomb_is_refused_unopened(tmp_path: Path) -> None:
    zeros = head((2**19, 36)) + bytes(2**19 * 36 * 4)
    file = packed(tmp_path / "f.npz", zeros, compress_type=zipfile.ZIP_DEFLATED)
    del zeros
    assert "unpacks to 75,497," in refused(file)


def test_an_unread_bomb_does_not_matter(tmp_path: Path) -> None:
    file = save(tmp_path, arrays())
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("other.npy", head((2**19, 36)) + bytes(2**19 * 36 * 4))
    assert len(feature_file.read(file).query) == 2


def test_members_that_numpy_does_not_write(tmp_path: Path) -> None:
    content = io.BytesIO()
    np.save(content, arrays()["query"])
    file = packed(tmp_path / "f.npz", content.getvalue(), compress_type=zipfile.ZIP_BZIP2)
    assert "packed by method 12" in refused(file)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("query.npy", content.getvalue())
        archive.writestr("query_pid.npy", content.getvalue())
    bits = bytearray(file.read_bytes())
    for mark in (b"PK\x01\x02", b"PK\x03\x04"):
        place = bits.find(mark)
        bits[place + (8 if mark == b"PK\x01\x02" else 6)] |= 1
    file.write_bytes(bits)
    assert "is encrypted" in refused(file)


def test_objects_and_records_are_refused_by_name(tmp_path: Path) -> None:
    for values, words in (
        (np.array([{}, {}], dtype=object), "array 'query_name'"),
        (np.zeros(2, dtype=[("a", "i4")]), "array 'query_name' of"),
    ):
        assert words in refused(save(tmp_path, arrays() | {"query_name": values}))


def test_names_of_bytes_are_read_where_they_are_text(tmp_path: Path) -> None:
    named = arrays() | {"query_name": np.array(["ä.jpg".encode(), b"b.jpg"])}
    assert feature_file.read(save(tmp_path, named)).query.names.tolist() == ["ä.jpg", "b.jpg"]
    wrong = arrays() | {"query_name": np.array([b"\xff", b"b.jpg"])}
    assert "query_name holds bytes that are not UTF-8" in refused(save(tmp_path, wrong))


def test_a_deeply_nested_origin_is_refused(tmp_path: Path) -> None:
    nested = '{"a":' * 5000 + "1" + "}" * 5000
    assert "more than 50 deep" in refused(save(tmp_path, arrays() | {"origin": nested}))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_files_end_in_a_sentence(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = save(Path(folder), arrays() | {"origin": '{"dataset": "toy"}'})
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 4))):
            place = data.draw(st.integers(0, len(content) - 1))
            content[place] = data.draw(st.integers(0, 255))
        path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
        with suppress(InputError):
            feature_file.read(path)
