"""Whole networks: pictures against float32 NumPy, one token at a time against all at once."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from pxos.kernel.machine.cpu.executor import CpuExecutor
from pxos.kernel.machine.program import Program, load, save
from pxos.shell.lenses.assembler import AsmError, assemble
from pxos.shell.lenses.networks import (
    HeadByHead,
    Reference,
    Transformer,
    ValidationError,
    emit,
    evaluate_mlp,
    picture_logits,
    picture_losses,
    quantised,
    validate,
)
from pxos.shell.lenses.networks.emit import LIBRARY, Credits, Emitted
from pxos.shell.lenses.networks.samples import random_mlp, random_transformer
from pxos.shell.lenses.networks.validate import Desk, compare, run

from .tools import evaluate, grid

TEXT = (
    b"Now is the winter of our discontent\nMade glorious summer by this sun of York;\n"
    b"And all the clouds that lour'd upon our house\nIn the deep bosom of the ocean buried.\n"
)

SHAPES = {
    "gpt2": {"style": "gpt2"},
    "llama": {"style": "llama", "key_heads": 2},
    "gpt2-wide": {"style": "gpt2", "width": 192, "heads": 6, "layers": 3, "context": 256},
    "llama-wide": {"style": "llama", "width": 192, "heads": 6, "key_heads": 3, "context": 128},
    "llama-short": {"style": "llama", "width": 96, "heads": 3, "layers": 1, "context": 32},
    "loud": {"style": "gpt2", "gain": 2.0},
}


@cache
def network(name: str) -> Transformer:
    return quantised(random_transformer(**SHAPES[name], seed=len(name)))


@cache
def picture(name: str) -> Program:
    return emit(network(name)).assemble()


def write(program: Program, **arguments: object) -> Desk:
    return run(program, CpuExecutor, arguments=arguments, random=np.random.default_rng(1))


def said(desk: Desk) -> bytes:
    """What an app wrote, without the end of the line that it adds if there is none."""
    written = bytes(desk.written)
    assert written.endswith(b"\n")
    return written[:-1]


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_logits_agree_with_float32_numpy(name: str) -> None:
    found = validate(picture(name), CpuExecutor, network(name), TEXT)
    assert found.rows == len(TEXT)
    assert found.passes, found
    assert found.agreement > 0.99


@pytest.mark.parametrize("name", ["gpt2", "llama"])
def test_losses_are_those_of_the_logits(name: str) -> None:
    net = network(name)
    losses = picture_losses(picture(name), CpuExecutor, TEXT)
    tokens = np.array([net.vocabulary.find(byte) for byte in TEXT])
    wanted = []
    for i in range(0, len(tokens) - 1, net.context):
        part = tokens[i : i + net.context + 1]
        logits = Reference(net).logits(part[:-1]).astype(np.float64)
        total = np.log(np.exp(logits).sum(axis=1))
        wanted.append(total - logits[np.arange(len(logits)), part[1:]])
    assert np.abs(losses - np.concatenate(wanted)).max() < 0.005


@pytest.mark.parametrize("name", ["gpt2", "llama", "gpt2-wide", "llama-short"])
@pytest.mark.parametrize("prompt", [b"R", b"ROMEO: what light"])
def test_writing_token_by_token_is_what_the_logits_say(name: str, prompt: bytes) -> None:
    """Greedy text from the cache, past the end of the context, by the reference's own loop."""
    net = network(name)
    count = 2 * net.context if net.context < 100 else 40
    desk = write(picture(name), prompt=prompt.decode(), tokens=count, temperature=0.0)
    tokens = np.array([net.vocabulary.find(byte) for byte in prompt])
    made = Reference(net).generate(tokens, count)
    assert said(desk) == prompt + bytes(net.vocabulary[token] for token in made)


def test_the_reference_with_a_cache_is_the_reference_without() -> None:
    for name in ("gpt2", "llama"):
        net = network(name)
        tokens = np.array([net.vocabulary.find(byte) for byte in TEXT[: net.context]])
        whole = Reference(net).logits(tokens)
        steps = Reference(net)
        single = np.vstack([steps.step(tokens[i : i + 1], i) for i in range(len(tokens))])
        assert np.abs(single - whole).max() < 2e-4
        heads = HeadByHead(net)
        single = np.vstack([heads.step(tokens[i : i + 1], i) for i in range(len(tokens))])
        assert np.abs(single - whole).max() < 2e-4
        with pytest.raises(ValueError, match="do not fit a context"):
            steps.step(tokens[:1], net.context)


@pytest.mark.parametrize("style", ["gpt2", "llama"])
def test_groups_of_rows_come_closer_to_the_float_network(style: str) -> None:
    net = random_transformer(style, seed=3)
    for block in net.blocks:  # rows of unlike size, as trained networks have
        block.qkv.weight[: len(block.qkv.weight) // 2] *= 6
        block.down.weight[: len(block.down.weight) // 2] *= 6
    tokens = np.array([net.vocabulary.find(byte) for byte in TEXT[: net.context]])
    wanted = Reference(net).logits(tokens)
    off = []
    for groups in (1, 2):
        small = quantised(net, groups=groups)
        program = emit(small).assemble()
        assert validate(program, CpuExecutor, small, TEXT).correlation > 0.99999
        got = picture_logits(program, CpuExecutor, TEXT[: net.context])
        off.append(float(np.abs(got - wanted).mean()))
    assert off[1] < off[0]


def test_other_activations_and_a_tied_llama() -> None:
    for style, activation in (("gpt2", "gelu"), ("gpt2", "relu"), ("llama", "relu")):
        net = replace(random_transformer(style, seed=1), activation=activation, head=None)
        small = quantised(net)
        assert validate(emit(small).assemble(), CpuExecutor, small, TEXT).passes


# ---- the app -----------------------------------------------------------------------------------


def test_text_is_written_and_without_a_screen_not_drawn() -> None:
    desk = write(picture("gpt2"), prompt="ROMEO:", tokens=30, seed=7)
    assert said(desk).startswith(b"ROMEO:")
    assert len(said(desk)) == 36
    assert desk.screen is None
    assert desk.notes == b""


def test_a_seed_repeats_and_settings_matter() -> None:
    first = bytes(write(picture("llama"), prompt="A", tokens=60, seed=7).written)
    assert first == bytes(write(picture("llama"), prompt="A", tokens=60, seed=7).written)
    for other in ({"seed": 8}, {"temperature": 2.0}, {"top_k": 1}, {"top_p": 0.05}):
        settings = {"prompt": "A", "tokens": 60, "seed": 7, **other}
        assert first != bytes(write(picture("llama"), **settings).written)


def test_prompts_that_are_empty_strange_or_long() -> None:
    program, net = picture("llama-short"), network("llama-short")
    empty = write(program, tokens=5, temperature=0.0)
    start = np.array([net.vocabulary.find(b"\n")])
    made = Reference(net).generate(start, 5)
    assert said(empty) == bytes(net.vocabulary[token] for token in made)
    strange = write(program, prompt="ä→b\x00", tokens=5, temperature=0.0)
    assert said(strange).startswith(b"b")
    assert len(said(strange)) == 6
    told = "has never seen these characters and leaves them out: ä→\x00"
    assert strange.notes.decode() == told
    nothing = write(program, prompt="ä→", tokens=5, temperature=0.0)
    assert said(nothing) == said(empty)
    tail = "x" * 40 + "the end of a long prompt, longer"
    long = write(program, prompt=tail, tokens=40, temperature=0.0)
    end = tail[-net.context :].encode()
    made = Reference(net).generate(np.array([net.vocabulary.find(byte) for byte in end]), 40)
    assert said(long) == tail.encode() + bytes(net.vocabulary[token] for token in made)
    assert long.notes == b"reads the last 32 characters of that"
    none = write(program, prompt="abc", tokens=0)
    assert said(none) == b"abc"
    assert write(program, prompt="abc\n", tokens=0).written == b"abc\n"


def test_a_dash_is_the_text_input() -> None:
    program = picture("llama-short")
    settings = {"tokens": 9, "temperature": 0.0}
    told = write(program, prompt="A rose", **settings)
    piped = run(program, CpuExecutor, arguments={"prompt": "-", **settings}, text=b"A rose")
    assert piped.written == told.written


def test_without_a_seed_it_is_chance_and_with_one_it_is_not() -> None:
    program = picture("llama-short")

    def text(random: int, **settings: object) -> bytes:
        made = np.random.default_rng(random)
        arguments = {"prompt": "A", "tokens": 40, **settings}
        return bytes(run(program, CpuExecutor, arguments=arguments, random=made).written)

    assert text(1) == text(1)
    assert text(1) != text(2)
    assert text(1, seed=5) == text(2, seed=5)


def test_judging_reads_the_text_input_or_the_prompt() -> None:
    program = picture("gpt2")
    by_input = picture_logits(program, CpuExecutor, TEXT)
    desk = run(program, CpuExecutor, arguments={"mode": "logits", "prompt": TEXT.decode()})
    assert sum(len(part) for part in desk.pictures) == len(by_input)
    assert picture_losses(program, CpuExecutor, b"a").size == 0
    with pytest.raises(ValidationError, match="made nothing"):
        picture_logits(program, CpuExecutor, b"")


def test_a_window_is_left_out_where_no_names_are_left() -> None:
    net = random_transformer("llama", seed=3)
    assert "screen" in emit(net).assemble().meta.ports
    small = emit(net, groups=2).assemble()
    assert "screen" not in small.meta.ports
    assert len(said(write(small, prompt="A", tokens=5, seed=1))) == 6


def test_credits_and_icon_travel_in_the_picture() -> None:
    icon = (LIBRARY.parent / "digits" / "icon.png").read_bytes()
    credits = Credits('A "B"', "MIT", icon)
    meta = emit(network("llama-short"), name="verse", credits=credits).assemble().meta
    assert meta.author == 'A "B"'
    assert meta.licence == "MIT"
    assert meta.icon is not None


# ---- files, and what goes wrong ----------------------------------------------------------------


def test_what_is_written_assembles_to_the_same_picture(tmp_path: Path) -> None:
    emitted = emit(network("llama-short"), name="verse", title='Say "verse"')
    source = emitted.write(tmp_path)
    assert source == tmp_path / "verse.pxa"
    program = assemble(source.read_text(), path=str(source), include_dirs=[LIBRARY])
    data = save(program)
    assert data == save(emitted.assemble())
    assert load(data).meta.title == 'Say "verse"'
    assert "verse" in program.meta.help


def test_the_source_has_one_loop_over_the_layers() -> None:
    """However many layers: the code is as long, only data grow."""
    two = emit(random_transformer("gpt2", layers=2)).files["network.pxi"].decode()
    nine = emit(random_transformer("gpt2", layers=9)).files["network.pxi"].decode()
    assert two.count("attend(") == nine.count("attend(") == 1
    assert len(nine.splitlines()) - len(two.splitlines()) == 7 * 5


def test_more_layers_than_the_table_holds_by_name() -> None:
    net = quantised(random_transformer("llama", layers=50, width=32, heads=2, context=32))
    assert validate(emit(net).assemble(), CpuExecutor, net, TEXT[:64]).correlation > 0.9999


def test_comparing_finds_differences() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=(20, 30))
    assert compare(a, a).passes
    assert not compare(a + 0.006 * (rng.random(a.shape) < 0.01), a).passes
    worse = compare(rng.normal(size=a.shape), a)
    assert worse.correlation < 0.5
    assert worse.agreement < 0.5
    with pytest.raises(ValidationError, match="shape"):
        compare(a, a[:5])
    with pytest.raises(ValidationError, match="shape"):
        compare(a[:0], a[:0])


def test_another_networks_picture_does_not_pass() -> None:
    other = quantised(random_transformer("gpt2", seed=99))
    assert not validate(picture("gpt2"), CpuExecutor, other, TEXT).passes


def test_pictures_that_are_no_such_app_are_refused() -> None:
    stranger = assemble("ports picture\nhalt")
    with pytest.raises(ValidationError, match="no argument mode"):
        picture_logits(stranger, CpuExecutor, TEXT)
    for source in ("halt 3", "n : I\nn = 1 / n\nhalt", "ports files\nt : T\nt = in(files)\nhalt"):
        with pytest.raises(ValidationError, match="stopped"):
            run(assemble(source), CpuExecutor)
    bare = replace(network("gpt2"), vocabulary=None)
    with pytest.raises(ValidationError, match="vocabulary"):
        validate(picture("gpt2"), CpuExecutor, bare, TEXT)
    with pytest.raises(ValidationError, match="no character"):
        validate(picture("gpt2"), CpuExecutor, network("gpt2"), b"\x80\x81")


# ---- multi-layer perceptrons -----------------------------------------------------------------


@pytest.mark.parametrize("activation", ["relu", "gelu", "gelu_tanh", "silu"])
@pytest.mark.parametrize("groups", [1, 3])
def test_an_mlp_agrees_with_numpy(activation: str, groups: int) -> None:
    net = quantised(random_mlp(64, 48, 32, 10, activation=activation), groups=groups)
    x = grid(np.random.default_rng(4).normal(size=(50, 64)))
    emitted = emit(net)
    assert emitted.main == "network.pxi"
    files = {Path("/given") / name: data for name, data in emitted.files.items()}
    source = 'include "network.pxi"\nnetwork.input = x\ncall network'
    (got,) = evaluate(source, {"x": x}, "network.output", files=files)
    found = compare(got, evaluate_mlp(net, x))
    assert found.passes, found
    assert found.largest < 6e-4


def test_only_too_many_names_do_not_fit() -> None:
    emitted = emit(network("gpt2"))
    assert emitted.fits()
    files = dict(emitted.files)
    names = "".join(f"surplus_{number} : I\n" for number in range(187))
    files[emitted.main] = names.encode() + files[emitted.main]
    assert not Emitted(files, emitted.main).fits()
    files[emitted.main] = emitted.files[emitted.main] + b"\n    no_such_thing = 1\n"
    with pytest.raises(AsmError, match="no_such_thing"):
        Emitted(files, emitted.main).fits()
