"""WGSL texts put together: the declarations of the buffers, the common parts, a family's file.

A kernel sees three operands d, a and b, each one buffer.  A buffer larger than a binding is bound
in windows of ``window_words`` words (a power of two); ``load_x`` and ``store_d`` find the window.
So kernels are written once, for matrices of any size.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

#: Binding numbers of what every kernel may name; further windows of an operand come behind.
D, A, B, PARAMS, FAULT, SCRATCH, COUNTS = range(7)
_FIRST_WINDOW = {"d": 16, "a": 32, "b": 48}
#: Most windows an operand may have.
MAX_WINDOWS = 16

_HERE = Path(__file__).parent
_INCLUDE = "//! include "

_FIXED = """\
@group(0) @binding(3) var<storage, read> p: Params;
@group(0) @binding(5) var<storage, read_write> scratch: array<u32>;
@group(0) @binding(6) var<storage, read_write> counts: array<atomic<u32>>;
"""


#: How kernels see the fault words: most only ask, checks and the verdict write.
_GUARD = """\
@group(0) @binding(4) var<storage, read> fault: array<u32>;

fn faulted() -> bool {
    return fault[0] != 0u;
}
"""
_CHECKS = "//! checks\n"
_CHECK_GUARD = """\
@group(0) @binding(4) var<storage, read_write> fault: array<atomic<u32>>;

fn faulted() -> bool {
    return atomicLoad(&fault[0]) != 0u;
}

fn report_fault(element: u32) {
    atomicMin(&fault[1], element);
}
"""


class Windows(NamedTuple):
    """How many windows d, a and b are bound in, and the words of one; whether the kernels are
    checks, which write the fault words."""

    d: int = 1
    a: int = 1
    b: int = 1
    window_words: int = 1 << 30
    checks: bool = False

    @property
    def bindings(self) -> tuple[tuple[int, bool], ...]:
        """(binding number, writable) of every buffer, the fixed ones first."""
        more = [
            (number, name == "d")
            for name, count in zip("dab", self[:3], strict=True)
            for number in window_numbers(name, count)[1:]
        ]
        return (
            (D, True),
            (A, False),
            (B, False),
            (PARAMS, False),
            (FAULT, self.checks),
            (SCRATCH, True),
            (COUNTS, True),
            *more,
        )


def window_numbers(name: str, count: int) -> list[int]:
    """Binding numbers of the windows of operand ``name`` ("d", "a" or "b")."""
    first = _FIRST_WINDOW[name]
    return ["dab".index(name), *range(first + 1, first + count)]


@cache
def _file(name: str) -> str:
    return (_HERE / f"{name}.wgsl").read_text("utf-8")


def _expanded(name: str, seen: set[str]) -> str:
    """The text of a file with its includes in their places, each file once."""
    if name in seen:
        return ""
    seen.add(name)
    lines = []
    for line in _file(name).splitlines():
        if line.startswith(_INCLUDE):
            lines += [_expanded(part, seen) for part in line[len(_INCLUDE) :].split()]
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def _declarations(windows: Windows) -> str:
    lines = [_FIXED, _CHECK_GUARD if windows.checks else _GUARD]
    for name, count in zip("dab", windows[:3], strict=True):
        access = "read_write" if name == "d" else "read"
        for window, number in enumerate(window_numbers(name, count)):
            lines.append(
                f"@group(0) @binding({number}) var<storage, {access}> {name}{window}: array<u32>;\n"
            )
    shift = windows.window_words.bit_length() - 1
    mask = windows.window_words - 1
    for name, count in zip("dab", windows[:3], strict=True):
        if count == 1:
            body = f"    return {name}0[i];\n"
        else:
            cases = "".join(
                f"        case {n}u: {{ return {name}{n}[i & {mask}u]; }}\n" for n in range(count)
            )
            body = (
                f"    switch i >> {shift}u {{\n{cases}        default: {{ return 0u; }}\n    }}\n"
            )
        lines.append(f"fn window_{name}(i: u32) -> u32 {{\n{body}}}\n")
    if windows.d == 1:
        store = "    d0[i] = value;\n"
    else:
        cases = "".join(
            f"        case {n}u: {{ d{n}[i & {mask}u] = value; }}\n" for n in range(windows.d)
        )
        store = f"    switch i >> {shift}u {{\n{cases}        default: {{}}\n    }}\n"
    lines.append(f"fn store_d(i: u32, value: u32) {{\n{store}}}\n")
    lines.append(_LOADS)
    return "".join(lines)


#: Where an operand is read: 0 as its flags say, 1 in its own buffer, 2 in d's.
_LOADS = """\
override A_PLACE: u32 = 0u;
override B_PLACE: u32 = 0u;

fn load_d(i: u32) -> u32 {
    return window_d(i);
}

fn load_a(i: u32) -> u32 {
    if (A_PLACE == 2u || (A_PLACE == 0u && (p.a.flags & FROM_D) != 0u)) {
        return window_d(i);
    }
    return window_a(i);
}

fn load_b(i: u32) -> u32 {
    if (B_PLACE == 2u || (B_PLACE == 0u && (p.b.flags & FROM_D) != 0u)) {
        return window_d(i);
    }
    return window_b(i);
}
"""


def writes_faults(name: str) -> bool:
    """Whether the kernels of a file are checks: a line of it says ``//! checks``."""
    return _CHECKS in _file(name)


#: Operands that each fit a binding.
WHOLE = Windows()


@cache
def parts(*names: str) -> str:
    """Files with their includes, without any bindings: for kernels that declare their own."""
    seen: set[str] = set()
    return "".join(_expanded(name, seen) for name in names)


@cache
def source(name: str, windows: Windows = WHOLE) -> str:
    """The whole WGSL text of ``name``.wgsl, in which lines ``//! include NAME...`` stand for other
    files, each taken once."""
    seen: set[str] = set()
    return _expanded("access", seen) + _declarations(windows) + _expanded(name, seen)
