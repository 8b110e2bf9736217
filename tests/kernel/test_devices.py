"""Devices one by one, where programs would be a detour."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from pxos.kernel.devices import keycodes
from pxos.kernel.devices.base import PortError, first, integers, row
from pxos.kernel.devices.board import Board
from pxos.kernel.devices.events import MAX_EVENTS, EventQueue
from pxos.kernel.devices.files import Files
from pxos.kernel.devices.line import Line
from pxos.kernel.devices.picture import Picture
from pxos.kernel.devices.screen import MAX_PIXELS, Screen, Surface, bounded_size
from pxos.kernel.devices.text import MOST_NOTE_BYTES, MOST_NOTES, Text
from pxos.kernel.machine import png
from pxos.kernel.machine.fault import InternalError
from pxos.kernel.machine.ports import PORTS, Message, Refused, Wait
from pxos.kernel.pipes import Flow, IterSource, ListSink, Pipe, SourceError

NOTHING = Message("T", np.zeros((0, 0), np.uint8))


def t(data: bytes) -> Message:
    return Message("T", np.frombuffer(data, np.uint8).reshape(1, -1))


def p(rows: int, cols: int, value: int = 9) -> Message:
    return Message("P", np.full((rows, cols, 4), value, np.uint8))


def i(*numbers: int) -> Message:
    return row(*numbers)


def test_selectors_are_floored() -> None:
    fixed = Message("X", np.array([[-1, 3 << 16 | 5]], np.int32))
    assert integers(fixed) == [-1, 3]
    assert first(fixed) == -1
    assert first(Message("I", np.zeros((0, 3), np.int32)), 8) == 8
    assert integers(t(b"ab")) == [97, 98]
    with pytest.raises(InternalError):
        integers(p(1, 1))


def test_rows_wrap_at_32_bits() -> None:
    assert row(2**31, -1, 2**32 + 5).data.tolist() == [[-(2**31), -1, 5]]


# ---- board -----------------------------------------------------------------------------


def test_the_board_refuses_what_was_not_granted() -> None:
    board = Board()
    assert board.read("k", i(0)) == Refused("k")
    assert board.write("k", i(0), i(0)) == Refused("k")
    assert board.ready("k") == Refused("k")


def test_the_board_notes_what_is_waited_for() -> None:
    board, keys = Board(), EventQueue("k", lambda: 5)
    board.devices = {"k": keys, "m": EventQueue("m", lambda: 5)}
    assert [board.ready("k"), board.ready("m")] == [False, False]
    assert board.asked == {"k", "m"}
    keys.push(1, 1)
    assert board.ready("k") is True
    assert board.asked == set()
    assert board.write("k", i(0), i(0)) == Refused("k")


def test_the_board_keeps_why_a_process_ends() -> None:
    board = Board()
    board.devices = {"s": Screen(Surface(1, 1), lambda: None)}
    assert board.write("s", t(b"no picture"), i(0)) == Wait("s")
    assert board.ending is not None
    assert (board.ending.kind, board.ending.reason) == ("fault", "K")
    with pytest.raises(InternalError):
        board.write("s", t(b"no picture"), i(0))


def test_every_port_with_input_has_a_device_that_reads() -> None:
    readers = {"s": Screen, "k": EventQueue, "t": Text, "p": Picture, "f": Files, "l": Line}
    for letter, device in readers.items():
        assert PORTS[letter].reads
        assert "read" in vars(device)
        assert ("write" in vars(device)) == bool(PORTS[letter].writes)


# ---- events ----------------------------------------------------------------------------


def test_events_come_all_at_once_and_the_oldest_make_room() -> None:
    queue, woken = EventQueue("m", lambda: 77), []
    queue.on_event(lambda: woken.append(1))
    assert queue.read(i(0)).data.shape == (0, 4)
    queue.push(1, 2, 3)
    queue.push(4, 5, -1 << 8, ms=6)
    assert queue.read(i(0)).data.tolist() == [[1, 2, 3, 77], [4, 5, -256, 6]]
    assert not queue.ready()
    queue.push_all(np.arange(4 * (MAX_EVENTS + 9)).reshape(-1, 4))
    assert queue.read(i(0)).data[0, 0] == 36
    assert len(woken) == 2 + MAX_EVENTS


def test_key_codes_are_one_to_one() -> None:
    assert len(keycodes.NAMES) == len(keycodes.KEYS)
    assert keycodes.KEYS["f1"] == 0xE011
    assert keycodes.NAMES[0xE003] == "right"


# ---- screen ----------------------------------------------------------------------------


def test_a_screen_has_a_largest_picture() -> None:
    shown: list[int] = []
    surface = Surface(4, 4)
    screen = Screen(surface, lambda: shown.append(1))
    screen.write(p(1, 7), i(0))
    assert (surface.picture.shape, surface.serial, shown) == ((1, 7, 4), 1, [1])
    huge = Message("P", np.broadcast_to(np.uint8(0), (MAX_PIXELS // 4 + 1, 4, 4)))
    with pytest.raises(PortError, match="at most"):
        screen.write(huge, i(0))


@pytest.mark.parametrize(
    ("asked", "given"), [((0, -5), (1, 1)), ((9000, 9000), (2048, 8192)), ((400, 640), (400, 640))]
)
def test_surface_sizes_are_bounded(asked: tuple[int, int], given: tuple[int, int]) -> None:
    assert bounded_size(*asked) == given


# ---- text and pictures -----------------------------------------------------------------


def test_notes_go_to_the_user_and_not_into_the_pipe() -> None:
    pipe: Pipe[bytes] = Pipe("text")
    told: list[str] = []
    device = Text(None, pipe.writer, lambda: None, told.append)
    device.write(t(b"said"), i(0))
    device.write(t("beside\n it: \x1b[31m\u009b é\0".encode()), i(1))
    assert pipe.reader.read() == b"said"
    assert pipe.reader.read() is Flow.PENDING
    assert told == ["beside it: \ufffd[31m\ufffd é\ufffd"]
    for _ in range(100):
        device.write(t(b"x" * 1000), i(1))
    assert len(told) == MOST_NOTES
    assert told[-1] == "x" * MOST_NOTE_BYTES


def test_an_end_is_ready_once() -> None:
    for device in (
        Text(IterSource([]), None, lambda: None),
        Text(None, None, lambda: None),
        Picture([], None, lambda: None),
        Picture([IterSource([])], None, lambda: None),
    ):
        assert device.ready()
        assert device.read(i(0)).data.size == 0  # type: ignore[union-attr]
        assert not device.ready()
        assert device.read(i(0)).data.size == 0  # type: ignore[union-attr]


def test_waiting_for_room_and_for_a_reader_that_goes() -> None:
    pipe: Pipe[bytes] = Pipe("text", 2)
    device = Text(None, pipe.writer, lambda: None)
    assert device.write(t(b"ab"), i(0)) is None
    assert device.write(NOTHING, i(0)) is None
    assert device.write(t(b"c"), i(0)) == Wait("t")
    pipe.reader.close()
    with pytest.raises(PortError) as caught:
        device.write(t(b"c"), i(0))
    assert caught.value.kind == "closed pipe"


def test_pictures_without_pixels_are_not_handed_on() -> None:
    sink: ListSink[np.ndarray] = ListSink()
    empty = np.zeros((0, 5, 4), np.uint8)
    device = Picture([IterSource([empty, p(1, 1).data])], sink, lambda: None)
    device.write(Message("P", empty), i(0))
    assert sink.messages == []
    assert device.read(i(0)).data.shape == (1, 1, 4)  # type: ignore[union-attr]


# ---- files -----------------------------------------------------------------------------


class FakeFolder:
    def __init__(self, **files: bytes | np.ndarray) -> None:
        self.files: dict[str, bytes | np.ndarray] = dict(files)
        self.error: OSError | None = None

    def read(self, path: str) -> bytes | np.ndarray | None:
        if self.error:
            raise self.error
        return self.files.get(path)

    def names(self, path: str) -> list[str] | None:
        return sorted(self.files) if path == "" else None

    def write(self, path: str, data: bytes) -> None:
        if self.error:
            raise self.error
        self.files[path] = data


def test_files_are_text_pictures_or_nothing() -> None:
    folder = FakeFolder(note=b"hi", empty=b"", photo=p(2, 3).data)
    files = Files(folder)
    assert files.read(t(b"note\0\0")).data.tobytes() == b"hi"  # type: ignore[union-attr]
    assert files.read(t(b"photo")).kind == "P"  # type: ignore[union-attr]
    assert files.read(t(b"empty")).data.shape == (1, 0)  # type: ignore[union-attr]
    assert files.read(t(b"none")).data.shape == (0, 0)  # type: ignore[union-attr]
    for root in (b"", b"/"):
        assert files.read(t(root)).data.tobytes() == b"empty\nnote\nphoto\n"  # type: ignore[union-attr]
    assert files.read(t(b"deep/")).data.shape == (0, 0)  # type: ignore[union-attr]
    assert files.write(t(b"new"), t(b"n")) is None
    files.write(p(2, 2), t(b"n.png"))
    assert folder.files["n"] == b"new"
    assert np.array_equal(png.decode(folder.files["n.png"]), p(2, 2).data)  # type: ignore[arg-type]


def test_files_outside_are_refused_and_trouble_ends_the_program() -> None:
    folder = FakeFolder()
    files = Files(folder)
    folder.error = PermissionError(1, "outside")
    assert files.read(t(b"../x")) == Refused("f")
    assert files.write(t(b""), t(b"../x")) == Refused("f")
    folder.error = OSError(28, "no space left")
    for use in (lambda: files.read(t(b"x")), lambda: files.write(t(b""), t(b"x"))):
        with pytest.raises(PortError, match="no space left"):
            use()
    with pytest.raises(PortError) as caught:
        files.read(i(3))
    assert caught.value.reason == "K"
    with pytest.raises(PortError):
        files.write(i(3), t(b"x"))
    assert Files(None).read(t(b"x")).data.size == 0  # type: ignore[union-attr]
    assert Files(None).write(t(b""), t(b"x")) == Refused("f")


# ---- line ------------------------------------------------------------------------------


class FakeLine:
    def __init__(self, wake: Callable[[], None]) -> None:
        self.wake = wake
        self.calls: list[object] = []
        self.chunks: list[bytes] = []
        self.busy = False

    def run(self, line: bytes) -> None:
        self.calls.append(line)
        self.busy = True

    def interrupt(self) -> None:
        self.calls.append("interrupt")

    def output(self) -> bytes:
        return self.chunks.pop(0) if self.chunks else b""

    def running(self) -> bool:
        return self.busy

    def status(self) -> int:
        return 5

    def prompt(self) -> bytes:
        return b"~> "

    def complete(self, prefix: bytes) -> bytes:
        return prefix + b"plete"

    def close(self) -> None:
        self.calls.append("close")


def test_the_line_port() -> None:
    line = Line(FakeLine, lambda: None)
    service = line._service
    assert isinstance(service, FakeLine)

    def read(verb: int) -> bytes:
        message = line.read(i(verb))
        assert isinstance(message, Message)
        return message.data.tobytes()

    assert read(ord("p")) == b"~> "
    assert not line.ready()
    assert line.read(i(0)).data.shape == (0, 0)
    line.write(t(b"ls"), i(0))
    assert line.read(i(ord("?"))).data.tolist() == [[1, 5]]
    assert not line.ready()
    service.chunks += [b"one", b"two"]
    assert line.ready()
    assert [read(0), read(0)] == [b"one", b"two"]
    service.busy = False
    assert line.ready()
    assert line.read(i(ord("?"))).data.tolist() == [[0, 5]]
    assert not line.ready()
    line.write(NOTHING, i(ord("!")))
    line.write(t(b"com"), i(ord("c")))
    assert read(ord("c")) == b"complete"
    line.close()
    assert service.calls == [b"ls", "interrupt", "close"]
    for verb in (ord("z"), 1000, -1):
        for use in (lambda v=verb: line.read(i(v)), lambda v=verb: line.write(t(b""), i(v))):
            with pytest.raises(PortError) as caught:
                use()
            assert caught.value.reason == "L"


def test_a_broken_source_is_kept_by_the_board() -> None:
    def broken():
        raise SourceError("gone")
        yield b""

    board = Board()
    board.devices = {"t": Text(IterSource(broken()), None, lambda: None)}
    assert board.read("t", i(0)) == Wait("t")
    assert board.ending is not None
    assert board.ending.text == "gone"
