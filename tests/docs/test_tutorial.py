"""Every program in the tutorial and in the README assembles, runs and draws."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from pxos.boot.headless import play_headless
from pxos.kernel.arguments import parse_args
from pxos.kernel.clock import VirtualClock
from pxos.kernel.grants import Grants
from pxos.kernel.kernel import Kernel
from pxos.kernel.process import Process
from pxos.shell.lenses.assembler import assemble
from tests.kernel.programs import DictStore
from tests.pictures import photograph

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAMS = {
    f"{page}:{name}": text
    for page in ("docs/writing-apps.md", "README.md")
    for name, text in re.findall(r"```pxa (\w+)\n(.*?)```", (ROOT / page).read_text("utf-8"), re.S)
}


def run(name: str, frames: int = 30, words: tuple[str, ...] = ()) -> Process:
    program = assemble(PROGRAMS[name], path=f"{name}.pxa", include_dirs=[ROOT / "apps" / "lib"])
    clock = VirtualClock()
    kernel = Kernel(DictStore(), clock=clock, seed=5)
    process = kernel.spawn(
        program, name, args=parse_args(program.meta, list(words)), grants=Grants.of(program.meta)
    )
    play_headless(kernel, clock, process, frames=frames)
    assert process.exit is None or process.exit.kind == "halted", process.exit
    return process


def test_there_are_programs() -> None:
    assert len(PROGRAMS) >= 8


@pytest.mark.parametrize("name", [n for n in PROGRAMS if not n.endswith(":warm")])
def test_it_draws(name: str) -> None:
    picture = run(name).surface.picture
    assert picture.size
    assert len(np.unique(picture.reshape(-1, 4), axis=0)) > 1, "more than one colour"


@pytest.mark.parametrize("name", [n for n in PROGRAMS if n.split(":")[1] in ("weave", "orbit")])
def test_it_moves(name: str) -> None:
    assert (run(name, 10).surface.picture != run(name, 40).surface.picture).any()


def test_the_filter_warms() -> None:
    from pxos.kernel.machine.cpu.executor import CpuExecutor
    from pxos.kernel.machine.program import open_memory
    from tests.bench.pictures import Pipe

    name = "docs/writing-apps.md:warm"
    program = assemble(PROGRAMS[name], path="warm.pxa", include_dirs=[])
    photo = photograph(20, 30)
    ports = Pipe([photo], parse_args(program.meta, ["30"]))
    assert CpuExecutor(open_memory(program), ports).run(1 << 40).reason == "H"
    wide = photo.astype(int)
    wide[..., 0] += 30
    wide[..., 2] -= 30
    np.testing.assert_array_equal(ports.out[0], wide.clip(0, 255).astype(np.uint8))
