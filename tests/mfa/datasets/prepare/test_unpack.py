from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from mfa.datasets import load_dataset
from mfa.datasets.prepare import archives, unpack
from mfa.datasets.readers import msmt17
from mfa.datasets.readers.market1501 import LAYOUT
from mfa.errors import InputError

Pack = Callable[..., Path]


@pytest.fixture
def pack(market: Path, tmp_path: Path) -> Pack:
    """Zip the small Market-1501, wrapped in a folder, with more entries beside it."""

    def build(more: dict[str, bytes] | None = None, wrap: str = "Market-1501-v15.09.15/") -> Path:
        archive = tmp_path / "market.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
            for path in sorted((market / "market1501").rglob("*.jpg")):
                opened.write(path, wrap + path.relative_to(market / "market1501").as_posix())
            for name, data in (more or {}).items():
                opened.writestr(name, data)
        return archive

    return build


@pytest.mark.parametrize("wrap", ["", "Market-1501-v15.09.15/", "a/b/c/"])
def test_it_lands_in_its_folder_and_equals_the_original(
    pack: Pack, market: Path, tmp_path: Path, wrap: str
) -> None:
    done = unpack.unpack(pack(wrap=wrap), LAYOUT, tmp_path / "new")
    assert done.folder == tmp_path / "new/market1501"
    assert (done.written, done.kept, done.damaged) == (23, 0, ())
    new = load_dataset("market1501", tmp_path / "new")
    assert new.fingerprint == load_dataset("market1501", market).fingerprint


def test_litter_stays_in_the_archive(pack: Pack, tmp_path: Path) -> None:
    top = "Market-1501-v15.09.15/"
    more = {
        f"{top}query/Thumbs.db": b"x",
        f"{top}query/._0001_c1s1_000009_00.jpg": b"x",
        f"__MACOSX/{top}query/0001_c1s1_000009_00.jpg": b"x",
        f"{top}.DS_Store": b"x",
        "licence.txt": b"x",
    }
    done = unpack.unpack(pack(more), LAYOUT, tmp_path / "new")
    assert done.ignored == 5
    names = {path.name for path in (tmp_path / "new").rglob("*") if path.is_file()}
    assert not names & {"Thumbs.db", ".DS_Store", "licence.txt", "._0001_c1s1_000009_00.jpg"}


def test_it_goes_on_where_it_was_interrupted(pack: Pack, tmp_path: Path) -> None:
    archive = pack()
    folder = unpack.unpack(archive, LAYOUT, tmp_path / "new").folder
    files = sorted(folder.rglob("*.jpg"))
    whole = {path: path.read_bytes() for path in files}
    files[0].unlink()
    files[1].write_bytes(whole[files[1]][:100])
    files[2].write_bytes(b"x" * len(whole[files[2]]))
    (folder / "query/interrupted.jpg.part").write_bytes(b"half")
    untouched = files[3].stat().st_mtime_ns
    done = unpack.unpack(archive, LAYOUT, tmp_path / "new")
    assert (done.written, done.kept) == (3, 20)
    assert {path: path.read_bytes() for path in files} == whole
    assert files[3].stat().st_mtime_ns == untouched


@pytest.mark.parametrize(
    "name",
    ["../evil.jpg", "a/../../evil.jpg", "/tmp/evil.jpg", "..\\evil.jpg", "C:\\evil.jpg"],
)
def test_entries_that_leave_the_folder_refuse_the_archive(
    pack: Pack, tmp_path: Path, name: str
) -> None:
    with pytest.raises(InputError, match="leads outside") as caught:
        unpack.unpack(pack({name: b"evil"}), LAYOUT, tmp_path / "deep/new")
    assert "evil.jpg" in str(caught.value)
    assert not (tmp_path / "deep").exists()
    assert not list(tmp_path.rglob("evil.jpg"))


def test_links_refuse_the_archive(pack: Pack, tmp_path: Path) -> None:
    archive = pack()
    link = zipfile.ZipInfo("Market-1501-v15.09.15/query/passwd")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr(link, "/etc/passwd")
    with pytest.raises(InputError, match="is a link"):
        unpack.unpack(archive, LAYOUT, tmp_path / "new")


def test_a_bomb_is_refused_by_what_it_declares(
    pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = pack({"Market-1501-v15.09.15/query/zeros.jpg": bytes(4 * 2**20)})
    usage = shutil.disk_usage(tmp_path)._replace(free=unpack._SPARE + 2**20)
    monkeypatch.setattr(unpack.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(InputError, match="MiB free"):
        unpack.unpack(archive, LAYOUT, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_damaged_entry_is_left_out_and_the_rest_goes_on(pack: Pack, tmp_path: Path) -> None:
    archive = pack()
    data = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as opened:
        info = opened.infolist()[5]
    start = info.header_offset + 30 + len(info.filename) + 20
    data[start : start + 40] = os.urandom(40)
    archive.write_bytes(data)
    done = unpack.unpack(archive, LAYOUT, tmp_path / "new")
    assert [entry for entry, _ in done.damaged] == [info.filename]
    assert done.written == 22


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "there is no archive"),
        (b"", "0 bytes"),
        (b"Rar!\x1a\x07\x00 and so on", "not a zip but a RAR archive"),
        (b"7z\xbc\xaf\x27\x1c and so on", "a 7z archive"),
        (b"\x1f\x8b and so on", "a gzip (.tar.gz) archive"),
        (b"BZh and so on", "a bzip2"),
        (b"\xfd7zXZ and so on", "a xz"),
        (bytes(257) + b"ustar" + bytes(300), "a tar archive"),
        (b"\n<HTML>Sign in", "a web page"),
        (b"something else", "is not a zip archive"),
        (b"PK\x03\x04 begins like one", "cut short"),
    ],
)
def test_what_is_no_archive_is_named(tmp_path: Path, content: bytes | None, says: str) -> None:
    archive = tmp_path / "x.zip"
    if content is not None:
        archive.write_bytes(content)
    with pytest.raises(InputError) as caught:
        unpack.unpack(archive, LAYOUT, tmp_path / "new")
    assert says in str(caught.value)
    assert str(archive) in str(caught.value)


def test_a_download_cut_short_is_called_so(pack: Pack, tmp_path: Path) -> None:
    archive = pack()
    archive.write_bytes(archive.read_bytes()[:-500])
    with pytest.raises(InputError, match="cut short"):
        unpack.unpack(archive, LAYOUT, tmp_path / "new")


def test_another_archive_says_what_it_holds(tmp_path: Path) -> None:
    archive = tmp_path / "cats.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("cats/tom.jpg", b"x")
    with pytest.raises(InputError, match=r"cats/tom\.jpg"):
        unpack.unpack(archive, LAYOUT, tmp_path / "new")


def test_a_folder_is_no_archive(market: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder; give the downloaded zip file"):
        unpack.unpack(market, LAYOUT, tmp_path / "new")


def test_an_archive_that_may_not_be_read_is_named(
    pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(file: Path) -> None:
        raise PermissionError(13, "Permission denied", str(file))

    monkeypatch.setattr(archives.zipfile, "ZipFile", refuse)
    archive = tmp_path / "x.zip"
    archive.write_bytes(b"PK")
    with pytest.raises(InputError, match="may not be read"):
        unpack.unpack(archive, LAYOUT, tmp_path / "new")


def packed(file: Path, names: list[str]) -> Path:
    with zipfile.ZipFile(file, "w") as opened:
        for name in names:
            opened.writestr(name, b"x")
    return file


DUKE = [
    "DukeMTMC-reID/bounding_box_train/0001_c2_f0046182.jpg",
    "DukeMTMC-reID/query/0005_c2_f0046985.jpg",
    "DukeMTMC-reID/bounding_box_test/0005_c5_f0051341.jpg",
    "DukeMTMC-reID/LICENSE_DukeMTMC.txt",
]


@pytest.mark.parametrize(
    ("names", "right"),
    [
        (DUKE, "dukemtmc"),
        (["A/partial_body_images/001_001.jpg", "A/whole_body_images/001_002.jpg"], "partial_reid"),
    ],
)
def test_the_archive_of_another_dataset_is_called_by_its_name(
    tmp_path: Path, names: list[str], right: str
) -> None:
    """Duke's folders are Market's: only the pictures' names tell them apart."""
    archive = packed(tmp_path / "my archive.zip", names)
    with pytest.raises(InputError, match=f"mfa data prepare {right} --archive '"):
        unpack.unpack(archive, LAYOUT, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert archives.datasets_in(archive)[0].name == right


def msmt(train: str, test: str) -> list[str]:
    lists = [f"list_{name}.txt" for name in ("train", "val", "query", "gallery")]
    name = "0000/0000_000_01_0303morning_0008_0.jpg"
    return [f"{train}/{name}", f"{test}/{name}", *lists]


def test_two_versions_are_not_mixed_in_one_folder(tmp_path: Path) -> None:
    first = packed(tmp_path / "v1.zip", msmt("train", "test"))
    second = packed(tmp_path / "v2.zip", msmt("mask_train_v2", "mask_test_v2"))
    folder = unpack.unpack(first, msmt17.LAYOUT, tmp_path / "new").folder
    before = sorted(folder.rglob("*"))
    with pytest.raises(InputError, match="holds test, train of another version of MSMT17"):
        unpack.unpack(second, msmt17.LAYOUT, tmp_path / "new")
    assert sorted(folder.rglob("*")) == before
    assert unpack.unpack(first, msmt17.LAYOUT, tmp_path / "new").kept == 6
