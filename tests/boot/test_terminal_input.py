from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pxos.boot.events import Key
from pxos.boot.terminal_input import Answer, Input, Mouse, TerminalParser
from pxos.kernel.devices.keycodes import ALT, CTRL, DOWN, KEYS, META, REPEAT, SHIFT, UP


def parse(data: bytes) -> list[Input]:
    parser = TerminalParser()
    return parser.feed(data) + parser.idle()


def tap(code: int, modifiers: int = 0) -> list[Input]:
    return [Key(code, DOWN, modifiers), Key(code, UP, modifiers)]


@pytest.mark.parametrize(
    ("data", "code", "modifiers"),
    [
        (b"a", ord("a"), 0),
        (b"A", ord("A"), SHIFT),
        (b" ", 32, 0),
        ("é".encode(), 0xE9, 0),
        ("語".encode(), ord("語"), 0),
        ("😀".encode(), ord("😀"), 0),
        (b"\x7f", 8, 0),
        (b"\x08", 8, 0),
        (b"\t", 9, 0),
        (b"\r", 13, 0),
        (b"\n", 13, 0),
        (b"\x1b", 27, 0),
        (b"\x03", ord("c"), CTRL),
        (b"\x00", 32, CTRL),
        (b"\x1d", ord("]"), CTRL),
        (b"\x1bx", ord("x"), ALT),
        (b"\x1b\r", 13, ALT),
        (b"\x1b\x7f", 8, ALT),
        (b"\x1b[", ord("["), ALT),
        (b"\x1bO", ord("O"), ALT | SHIFT),
        (b"\x1b]", ord("]"), ALT),
        (b"\x1b[A", KEYS["up"], 0),
        (b"\x1bOB", KEYS["down"], 0),
        (b"\x1b[1;5C", KEYS["right"], CTRL),
        (b"\x1b[1;2D", KEYS["left"], SHIFT),
        (b"\x1b[1;9D", KEYS["left"], META),
        (b"\x1b[H", KEYS["home"], 0),
        (b"\x1b[4~", KEYS["end"], 0),
        (b"\x1b[F", KEYS["end"], 0),
        (b"\x1b[2~", KEYS["insert"], 0),
        (b"\x1b[3;3~", KEYS["delete"], ALT),
        (b"\x1b[5~", KEYS["page up"], 0),
        (b"\x1b[6~", KEYS["page down"], 0),
        (b"\x1bOP", KEYS["f1"], 0),
        (b"\x1b[11~", KEYS["f1"], 0),
        (b"\x1b[[A", KEYS["f1"], 0),
        (b"\x1b[20~", KEYS["f9"], 0),
        (b"\x1b[23~", KEYS["f11"], 0),
        (b"\x1b[24;2~", KEYS["f12"], SHIFT),
        (b"\x1b[Z", 9, SHIFT),
        (b"\x1b[27u", 27, 0),
        (b"\x1b[113;5u", ord("q"), CTRL),
    ],
)
def test_keys(data: bytes, code: int, modifiers: int) -> None:
    found = parse(data)
    if data.endswith(b"u"):
        assert found == [Key(code, DOWN, modifiers)]
    else:
        assert found == tap(code, modifiers)


def test_the_kitty_protocol_tells_presses_repeats_and_releases() -> None:
    assert parse(b"\x1b[97;;97u\x1b[97;1:2;97u\x1b[97;1:3u") == [
        Key(97, DOWN),
        Key(97, REPEAT),
        Key(97, UP),
    ]
    assert parse(b"\x1b[1;1:1A\x1b[1;1:3A") == [Key(KEYS["up"], DOWN), Key(KEYS["up"], UP)]
    assert parse(b"\x1b[3;5:3~") == [Key(KEYS["delete"], UP, CTRL)]


def test_a_key_is_let_go_with_the_code_it_was_pressed_with() -> None:
    found = parse(b"\x1b[97;2;65u\x1b[97;1:3u")
    assert found == [Key(65, DOWN, SHIFT), Key(65, UP)]


def test_modifier_keys_and_locks_alone_are_nothing() -> None:
    assert parse(b"\x1b[57441;2u\x1b[57441;1:3u\x1b[57358u") == []


def test_the_keypad_and_backspace_of_the_kitty_protocol() -> None:
    assert parse(b"\x1b[57404u\x1b[57414u\x1b[127u\x1b[57376u") == [
        Key(ord("5"), DOWN),
        Key(13, DOWN),
        Key(8, DOWN),
        Key(KEYS["f13"], DOWN),
    ]


def test_mouse_reports() -> None:
    assert parse(b"\x1b[<0;5;7M\x1b[<35;6;7M\x1b[<65;200;1M\x1b[<0;5;7m") == [
        Mouse(0, 5, 7, True),
        Mouse(35, 6, 7, True),
        Mouse(65, 200, 1, True),
        Mouse(0, 5, 7, False),
    ]


def test_answers() -> None:
    assert parse(b"\x1b[?62;4;22c") == [Answer("attributes", (62, 4, 22))]
    assert parse(b"\x1b[?0u") == [Answer("keyboard", (0,))]
    assert parse(b"\x1b[?1016;2$y") == [Answer("mode", (1016, 2))]
    assert parse(b"\x1b[6;20;10t") == [Answer("size", (6, 20, 10))]
    assert parse(b"\x1b_Gi=31;OK\x1b\\") == [Answer("graphics", (31,), "OK")]
    assert parse(b"\x1b_Gi=31;ENOENT:bad\x1b\\a") == [
        Answer("graphics", (31,), "ENOENT:bad"),
        *tap(97),
    ]


def test_other_strings_and_sequences_are_passed_over() -> None:
    assert parse(b"\x1b]11;rgb:00/00/00\x07a") == tap(97)
    assert parse(b"\x1b]11;rgb:00/00/00\x1b\\a") == tap(97)
    assert parse(b"\x1bP1$r0m\x1b\\a") == tap(97)
    assert parse(b"\x1b[?1;2h\x1b[>0;1c\x1b[5na") == tap(97)
    assert parse(b"\x1b[12\x1b[A") == tap(KEYS["up"])
    assert parse(b"\x1b\x1b[A") == tap(27) + tap(KEYS["up"])


def test_an_escape_waits_for_what_may_follow() -> None:
    parser = TerminalParser()
    assert parser.feed(b"\x1b") == []
    assert parser.waiting
    assert parser.feed(b"[") == []
    assert parser.feed(b"A") == tap(KEYS["up"])
    assert not parser.waiting
    assert parser.feed(b"\xc3") == []
    assert parser.feed(b"\xa9") == tap(0xE9)
    assert parser.feed(b"\x1b[1;") == []
    assert parser.idle() == []
    assert parser.feed(b"x") == tap(ord("x"))


def test_a_string_without_end_is_dropped() -> None:
    parser = TerminalParser()
    assert parser.feed(b"\x1b_" + b"x" * 5000) == []
    assert not parser.waiting
    assert parser.feed(b"a") == tap(97)


WHOLE = [
    b"a",
    b"\x1b[A",
    b"\x1b[<0;5;7M",
    "é".encode(),
    b"\x1b[97;2:1;65u",
    b"\x1b_Gi=31;OK\x1b\\",
    b"\x1bOP",
    b"\x1b[15~",
    b"\x1b[?62c",
    b"\x1b]0;x\x07",
]


@given(st.lists(st.sampled_from(WHOLE), max_size=8), st.integers(1, 5))
def test_where_the_bytes_are_cut_does_not_matter(pieces: list[bytes], size: int) -> None:
    data = b"".join(pieces)
    cut = TerminalParser()
    found = [each for at in range(0, len(data), size) for each in cut.feed(data[at : at + size])]
    assert found == TerminalParser().feed(data)


@given(st.lists(st.binary(max_size=20), max_size=6))
def test_any_bytes(pieces: list[bytes]) -> None:
    parser = TerminalParser()
    for piece in pieces:
        for each in parser.feed(piece):
            assert isinstance(each, Key | Mouse | Answer)
    parser.idle()
    assert not parser.waiting
