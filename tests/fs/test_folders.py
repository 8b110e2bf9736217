from __future__ import annotations

from pathlib import Path

import pytest

from pxos.fs import folders
from pxos.fs.folders import FolderStore


def app(root: Path, name: str, data: bytes) -> None:
    (root / name).mkdir(parents=True)
    (root / name / f"{name}.png").write_bytes(data)


def test_names_and_contents(tmp_path: Path) -> None:
    first, second = tmp_path / "mine", tmp_path / "all"
    app(first, "blur", b"my blur")
    app(second, "blur", b"their blur")
    app(second, "snake", b"snake")
    app(second, ".hidden", b"")
    (second / "empty").mkdir()
    (second / "file").write_bytes(b"")
    store = FolderStore([first, second, tmp_path / "missing"])
    assert store.names() == ["blur", "snake"]
    assert store.read("blur") == b"my blur"
    assert store.path("snake") == second / "snake" / "snake.png"
    app(first, "new", b"n")
    assert store.read("new") == b"n"


@pytest.mark.parametrize(
    "name", ["", "none", "../all", "a/b", "..", ".hidden", "a\\b", "c:x", "a\0"]
)
def test_no_such_program(tmp_path: Path, name: str) -> None:
    app(tmp_path, ".hidden", b"")
    app(tmp_path / "all", "all", b"")
    with pytest.raises(KeyError):
        FolderStore([tmp_path]).read(name)


def test_too_large(tmp_path: Path, monkeypatch) -> None:
    app(tmp_path, "big", b"12345")
    monkeypatch.setattr(folders, "MAX_PROGRAM_BYTES", 4)
    with pytest.raises(OSError, match="5 bytes"):
        FolderStore([tmp_path]).read("big")
