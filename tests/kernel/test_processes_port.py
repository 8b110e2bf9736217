"""Port x: a program that starts, sees and stops others."""

from __future__ import annotations

import numpy as np
import pytest

from pxos.kernel.clock import VirtualClock
from pxos.kernel.devices.base import PortError
from pxos.kernel.devices.processes import Processes
from pxos.kernel.grants import Grants
from pxos.kernel.household import Home
from pxos.kernel.kernel import Kernel
from pxos.kernel.machine.meta import Arg
from pxos.kernel.machine.ports import Message
from pxos.kernel.machine.program import save
from pxos.kernel.process import Process

from .programs import DictStore, number_of, program, spec

ICON = np.arange(32 * 32 * 4).reshape(32, 32, 4) % 251
PAINTER = program(
    "] p 's 0\nloop:\n[ k 'k 0\n[ m 'm 0\nW l t\nJ loop",
    spec("p", "P", ICON),
    spec("k"),
    spec("m"),
    spec("l"),
    spec("t", "T", b"km"),
    title="The Painter",
    icon=5,
    size=(20, 30),
)
COUNTER = program(
    "[ a 'a 0\nH a",
    spec("a"),
    title="Counter",
    args=(Arg("n", "int"), Arg("label", "text", default="")),
)
BROKEN = program("/ a a 0\nH 0", spec("a", "I", [[1]]), title="Broken")
DESKTOP = program("W l t\nH 0", spec("l"), spec("t", "T", b"k"), ports=("processes", "keys"))


class Desk:
    """A desktop whose port x is driven by the test."""

    def __init__(self, **store: bytes) -> None:
        apps = {
            "painter": save(PAINTER),
            "counter": save(COUNTER),
            "broken": save(BROKEN),
            "damaged": save(COUNTER)[:-9] + b"123456789",
        }
        self.kernel = Kernel(DictStore(**apps, **store), clock=VirtualClock())
        grants = Grants.of(DESKTOP.meta, "x", max_children=3)
        self.process = self.kernel.spawn(DESKTOP, "desktop", grants=grants)
        self.port = self.process.device("x")
        assert isinstance(self.port, Processes)
        self.apps = sorted(apps)

    def read(self, verb: str, *numbers: int) -> Message:
        return self.port.read(selector(verb, *numbers))

    def write(self, verb: str, *numbers: int, message: Message | None = None) -> None:
        self.port.write(
            message or Message("T", np.zeros((0, 0), np.uint8)), selector(verb, *numbers)
        )

    def start(self, name: str, text: bytes = b"") -> Process:
        data = np.frombuffer(text, np.uint8).reshape(1, -1)
        self.write("r", self.apps.index(name), message=Message("T", data))
        return self.kernel.processes[int(self.read("p").data[-1, 0])]


def selector(verb: str, *numbers: int) -> Message:
    return Message("I", np.array([[ord(verb), *numbers]], np.int32))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def text(message: Message) -> str:
    assert message.kind == "T"
    return message.data.tobytes().decode()


def test_the_catalogue(desk: Desk) -> None:
    assert desk.read("a").data.tolist() == [[4]]
    assert [text(desk.read("n", n)) for n in range(4)] == desk.apps
    assert text(desk.read("t", 3)) == "The Painter"
    assert text(desk.read("t", 2)) == "damaged"
    assert np.array_equal(desk.read("i", 3).data, ICON)
    assert text(desk.read("d", 0)) == ""
    assert desk.read("w", desk.apps.index("counter")).data.tolist() == [[1, 0, 1]]
    assert desk.read("w", 99).data.tolist() == [[0, 0, 0]]
    for nothing in (desk.read("i", 0), desk.read("i", 2), desk.read("i", 9), desk.read("n", -1)):
        assert nothing.data.size == 0


def test_a_child_shows_its_picture_and_gets_its_events(desk: Desk) -> None:
    child = desk.start("painter")
    assert text(desk.read("l", child.pid)) == "The Painter"
    assert text(desk.read("l", 99)) == ""
    assert desk.read("s", child.pid).data.shape == (0, 0, 4)
    desk.kernel.run(1)
    assert np.array_equal(desk.read("s", child.pid).data, ICON)
    row = desk.read("p").data.tolist()
    assert row == [[child.pid, 3, ord("W"), 20, 30, 1, -1, 1]]
    keys = np.array([[65, 1, 0, 5], [65, 0, 0, 6]], np.int32)
    desk.write("K", child.pid, message=Message("I", keys))
    desk.write("M", child.pid, message=Message("I", keys[:1]))
    desk.kernel.run(1)
    assert number_of(child, "k") == keys.tolist()
    assert number_of(child, "m") == keys[:1].tolist()
    desk.write("z", child.pid, 7, 100_000)
    assert (child.surface.rows, child.surface.cols) == (7, 8192)
    desk.write("f", child.pid)
    assert child.focused
    used = desk.read("m", child.pid).data[0].tolist()
    assert used[0] == child.accounting.fuel > 0
    assert used[3] == child.accounting.instructions > 0


def test_arguments_and_exit_status(desk: Desk) -> None:
    child = desk.start("counter", b"41 --label 'two words'")
    desk.kernel.run(1)
    assert desk.read("p").data[0, [2, 6]].tolist() == [ord("E"), 41]
    assert desk.read("e", child.pid).data.size == 0
    desk.write("x", child.pid)
    assert desk.read("p").data.shape == (0, 8)
    assert child.pid not in desk.kernel.processes


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("counter", b"many", "n is a whole number"),
        ("counter", b"'open", "quotation"),
        ("damaged", b"", "damaged"),
    ],
)
def test_what_cannot_start_leaves_a_card(
    desk: Desk, name: str, arguments: bytes, says: str
) -> None:
    child = desk.start(name, arguments)
    card = desk.read("e", child.pid)
    assert card.data.shape[0] == len(child.card)
    assert says in "\n".join(child.card)
    assert desk.read("p").data[0, [2, 6]].tolist() == [ord("E"), 1]
    assert desk.read("m", child.pid).data.tolist() == [[0, 0, 0, 0]]
    desk.write("x", child.pid)
    assert desk.read("p").data.shape == (0, 8)


def test_a_fault_is_a_card(desk: Desk) -> None:
    child = desk.start("broken")
    desk.kernel.run(1)
    card = desk.read("e", child.pid).data
    assert card[0].tobytes().decode().rstrip() == "Broken stopped: division by zero"
    assert desk.read("p").data[0, 6] == 1


def test_only_own_children_can_be_touched(desk: Desk) -> None:
    stranger = desk.kernel.spawn(PAINTER, "stranger", grants=Grants.of(PAINTER.meta))
    desk.kernel.run(1)
    for verb in "kxf":
        desk.write(verb, stranger.pid)
    desk.write("z", stranger.pid, 1, 1)
    desk.write("K", stranger.pid, message=Message("I", np.ones((1, 4), np.int32)))
    assert not stranger.ended
    assert not stranger.focused
    assert stranger.surface.rows == 20
    assert not stranger.keys.ready()
    assert desk.read("s", stranger.pid).data.size == 0
    assert desk.read("e", stranger.pid).data.size == 0
    assert desk.read("m", stranger.pid).data.tolist() == [[0, 0, 0, 0]]


def test_killing_and_the_bound_on_children(desk: Desk) -> None:
    children = [desk.start("painter") for _ in range(3)]
    assert desk.start("painter") is children[-1]
    assert len(desk.process.children) == 3
    desk.write("x", children[0].pid)
    assert len(desk.process.children) == 3
    desk.write("k", children[0].pid)
    assert children[0].ended
    desk.write("x", children[0].pid)
    assert len(desk.process.children) == 2


def test_ready_means_that_a_child_changed(desk: Desk) -> None:
    assert not desk.port.ready()
    desk.start("painter")
    assert not desk.port.ready()
    desk.kernel.run(1)
    assert desk.port.ready()
    desk.read("p")
    assert not desk.port.ready()
    desk.kernel.kill(next(iter(desk.process.children)))
    assert desk.port.ready()


@pytest.mark.parametrize("verb", ["q", "\x01"])
def test_unknown_verbs_are_faults(desk: Desk, verb: str) -> None:
    for use in (desk.read, desk.write):
        with pytest.raises(PortError) as caught:
            use(verb)
        assert caught.value.reason == "L"
    with pytest.raises(PortError):
        desk.port.read(Message("I", np.zeros((0, 0), np.int32)))
    with pytest.raises(PortError):
        desk.write("K", 1, message=Message("I", np.ones((1, 3), np.int32)))
    with pytest.raises(PortError):
        desk.write("z", 1)


def test_a_child_gets_harmless_ports_and_what_may_be_passed_on(desk: Desk) -> None:
    greedy = program("H 0", ports=("screen", "files", "line", "processes"))
    other = Desk(greedy=save(greedy))
    other.apps = sorted([*other.apps, "greedy"])
    assert other.start("greedy").grants.ports == set("s")
    grants = Grants(frozenset("xl"), child_ports=frozenset("lf"))
    boss = other.kernel.spawn(DESKTOP, "boss", grants=grants)
    Home(other.kernel, boss).start(other.apps.index("greedy"), b"")
    assert next(iter(boss.children.values())).grants.ports == set("sl")


def test_a_program_can_use_the_port_itself() -> None:
    source = """
] none 'x start
again:
W l t
[ p 'x table
$ n p 'r
G state p at
= e state ended
b e again
[ card 'x card_of
$ n card 'r
H n
"""
    boss = program(
        source,
        spec("none", "T"),
        spec("start", "I", [[ord("r"), 0]]),
        spec("l"),
        spec("t", "T", b"x"),
        spec("table", "I", [[ord("p")]]),
        spec("p"),
        spec("n"),
        spec("state"),
        spec("at", "I", [[2]]),
        spec("e"),
        spec("ended", "I", [[ord("E")]]),
        spec("card", "T"),
        spec("card_of", "I", [[ord("e"), 2]]),
        ports=("processes",),
    )
    kernel = Kernel(DictStore(broken=save(BROKEN)), clock=VirtualClock())
    process = kernel.spawn(boss, "boss", grants=Grants.of(boss.meta, "x"))
    kernel.run(1)
    assert process.exit is not None
    assert process.exit.kind == "halted", process.card
    assert process.exit.status >= 5
