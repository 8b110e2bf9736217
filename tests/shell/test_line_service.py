"""The command language as a terminal app sees it: nothing blocks, the kernel's loop runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pxos.kernel.kernel import Kernel
from pxos.kernel.pipes import TextSource
from pxos.shell.line_service import MOST_OUTPUT, LineService, LineServices
from pxos.shell.session import Session

from .fakes import FakeHost, TestClock, load, picture, save, until
from .programs import MemoryStore


class Desk:
    """A kernel and a conversation on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = MemoryStore()
        self.kernel = Kernel(self.store, clock=TestClock())
        self.woken = 0
        self.services = LineServices(self.make)
        self.service: LineService = self.services(self.wake)

    def make(self, out: Callable[[str], None], typed: Callable[[], TextSource]) -> Session:
        return Session(
            self.kernel, self.store, FakeHost(self.folder), cwd=self.folder, out=out, typed=typed
        )

    def wake(self) -> None:
        self.woken += 1

    def turn(self) -> None:
        self.kernel.run(0.002)

    def finish(self) -> str:
        """Let the kernel run until the line is over; all output."""

        def over() -> bool:
            self.turn()
            return not self.service.running()

        until(over)
        return self.drain()

    def drain(self) -> str:
        pieces = []
        while piece := self.service.output():
            pieces.append(piece)
        return b"".join(pieces).decode()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.service.close()
    assert not desk.kernel.processes
    desk.kernel.close()


def test_a_line_runs_on_the_kernels_loop_alone(desk: Desk) -> None:
    save(desk.folder / "in.png", picture(2, 2))
    desk.service.run(b"in.png | invert > out.png && say | shout | cat && three")
    assert desk.service.running()
    assert desk.finish() == "grüße\n".encode().translate(
        bytes(b & 0xDF for b in range(256))
    ).decode("utf-8", "replace")
    assert (load(desk.folder / "out.png") == 255 - picture(2, 2)).all()
    assert desk.service.status() == 3
    assert desk.woken


def test_errors_are_output(desk: Desk) -> None:
    desk.service.run(b"nosuch")
    assert "there is no app or file nosuch" in desk.finish()
    desk.service.run(b"echo 'x")
    assert not desk.service.running()
    assert "is not closed" in desk.drain()
    assert desk.service.status() == 2


def test_interrupt(desk: Desk) -> None:
    desk.service.run(b"forever; echo no")
    for _ in range(5):
        desk.turn()
    desk.service.interrupt()
    assert not desk.service.running()
    assert desk.drain() == "^C\n"
    assert desk.service.status() == 130
    desk.service.interrupt()
    assert desk.drain() == ""


def test_what_is_typed_reaches_the_running_program(desk: Desk) -> None:
    desk.service.run(b"shout")
    desk.turn()
    desk.service.run(b"hello")
    for _ in range(5):
        desk.turn()
    assert desk.drain() == bytes(b & 0xDF for b in b"hello\n").decode()
    assert desk.service.running()
    desk.service.run(b"\x04")
    assert desk.finish() == ""
    assert desk.service.status() == 0


def test_what_is_typed_to_a_program_that_reads_nothing_is_lost(desk: Desk) -> None:
    desk.service.run(b"forever")
    desk.service.run(b"echo x")
    desk.service.interrupt()
    assert desk.drain() == "^C\n"


def test_time_passes_for_lines_that_wait_for_it(desk: Desk) -> None:
    desk.service.run(b"top 0.1")

    def over() -> bool:
        desk.turn()
        desk.services.poll()
        return not desk.service.running()

    until(over)
    assert "INSTR/S" in desk.drain()


def test_jobs_end_between_lines(desk: Desk) -> None:
    desk.service.run(b"say > a.txt &")
    assert not desk.service.running()

    def written() -> bool:
        desk.turn()
        return (desk.folder / "a.txt").exists()

    until(written)
    desk.drain()
    desk.service.run(b"echo x")
    assert desk.finish() == "x\n[1] done  say > a.txt\n"


def test_prompt_and_completion(desk: Desk) -> None:
    (desk.folder / "sub").mkdir()
    assert desk.service.prompt() == b"~> "
    assert desk.service.complete(b"inv") == b"invert "
    assert desk.service.complete(b"sa") == b"say "
    assert desk.service.complete(b"s") == b"s\nsay  shout  sleepy  still  set  sub/"
    assert desk.service.complete(b"brighten --t") == b"brighten --twice "
    assert desk.service.complete(b"cd s") == b"cd sub/"
    assert desk.service.complete(b"zzz") == b"zzz"
    desk.service.run(b"cd sub")
    assert desk.service.prompt() == b"~/sub> "


def test_each_conversation_has_its_own_folder(desk: Desk) -> None:
    (desk.folder / "sub").mkdir()
    other = desk.services(desk.wake)
    desk.service.run(b"cd sub")
    assert other.prompt() == b"~> "
    other.close()
    desk.services.poll()


def test_a_terminal_that_reads_nothing_keeps_the_end(desk: Desk) -> None:
    (desk.folder / "big").write_bytes(b"x" * (2 * MOST_OUTPUT) + b"end")
    desk.service.run(b"cat big")
    text = desk.finish()
    assert len(text) <= MOST_OUTPUT
    assert text.endswith("end")


def test_closing_stops_everything(desk: Desk) -> None:
    desk.service.run(b"forever &")
    desk.service.run(b"forever")
    desk.turn()
    assert len(desk.kernel.processes) == 2
    desk.service.close()
    assert not desk.kernel.processes


def test_exit_says_how_a_terminal_is_closed(desk: Desk) -> None:
    desk.service.run(b"exit 3")
    assert "close the window" in desk.finish()
    desk.service.run(b"echo on")
    assert desk.finish() == "on\n"
