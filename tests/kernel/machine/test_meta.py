from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pxos.kernel.machine.meta import MAX_BYTES, Arg, Meta, MetaError

FULL = Meta(
    title="Blur",
    author="Ada",
    licence="MIT",
    summary="Blurs a picture",
    help="two\nlines\tand é",
    source="blur.pxa",
    icon=7,
    ports=("picture", "arguments"),
    args=(
        Arg("radius", "int", 3, 1, 50, help="in pixels"),
        Arg("gain", "number", 1.5, 0.0),
        Arg("edge", "choice", "clamp", choices=("clamp", "wrap")),
        Arg("text", "text"),
        Arg("fast", "flag", False),
    ),
    inputs=("image",),
    size=(200, 320),
    names=("SYS", "TABLE"),
    labels={"loop": 3, "end": 9},
    lines=((0, 0, 4), (1, 0, 4), (3, 1, 2)),
    files=("blur.pxa", "edge.pxi"),
)


def test_round_trip() -> None:
    assert Meta.from_bytes(FULL.to_bytes()) == FULL
    assert Meta.from_bytes(Meta().to_bytes()) == Meta()
    assert Meta.from_bytes(b"") == Meta()


def test_the_form_is_canonical() -> None:
    data = FULL.to_bytes()
    plain = json.loads(data)
    assert (
        json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        == data
    )
    assert "é".encode() in data
    assert Meta(title="x").to_bytes() == b'{"title":"x"}'


def test_unknown_keys_are_passed_over() -> None:
    assert Meta.from_bytes(b'{"title":"x","colour":[1]}') == Meta(title="x")
    meta = Meta.from_bytes(b'{"args":[{"kind":"int","name":"n","unit":"px"}]}')
    assert meta.args == (Arg("n", "int"),)


def test_flags_that_are_false_stay_false() -> None:
    meta = Meta(args=(Arg("f", "flag", False), Arg("n", "int", 0)))
    again = Meta.from_bytes(meta.to_bytes())
    assert again.args[0].default is False
    assert again.args[1].default == 0


@pytest.mark.parametrize(
    "data",
    [
        b"[]",
        b"1",
        b"{",
        b"\xff",
        b'{"title":1}',
        b'{"title":null}',
        b'{"ports":"keys"}',
        b'{"ports":[1]}',
        b'{"icon":-1}',
        b'{"icon":true}',
        b'{"icon":1.5}',
        b'{"icon":4294967296}',
        b'{"size":[1]}',
        b'{"size":[0,5]}',
        b'{"size":[5,9000]}',
        b'{"labels":[]}',
        b'{"labels":{"a":"b"}}',
        b'{"lines":[[1,2]]}',
        b'{"lines":[[2,0,0],[1,0,0]]}',
        b'{"lines":[1]}',
        b'{"args":{}}',
        b'{"args":[{"name":"x"}]}',
        b'{"args":[{"name":1,"kind":"int"}]}',
        b'{"args":[{"name":"","kind":"int"}]}',
        b'{"args":[{"name":"x","kind":"float"}]}',
        b'{"args":[{"name":"x","kind":"choice"}]}',
        b'{"args":[{"name":"x","kind":"int","default":"1"}]}',
        b'{"args":[{"name":"x","kind":"int","default":true}]}',
        b'{"args":[{"name":"x","kind":"int","default":9,"max":8}]}',
        b'{"args":[{"name":"x","kind":"number","min":1e999}]}',
        b'{"args":[{"name":"x","kind":"number","min":NaN}]}',
        b'{"args":[{"name":"x","kind":"number","min":' + b"9" * 400 + b"}]}",
        b'{"args":[{"name":"x","kind":"number","min":' + b"9" * 5000 + b"}]}",
        b'{"args":[{"name":"x","kind":"int"},{"name":"x","kind":"int"}]}',
        b'{"title":"\\u001b[31m"}',
        b'{"title":"a\\nb"}',
        b'{"help":"\\u0007"}',
        b'{"title":"\\ud800"}',
        b'{"title":"\\u009b"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_strangers_metadata_is_checked(data: bytes) -> None:
    with pytest.raises(MetaError):
        Meta.from_bytes(data)


def test_the_size_is_limited() -> None:
    inside = b'{"help":"' + b"x" * (MAX_BYTES - 11) + b'"}'
    assert len(inside) == MAX_BYTES
    assert len(Meta.from_bytes(inside).help) == MAX_BYTES - 11
    with pytest.raises(MetaError, match="more than"):
        Meta.from_bytes(inside + b" ")


@pytest.mark.parametrize(
    "meta",
    [
        Meta(title="\x1b"),
        Meta(icon=-1),
        Meta(size=(1, 10**6)),
        Meta(title="\ud800"),
        Meta(help="x" * MAX_BYTES),
        Meta(lines=((2, 0, 0), (1, 0, 0))),
    ],
)
def test_what_could_not_be_read_is_not_written(meta: Meta) -> None:
    with pytest.raises(MetaError):
        meta.to_bytes()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["name", "kind", "default", "x"]), inner)
        ),
    )
)
def test_any_json_in_any_field(value: object) -> None:
    for name in Meta.__dataclass_fields__:
        try:
            meta = Meta.from_bytes(json.dumps({name: value}).encode())
        except MetaError:
            continue
        assert Meta.from_bytes(meta.to_bytes()) == meta


@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    try:
        meta = Meta.from_bytes(data)
    except MetaError:
        return
    assert Meta.from_bytes(meta.to_bytes()) == meta


def test_names_of_entries() -> None:
    assert FULL.name_of(0) == "SYS"
    assert FULL.name_of(77) == "#77"
