from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from pxos.fs import sandbox
from pxos.fs.sandbox import SandboxFolder

PICTURE = np.zeros((1, 2, 4), np.uint8)


def decode(data: bytes) -> np.ndarray | None:
    return PICTURE if data.startswith(b"PIC") else None


@pytest.fixture
def folder(tmp_path: Path) -> SandboxFolder:
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "note.txt").write_bytes(b"hello")
    (root / "photo").write_bytes(b"PIC...")
    (root / ".hidden").write_bytes(b"")
    (root / "in").symlink_to("sub")
    (root / "out").symlink_to(tmp_path)
    (root / "dangling").symlink_to(tmp_path / "new")
    (tmp_path / "secret").write_bytes(b"secret")
    os.mkfifo(root / "fifo")
    return SandboxFolder(root, decode)


def test_reading(folder: SandboxFolder) -> None:
    assert folder.read("note.txt") == b"hello"
    assert folder.read("sub/../note.txt") == b"hello"
    assert folder.read("photo") is PICTURE
    for nothing in ("none", "sub", "fifo", "none/deeper", ""):
        assert folder.read(nothing) is None


def test_listing(folder: SandboxFolder) -> None:
    assert folder.names("") == ["in/", "note.txt", "out/", "photo", "sub/"]
    assert folder.names("sub") == []
    assert folder.names("note.txt") is None
    assert folder.names("none") is None


def test_writing(folder: SandboxFolder) -> None:
    folder.write("new/deep/a", b"1")
    folder.write("in/b", b"2")
    assert (folder.root / "new" / "deep" / "a").read_bytes() == b"1"
    assert (folder.root / "sub" / "b").read_bytes() == b"2"
    for wrong in ("sub", ""):
        with pytest.raises(IsADirectoryError):
            folder.write(wrong, b"")
    with pytest.raises(PermissionError):
        folder.write("fifo", b"")


@pytest.mark.parametrize(
    "path",
    [
        "../secret",
        "out/secret",
        "/etc/passwd",
        "sub/../../secret",
        "dangling",
        "a\\b",
        "c:x",
        "a\0b",
        "out/",
    ],
)
def test_nothing_outside_is_reached(folder: SandboxFolder, path: str) -> None:
    before = sorted(os.listdir(folder.root.parent))
    for use in (folder.read, folder.names, lambda p: folder.write(p, b"x")):
        with pytest.raises(PermissionError):
            use(path)
    assert sorted(os.listdir(folder.root.parent)) == before


def test_read_only(folder: SandboxFolder) -> None:
    reading = SandboxFolder(folder.root, decode, writable=False)
    assert reading.read("note.txt") == b"hello"
    with pytest.raises(PermissionError, match="reading only"):
        reading.write("note.txt", b"")


def test_size_is_bounded(folder: SandboxFolder, monkeypatch) -> None:
    monkeypatch.setattr(sandbox, "MAX_FILE_BYTES", 4)
    with pytest.raises(OSError, match="larger than 4"):
        folder.read("note.txt")


def test_the_root_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError):
        SandboxFolder(tmp_path / "none", decode)
