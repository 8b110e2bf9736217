from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pxos.kernel.pipes import Flow, Given, IterSource, ListSink, Pipe


def test_messages_come_one_for_one_and_in_order() -> None:
    pipe: Pipe[bytes] = Pipe("text", 10)
    assert pipe.writer.write(b"ab") is Given.TAKEN
    assert pipe.writer.write(b"cd") is Given.TAKEN
    assert len(pipe) == 2
    assert pipe.reader.read() == b"ab"
    assert pipe.reader.read() == b"cd"
    assert pipe.reader.read() is Flow.PENDING


def test_a_full_pipe_refuses_and_calls_back() -> None:
    pipe: Pipe[str] = Pipe("picture", 1)
    calls: list[str] = []
    pipe.writer.attach(lambda: calls.append("room"))
    pipe.reader.attach(lambda: calls.append("data"))
    assert pipe.writer.write("one") is Given.TAKEN
    assert pipe.writer.write("two") is Given.FULL
    assert calls == ["data"]
    assert pipe.reader.read() == "one"
    assert calls == ["data", "room"]
    assert pipe.writer.write("two") is Given.TAKEN


def test_text_capacity_counts_bytes_but_an_empty_pipe_takes_any_piece() -> None:
    pipe: Pipe[bytes] = Pipe("text", 3)
    assert pipe.writer.write(b"too long for it") is Given.TAKEN
    assert pipe.writer.write(b"x") is Given.FULL
    assert pipe.reader.read() == b"too long for it"
    assert [pipe.writer.write(b"ab"), pipe.writer.write(b"c"), pipe.writer.write(b"d")] == [
        Given.TAKEN,
        Given.TAKEN,
        Given.FULL,
    ]


def test_closing_the_writer_lets_the_reader_drain() -> None:
    pipe: Pipe[bytes] = Pipe("text")
    woken: list[int] = []
    pipe.reader.attach(lambda: woken.append(1))
    pipe.writer.write(b"last")
    pipe.writer.close()
    pipe.writer.close()
    assert len(woken) == 2
    assert pipe.reader.ready()
    assert pipe.reader.read() == b"last"
    assert pipe.reader.read() is Flow.END
    assert pipe.reader.ready()
    with pytest.raises(ValueError, match="closed"):
        pipe.writer.write(b"more")


def test_closing_the_reader_tells_the_writer() -> None:
    pipe: Pipe[str] = Pipe("picture", 1)
    woken: list[int] = []
    pipe.writer.attach(lambda: woken.append(1))
    pipe.writer.write("one")
    pipe.reader.close()
    assert woken == [1]
    assert pipe.writer.write("two") is Given.CLOSED
    assert pipe.reader.read() is Flow.END
    assert len(pipe) == 0


@pytest.mark.parametrize(("kind", "capacity"), [("pictures", 1), ("text", 0), ("picture", -1)])
def test_wrong_pipes(kind: str, capacity: int) -> None:
    with pytest.raises(ValueError, match="pipe"):
        Pipe(kind, capacity)


def test_iter_source_is_lazy_and_list_sink_keeps() -> None:
    asked: list[int] = []

    def count():
        for n in range(3):
            asked.append(n)
            yield n

    source = IterSource(count())
    assert asked == []
    assert source.read() == 0
    assert asked == [0]
    source.close()
    assert source.read() is Flow.END
    sink: ListSink[int] = ListSink()
    assert sink.write(7) is Given.TAKEN
    sink.close()
    assert (sink.messages, sink.closed) == ([7], True)


@given(st.lists(st.binary(min_size=1, max_size=9)), st.integers(1, 12), st.integers(0, 999))
def test_any_interleaving_gives_the_same_text(
    pieces: list[bytes], capacity: int, seed: int
) -> None:
    turn = random.Random(seed)
    pipe: Pipe[bytes] = Pipe("text", capacity)
    waiting, got = list(pieces), []
    while len(got) < len(pieces):
        if waiting and turn.random() < 0.5:
            if pipe.writer.write(waiting[0]) is Given.TAKEN:
                waiting.pop(0)
        else:
            piece = pipe.reader.read()
            if not isinstance(piece, Flow):
                got.append(piece)
    assert got == pieces
