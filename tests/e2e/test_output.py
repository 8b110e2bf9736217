"""Output that cannot be written: a full disk, a reader that has gone, a closed descriptor."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pictures import photograph

from . import programs
from .conftest import PATIENCE, PXOS, Pxos, listing, save


@pytest.fixture
def full() -> Iterator[object]:
    """A device with no room on it."""
    with open("/dev/full", "wb") as device:
        yield device


def small_files() -> None:
    """No file may grow beyond 4 KiB; as on a full disk, writing on is an error."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))


@pytest.mark.parametrize(
    "words",
    [
        ("run", "hello"),
        ("run", "invert", "-i", "photo.jpg", "-o", "-"),
        ("run", "blur", "--help"),
        ("-c", "apps"),
        ("-c", "cat many.txt"),
        ("disasm", "hello"),
        ("doctor",),
    ],
)
def test_a_full_standard_output(pxos: Pxos, photo: Path, full, words: tuple[str, ...]) -> None:
    (photo.parent / "many.txt").write_text("many words\n" * 9000)
    done = pxos(*words, stdout=full)
    assert done.status == 1
    assert done.told == "pxos: standard output cannot be written, no space left on device\n"


@pytest.mark.parametrize(
    "words",
    [
        ("run", "invert", "-i", "big.png", "-o", "out.png"),
        ("-c", "big.png | invert > out.png"),
        ("-c", "cat big.txt > out.txt"),
        ("disasm", "hello", "-o", "out.png"),
        ("asm", "hello.pxa", "-o", "out.png"),
        ("boot", "--headless", "--frames", "2", "--screenshot", "out.png"),
    ],
)
def test_a_full_disk_keeps_the_old_file(pxos: Pxos, here: Path, words: tuple[str, ...]) -> None:
    save(here / "big.png", photograph(200, 300))
    (here / "hello.pxa").write_text(_LARGE)
    (here / "big.txt").write_text("many words\n" * 9000)
    for name in ("out.png", "out.txt"):
        (here / name).write_bytes(b"old")
    before = listing(here)
    done = pxos(*words, limit=small_files)
    assert done.status == 1
    assert "too large" in done.told
    assert "out.txt" in done.told or "out.png" in done.told
    assert (here / "out.png").read_bytes() == b"old"
    assert (here / "out.txt").read_bytes() == b"old"
    assert listing(here) == before


_LARGE = 'title "Large"\na : I = range(5000)\nhalt\n'


@pytest.mark.parametrize(
    ("words", "says", "status"),
    [
        (("run", "invert", "-i", "photo.jpg", "-o", "none/out.png"), "folder that exists", 1),
        (("run", "invert", "-i", "photo.jpg", "-o", "folder.png"), "cannot be written there", 1),
        (("run", "invert", "-i", "photo.jpg", "-o", "out.doc"), "end the name with .png", 2),
        (("-c", "photo.jpg | invert > none/out.png"), "none/out.png", 1),
        (("-c", "photo.jpg | invert > folder.png"), "it is a folder", 1),
        (("-c", "photo.jpg | invert > out.doc"), "end it with .png", 2),
        (("asm", "large.pxa", "-o", "none/x.png"), "none/x.png", 1),
        (("boot", "--headless", "--frames", "1", "--screenshot", "none/x.png"), "none", 1),
    ],
)
def test_targets_that_cannot_be_written(
    pxos: Pxos, here: Path, photo: Path, words: tuple[str, ...], says: str, status: int
) -> None:
    (here / "folder.png").mkdir()
    (here / "large.pxa").write_text(_LARGE)
    before = listing(here)
    done = pxos(*words)
    assert done.status == status
    assert says in done.told
    assert listing(here) == before


def test_a_device_is_written_to_and_not_replaced(pxos: Pxos, here: Path) -> None:
    os.mkfifo(here / "pipe")
    reader = subprocess.Popen(["cat", here / "pipe"], stdout=subprocess.PIPE)
    assert pxos("disasm", "hello", "-o", "pipe").status == 0
    out, _ = reader.communicate(timeout=PATIENCE)
    assert b"Hello" in out
    assert (here / "pipe").is_fifo()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (programs.ENDLESS, ("run", "it.png", "-o", "-")),
        (programs.ENDLESS, ("run", "it.png")),
        (programs.FLOOD, ("run", "it.png")),
        (programs.FLOOD, ("-c", "./it.png | ./it.png")),
        (programs.FLOOD, ("-c", "./it.png")),
    ],
)
def test_a_reader_that_has_gone_ends_an_endless_program(
    pxos: Pxos, here: Path, source: str, words: tuple[str, ...]
) -> None:
    (here / "it.pxa").write_text(source)
    assert pxos("asm", "it.pxa").status == 0
    process = pxos.start(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    assert len(process.stdout.read(10)) == 10
    process.stdout.close()
    told = process.stderr.read()
    process.stderr.close()
    status = process.wait(PATIENCE)
    pxos.checked(status, b"", told)
    assert told == b""
    assert status in ((0,) if words[0] == "run" else (0, 130))


def test_an_endless_program_into_a_pipe_takes_no_more_memory(pxos: Pxos, here: Path) -> None:
    (here / "it.pxa").write_text(programs.ENDLESS)
    process = pxos.start("run", "it.pxa", "-o", "-", stdout=subprocess.PIPE)
    assert process.stdout is not None
    size = []
    for _ in range(2):
        for _ in range(600):  # 24 MB
            process.stdout.read(40_000)
        status = Path(f"/proc/{process.pid}/status").read_text()
        size.append(int(status.split("VmRSS:")[1].split()[0]))
    process.stdout.close()
    assert process.wait(PATIENCE) == 0
    assert size[1] - size[0] < 4000, "KiB"


@pytest.mark.parametrize("words", ["run hello", "-c apps", "run blr"])
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "2>/dev/full", "<&- >&- 2>&-"])
def test_closed_descriptors(pxos: Pxos, here: Path, words: str, closed: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f"'{PXOS[0]}' -m pxos {words} {closed}"],
        cwd=here,
        env=pxos.environment,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    outcome = pxos.checked(done.returncode, done.stdout, done.stderr)
    if words == "run blr":
        assert outcome.status == 2
    elif ">&-" in closed.replace("2>&-", ""):
        assert outcome.status == 1
    else:
        assert outcome.status == 0
        assert outcome.out
    assert listing(here) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_no_temporary_file(pxos: Pxos, here: Path, number: int) -> None:
    (here / "it.pxa").write_text(programs.ENDLESS)
    process = pxos.start("run", "it.pxa", "-o", "out.png", stderr=subprocess.PIPE)
    deadline = time.monotonic() + PATIENCE
    while len(listing(here)) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == (130 if number == signal.SIGINT else 128 + number)
    assert told == b""
    assert listing(here) == ["it.pxa"]
