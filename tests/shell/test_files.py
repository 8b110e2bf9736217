from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from pxos.kernel.pipes import Flow, Given
from pxos.shell.expand import CommandError
from pxos.shell.readers import picture_files, text_files
from pxos.shell.writers import picture_target, text_target

from .fakes import FakeHost, load, picture, save, until


def nothing() -> None:
    """Nobody to tell."""


def drain(source) -> list:
    found = []
    while True:
        until(lambda: source.ready() or source.problem is not None)
        message = source.read()
        if message is Flow.END or source.problem is not None:
            return found
        found.append(message)


def finish(sink, commit: bool) -> None:
    sink.close()
    sink.decide(commit)
    until(lambda: sink.done)


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_pictures_of_several_files_come_in_order(tmp_path: Path) -> None:
    paths = [save(tmp_path / f"{n}.png", picture(n + 1, 2, n)) for n in range(5)]
    found = drain(picture_files(paths, [p.name for p in paths], FakeHost(), nothing))
    assert [p.shape for p in found] == [(n + 1, 2, 4) for n in range(5)]
    assert np.array_equal(found[4], picture(5, 2, 4))


def test_text_comes_in_pieces(tmp_path: Path) -> None:
    data = os.urandom(200_000)
    (tmp_path / "a").write_bytes(data)
    (tmp_path / "b").write_bytes(b"end")
    source = text_files([tmp_path / "a", tmp_path / "b"], ["a", "b"], nothing)
    assert b"".join(drain(source)) == data + b"end"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda p: None, "cannot read x.png: no such file or directory"),
        (lambda p: p.mkdir(), "cannot read x.png: is a directory"),
        (lambda p: p.write_bytes(b"no picture"), "x.png is no picture"),
    ],
)
def test_unreadable_pictures_have_a_problem(tmp_path: Path, make, says: str) -> None:
    make(tmp_path / "x.png")
    source = picture_files([tmp_path / "x.png"], ["x.png"], FakeHost(), nothing)
    assert drain(source) == []
    assert says in source.problem
    assert source.read() is Flow.PENDING


def test_a_named_pipe_without_a_writer_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert drain(text_files([tmp_path / "fifo"], ["fifo"], nothing)) == []


def test_a_closed_source_ends_and_its_thread_too(tmp_path: Path) -> None:
    paths = [save(tmp_path / f"{n}.png", picture(2, 2)) for n in range(9)]
    source = picture_files(paths, [p.name for p in paths], FakeHost(), nothing)
    until(source.ready)
    source.close()
    assert source.read() is Flow.END
    until(lambda: not source._thread.is_alive())


def test_one_picture_replaces_the_target(tmp_path: Path) -> None:
    target = tmp_path / "out.png"
    target.write_bytes(b"old")
    target.chmod(0o640)
    sink = picture_target(target, "out.png", FakeHost(), nothing)
    assert sink.write(picture(3, 4)) is Given.TAKEN
    finish(sink, True)
    assert sink.problem is None
    assert np.array_equal(load(target), picture(3, 4))
    assert target.stat().st_mode & 0o777 == 0o640
    assert left(tmp_path) == ["out.png"]


def test_several_pictures_are_numbered(tmp_path: Path) -> None:
    sink = picture_target(tmp_path / "out.png", "out.png", FakeHost(), nothing)
    for n in range(3):
        until(lambda: sink.write(picture(1, 1, n)) is Given.TAKEN)  # noqa: B023
    finish(sink, True)
    assert left(tmp_path) == ["out-1.png", "out-2.png", "out-3.png"]
    assert np.array_equal(load(tmp_path / "out-2.png"), picture(1, 1, 1))


def test_a_target_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.png").symlink_to(tmp_path / "folder" / "real.png")
    sink = picture_target(tmp_path / "link.png", "link.png", FakeHost(), nothing)
    sink.write(picture(1, 1))
    finish(sink, True)
    assert (tmp_path / "link.png").is_symlink()
    assert left(tmp_path / "folder") == ["real.png"]


@pytest.mark.parametrize("existed", [True, False])
def test_nothing_changes_without_commit(tmp_path: Path, existed: bool) -> None:
    before = ["a.txt", "out.png"] if existed else []
    for name in before:
        (tmp_path / name).write_bytes(b"old")
    pictures = picture_target(tmp_path / "out.png", "out.png", FakeHost(), nothing)
    pictures.write(picture(2, 2))
    texts = text_target(tmp_path / "a.txt", "a.txt", False, nothing)
    texts.write(b"new")
    finish(pictures, False)
    finish(texts, False)
    assert left(tmp_path) == before
    assert all((tmp_path / name).read_bytes() == b"old" for name in before)


def test_abandoning_does_not_wait_for_a_slow_encoder(tmp_path: Path) -> None:
    gate, entered = threading.Event(), threading.Event()
    host = FakeHost()
    host.write_gate = lambda: (entered.set(), gate.wait(5))  # type: ignore[assignment,return-value]
    sink = picture_target(tmp_path / "out.png", "out.png", host, nothing)
    sink.write(picture(2, 2))
    assert entered.wait(5)
    sink.decide(False)
    assert left(tmp_path) == []
    gate.set()
    until(lambda: sink.done)
    assert left(tmp_path) == []


def test_a_full_disk_leaves_the_old_picture(tmp_path: Path) -> None:
    (tmp_path / "out.png").write_bytes(b"old")
    host = FakeHost()
    host.fail_write = OSError(errno.ENOSPC, "No space left on device")
    sink = picture_target(tmp_path / "out.png", "out.png", host, nothing)
    sink.write(picture(2, 2))
    until(lambda: sink.problem is not None)
    assert "cannot write out.png: the disk is full" in sink.problem
    assert sink.write(picture(2, 2)) is Given.CLOSED
    until(lambda: sink.done)
    assert left(tmp_path) == ["out.png"]
    assert (tmp_path / "out.png").read_bytes() == b"old"


def test_text_is_appended_or_replaces(tmp_path: Path) -> None:
    path = tmp_path / "log"
    for append, expected in ((True, b"one\n"), (True, b"one\none\n"), (False, b"one\n")):
        sink = text_target(path, "log", append, nothing)
        sink.write(b"one\n")
        finish(sink, True)
        assert sink.problem is None
        assert path.read_bytes() == expected
    assert left(tmp_path) == ["log"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_device_is_a_problem(tmp_path: Path) -> None:
    sink = text_target(Path("/dev/full"), "/dev/full", False, nothing)
    sink.write(b"x")
    finish(sink, True)
    assert "the disk is full" in sink.problem


def test_the_null_device_takes_everything() -> None:
    pictures = picture_target(Path("/dev/null"), "/dev/null", FakeHost(), nothing)
    pictures.write(picture(1, 1))
    finish(pictures, True)
    texts = text_target(Path("/dev/null"), "/dev/null", True, nothing)
    texts.write(b"x")
    finish(texts, True)
    assert (pictures.problem, texts.problem) == (None, None)


@pytest.mark.parametrize(
    ("name", "status", "says"),
    [
        ("out.txt", 2, "does not end like a picture: end it with .png or .jpg"),
        ("no/out.png", 1, "cannot write no/out.png: no such file"),
        ("folder.png", 1, "it is a folder"),
    ],
)
def test_bad_targets_are_told_at_once(tmp_path: Path, name: str, status: int, says: str) -> None:
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(CommandError, match=says) as caught:
        picture_target(tmp_path / name, name, FakeHost(), nothing)
    assert caught.value.status == status
    assert left(tmp_path) == ["folder.png"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anything")
def test_a_read_only_file_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch(0o444)
    with pytest.raises(CommandError, match="permission denied"):
        text_target(tmp_path / "a.txt", "a.txt", False, nothing)
