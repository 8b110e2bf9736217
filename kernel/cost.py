"""What running costs, here and there: the numbers behind ``--on auto``.

A slice is so many instructions and so much fuel of certain families.  An executor's ``Speed``
says how many seconds that takes: an overhead for each instruction, and a rate for each unit of
fuel beyond the first by family.  Both begin as figures that were measured once and follow what
slices take as they run.

``Chooser`` weighs two places by *regret*: the time a process has lost since it came to where it
is, against running in the other place.  It moves when the regret is worth the move.  Whatever the
process does later, it then loses at most about twice what it would have lost with foresight
(ski rental; Borodin, Linial and Saks 1992 for more places), and it cannot flap: after a move the
regret begins at zero, and each move makes the next one dearer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .clock import Clock
from .machine.isa import BY_CODE, FIRST_FREE_ENTRY, FIRST_SMALL, FUEL_ELEMENTS
from .machine.memory import Memory
from .placement import CPU, GPU

_CODE_ENTRY = 2
#: Seconds, by nominal figures, of the slices that a speed is learned from: older ones fade.
_WINDOW = 0.25
#: How far measured speeds may lie from the nominal ones, as a factor: one slice that the host
#: interrupted must not decide for ever.
_MOST = 64.0

#: Measured on one core of a server CPU (NumPy), seconds: overhead, and for each unit of fuel.
_CPU_OVERHEAD = 2.5e-6
_CPU_RATES = {
    "arith": 0.7e-7,
    "bits": 0.2e-7,
    "move": 1.0e-7,
    "functions": 3.0e-7,
    "fold": 0.3e-7,
    "index": 1.5e-7,
    "draw": 0.6e-7,
    "conv": 0.8e-7,
    "matmul": 0.3e-7,
    "ports": 0.5e-7,
}
#: The same for a small discrete GPU: instructions are recorded by the host, one after another.  A
#: large card (an NVIDIA H200) was measured at a fifth of these rates, products at a thirtieth.
_GPU_OVERHEAD = 2.5e-5
_GPU_RATES = {
    "arith": 5.0e-9,
    "bits": 5.0e-9,
    "move": 5.0e-9,
    "functions": 8.0e-9,
    "fold": 1.5e-9,
    "index": 1.5e-8,
    "draw": 8.0e-9,
    "conv": 1.0e-9,
    "matmul": 1.0e-9,
    "ports": 3.0e-8,
}
#: Opening a device and making its first pipelines, seconds.
OPENING_SECONDS = 1.5
#: What any move costs: executors begin without plans and pipelines.
_MOVE_SECONDS = 0.01
#: Waiting for a device to finish what it was given, seconds.
_WAITING_SECONDS = 1e-3
#: Bytes a second between the memory and a device, before any transfer was measured.
_TRANSFER_RATE = 2e9
#: Each move makes the next one dearer by this factor, up to the power.
_DEARER, _DEAREST = 2.0, 10


class Work(NamedTuple):
    """What was, or is to be, done: how many instructions, and fuel beyond the first unit of each
    by family."""

    instructions: float
    fuel: Mapping[str, float]


class Speed:
    """Seconds that work takes on one executor."""

    def __init__(self, overhead: float, rates: Mapping[str, float]) -> None:
        self._overhead = overhead
        self._rates = rates
        self._mean = sum(rates.values()) / len(rates)
        #: By what was learned, "" the overhead: seconds measured, and the nominal ones for them.
        self._seen: dict[str, tuple[float, float]] = {}

    def seconds(self, work: Work) -> float:
        """What the work is expected to take."""
        total = self._overhead * work.instructions * self._factor("")
        for family, fuel in work.fuel.items():
            total += self._rates.get(family, self._mean) * fuel * self._factor(family)
        return total

    def learn(self, work: Work, seconds: float) -> None:
        """Work took so long.  What is learned goes to the part that weighs most in it."""
        parts = {"": self._overhead * work.instructions}
        for family, fuel in work.fuel.items():
            parts[family] = self._rates.get(family, self._mean) * fuel
        part = max(parts, key=lambda name: parts[name] * self._factor(name))
        nominal = parts[part]
        if nominal <= 0:
            return
        others = sum(value * self._factor(name) for name, value in parts.items() if name != part)
        own = min(nominal * _MOST, max(nominal / _MOST, seconds - others))
        measured, expected = self._seen.get(part, (_WINDOW / 16, _WINDOW / 16))
        measured, expected = measured + own, expected + nominal
        fade = min(1.0, _WINDOW / expected)
        self._seen[part] = (measured * fade, expected * fade)

    def _factor(self, part: str) -> float:
        measured, expected = self._seen.get(part, (1.0, 1.0))
        return measured / expected


class CostModel:
    """What all processes of a kernel know of its executors.

    ``clock``: what measures.  None: nothing is measured and nothing learned, so that a run on a
    clock that stands still repeats.
    """

    def __init__(self, clock: Clock | None) -> None:
        self._clock = clock
        self.speeds = {CPU: Speed(_CPU_OVERHEAD, _CPU_RATES), GPU: Speed(_GPU_OVERHEAD, _GPU_RATES)}
        self._rate = _TRANSFER_RATE

    @property
    def learns(self) -> bool:
        """Whether it follows measurements."""
        return self._clock is not None

    def seconds(self) -> float:
        """The clock's, 0 without one."""
        return 0.0 if self._clock is None else self._clock.seconds()

    def moving(self, nbytes: int, *, opened: bool) -> float:
        """Seconds of moving so many bytes of memory in use to another executor."""
        return _MOVE_SECONDS + self.copying(nbytes) + (0.0 if opened else OPENING_SECONDS)

    def copying(self, nbytes: int) -> float:
        """Seconds of bringing so many bytes of memory up to date and copying them."""
        return _WAITING_SECONDS + nbytes / self._rate

    def copied(self, nbytes: int, seconds: float) -> None:
        """So many bytes took so long."""
        seconds -= _WAITING_SECONDS
        if self.learns and seconds > 0 and nbytes > 1 << 20:
            self._rate += (nbytes / seconds - self._rate) * 0.5


class Chooser:
    """Weighs for one process whether the other place would suit it better.

    ``regret``: seconds lost where it is, against the other place.
    """

    def __init__(self, model: CostModel, regret: float = 0.0) -> None:
        self._model = model
        self.regret = regret
        self._moves = 0
        self._profile: dict[str, float] = {}

    def ran(self, where: str, instructions: int, fuel: int, opcode: int, seconds: float) -> None:
        """A slice ran.  ``opcode``: of the instruction that comes next, 0 if that is unknown.

        Where a slice happens to end is a sample of what the fuel is burnt by: an instruction is
        met there as often as its share of the fuel says.
        """
        beyond = float(max(0, fuel - instructions))
        family = _family(opcode)
        if family:
            for known in self._profile:
                self._profile[known] *= 0.75
            self._profile[family] = self._profile.get(family, 0.0) + beyond + 1.0
        total = sum(self._profile.values())
        shares = {name: weight / total for name, weight in self._profile.items()} or {"arith": 1.0}
        work = Work(instructions, {name: beyond * share for name, share in shares.items()})
        model = self._model
        if model.learns and seconds > 0:
            model.speeds[where].learn(work, seconds)
        self.regret = max(0.0, self.regret + self._lost(where, work))

    def wants_away(
        self, where: str, nbytes: int, *, opened: bool, opcode: int = 0, next_fuel: int = 0
    ) -> bool:
        """Whether to move now.  ``nbytes``: memory in use.  ``next_fuel``: what the next
        instruction, of this opcode, costs, where that is known."""
        regret = self.regret
        if next_fuel > 1:
            work = Work(1, {_family(opcode) or "arith": float(next_fuel - 1)})
            regret = max(0.0, regret + self._lost(where, work))
        dearer = _DEARER ** min(self._moves, _DEAREST)
        return regret > self._model.moving(nbytes, opened=opened) * dearer

    def is_urgent(self, opcode: int, next_fuel: int) -> bool:
        """Whether the next instruction alone loses more on the CPU than opening a GPU takes, so
        that it should wait for that."""
        if next_fuel <= 1:
            return False
        work = Work(1, {_family(opcode) or "arith": float(next_fuel - 1)})
        return self._lost(CPU, work) > OPENING_SECONDS

    def moved(self) -> None:
        """It moved: begin anew."""
        self.regret = 0.0
        self._moves += 1

    def _lost(self, where: str, work: Work) -> float:
        """Seconds lost by doing the work here; less than 0: gained."""
        speeds = self._model.speeds
        other = CPU if where == GPU else GPU
        return speeds[where].seconds(work) - speeds[other].seconds(work)


def _family(opcode: int) -> str:
    """The family of an opcode, "" if it is none whose elements count."""
    op = BY_CODE.get(opcode)
    return op.family if op is not None and op.family not in ("control", "table") else ""


def first_guess(memory: Memory, model: CostModel) -> float:
    """Seconds that a program is expected to lose on the CPU before anything of it has run.

    Counts the matrix products and convolutions in its code once each, with the shapes that their
    matrices have in the picture; what is not there yet counts as one row.
    """
    words, width = memory.words, memory.width
    header = memory.header(_CODE_ENTRY)
    at = memory.data_addr(header.row)
    code = words[at : at + header.rows * header.cols]
    opcodes = code & 0xFF
    lost = 0.0
    for char in "MmXxKk":
        for word in code[opcodes == ord(char)].tolist():
            shapes = []
            for byte in (word >> 16 & 0xFF, word >> 24):
                rows, cols = 0, 0
                if FIRST_FREE_ENTRY <= byte < min(FIRST_SMALL, memory.table_len):
                    start = memory.row_of(byte) * width
                    rows, cols = (int(size) for size in words[start + 1 : start + 3])
                shapes.append((rows, cols))
            fuel = _fuel(char, *shapes)
            work = Work(1, {BY_CODE[ord(char)].family: float(fuel)})
            lost += max(0.0, model.speeds[CPU].seconds(work) - model.speeds[GPU].seconds(work))
    return lost


def _fuel(char: str, a: tuple[int, int], b: tuple[int, int]) -> int:
    """Fuel of a product or convolution, an unknown left operand taken as one row."""
    if char in "Kk":
        return a[0] * a[1] * b[0] * b[1] // FUEL_ELEMENTS
    return max(1, a[0]) * b[0] * b[1] // 8 // FUEL_ELEMENTS
