"""``--on`` and the doctor's look at the GPU: with an adapter, without one, and when it fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pxos.boot import doctor, environment, selftest
from pxos.boot import gpu as boot_gpu
from pxos.boot.errors import BootError
from pxos.boot.notices import Notices
from pxos.boot.run_options import RunOptions, parse_place
from pxos.kernel.clock import VirtualClock
from pxos.kernel.grants import Grants
from pxos.kernel.kernel import Kernel
from pxos.kernel.machine.isa import BY_CODE
from pxos.kernel.machine.program import open_memory
from pxos.kernel.placement import Backends

from ..gpu import gpu
from ..kernel.fake_gpu import FakeGpu
from ..kernel.programs import DictStore
from ..kernel.test_placement import COUNTER
from .conftest import Pxos, noise
from .test_run import added, load, save

NO_DRIVERS = {"VK_DRIVER_FILES": "/nonexistent/driver.json"}


def pxos_alone(here: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, with other variables: drivers are looked for once a process."""
    return subprocess.run(
        [sys.executable, "-m", "pxos", *words],
        cwd=here,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=120,
    )


# ---- --on ---------------------------------------------------------------------------------


@pytest.mark.parametrize("on", ["cpu", "gpu", "auto"])
def test_a_filter_anywhere(here: Path, on: str) -> None:
    if on == "gpu":
        gpu()
    picture = save(here / "in.png", noise(70, 90))
    done = pxos_alone(here, "run", "add", "3", "-i", "in.png", "-o", f"{on}.png", "--on", on)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert np.array_equal(load(here / f"{on}.png"), added(picture, 3))


def test_a_fault_on_the_gpu_prints_the_same_card(here: Path) -> None:
    gpu()
    save(here / "in.png", noise(3, 3))
    cards = [
        pxos_alone(here, "run", "breaks", "-i", "in.png", "-o", "x.png", "--on", on)
        for on in ("cpu", "gpu")
    ]
    assert cards[0].returncode == cards[1].returncode == 1
    assert cards[0].stderr == cards[1].stderr != ""


def test_lines_and_screens_on_the_gpu(here: Path) -> None:
    gpu()
    save(here / "in.png", noise(20, 30))
    for on in ("cpu", "gpu"):
        done = pxos_alone(here, "--on", on, "-c", f"add 2 in.png > line-{on}.png && ps")
        assert (done.returncode, done.stderr) == (0, "")
        words = ["run", "echo", "--headless", "--frames", "4", "--screenshot", f"{on}.png"]
        assert pxos_alone(here, *words, "--on", on).returncode == 0
    assert (here / "line-cpu.png").read_bytes() == (here / "line-gpu.png").read_bytes()
    assert (here / "cpu.png").read_bytes() == (here / "gpu.png").read_bytes()


@pytest.mark.parametrize(
    "words",
    [
        ["run", "--on", "gpu", "add", "-i", "in.png", "-o", "out.png"],
        ["--on", "gpu", "-c", "add in.png > out.png"],
        ["shell", "--on", "gpu"],
        ["boot", "--on", "gpu", "--headless", "--frames", "1", "--desktop", "echo"],
    ],
    ids=["run", "line", "shell", "boot"],
)
def test_no_gpu_where_one_is_asked_for(here: Path, words: list[str]) -> None:
    save(here / "in.png", noise(3, 3))
    done = pxos_alone(here, *words, **NO_DRIVERS)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("pxos: ")
    assert done.stderr.count("\n") == 1
    assert "(--on gpu); " in done.stderr
    assert environment.gpu_advice() in done.stderr or "pip install wgpu" in done.stderr
    assert not (here / "out.png").exists()


def test_without_a_driver_nothing_is_imported_for_the_gpu(here: Path) -> None:
    """Also by a program that would be worth it."""
    script = (
        "import sys; from pxos.boot import environment, gpu; from pxos.boot.cli import main;"
        "from pxos.kernel import cost; cost.OPENING_SECONDS = cost._MOVE_SECONDS = 0.0;"
        "status = main(['run', 'still', '-o', 's.png', '--on', 'auto']);"
        "print(status, gpu.backends().tempting,"
        " sorted(n for n in sys.modules if 'wgpu' in n or 'machine.gpu' in n))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=here,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **NO_DRIVERS},
    )
    status, tempting, modules = done.stdout.split(maxsplit=2)
    assert (status, modules) == ("0", "[]\n"), done
    assert tempting == str(environment.may_have_gpu())


def test_places_have_names() -> None:
    assert RunOptions().on == "auto"
    assert parse_place("gpu") == "gpu"
    with pytest.raises(BootError, match="one of cpu, gpu, auto, not 'GPU'"):
        parse_place("GPU")


def test_options_of_a_line_are_heeded(pxos: Pxos, here: Path) -> None:
    done = pxos("--seed", 7, "--on", "cpu", "-c", "noise > a.png; noise > b.png")
    assert done.status == 0
    assert pxos("--seed", 7, "-c", "noise > c.png").status == 0
    assert pxos("--seed", 8, "-c", "noise > d.png").status == 0
    assert (here / "a.png").read_bytes() == (here / "c.png").read_bytes()
    assert (here / "c.png").read_bytes() != (here / "d.png").read_bytes()


# ---- notices ------------------------------------------------------------------------------


def test_losing_the_gpu_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    def lose(late: bool, shown: list[str] | None) -> Notices:
        device = FakeGpu(fails_at=3)
        kernel = Kernel(DictStore(), clock=VirtualClock(), backends=device.backends())
        notices = Notices(kernel)
        notices.late = late
        notices.show = None if shown is None else shown.append
        kernel.spawn(COUNTER, "counter", grants=Grants(), on="gpu")
        while kernel.run(1):
            pass
        return notices

    line = "counter goes on on the CPU: the test pulled it out"
    lose(late=False, shown=None)
    assert capsys.readouterr().err == f"pxos: {line}\n"
    shown: list[str] = []
    notices = lose(late=True, shown=shown)
    assert shown == [line]
    assert capsys.readouterr().err == "", "the terminal shows a picture"
    notices.print()
    notices.print()
    assert capsys.readouterr().err == f"pxos: {line}\n"


# ---- the doctor ---------------------------------------------------------------------------


def test_the_self_test_has_every_family_of_elements() -> None:
    memory = open_memory(selftest.program())
    header = memory.header(2)
    at = memory.data_addr(header.row)
    words = memory.words[at : at + header.cols].tolist()
    families = {BY_CODE[word & 0xFF].family for word in words}
    assert families == {op.family for op in BY_CODE.values()} - {"ports", "table"}


def test_the_self_test_passes() -> None:
    assert selftest.differences(boot_gpu.backend_of(gpu()).make) == []


def test_the_self_test_finds_a_difference() -> None:
    device = FakeGpu()

    def wrong(memory, ports):
        executor = device.make(memory, ports)
        settle = executor.settle

        def settle_wrongly() -> None:
            settle()
            row = memory.header(selftest.program().meta.names.index("sums")).row
            memory.words[memory.data_addr(row) + 5] ^= 1

        executor.settle = settle_wrongly
        return executor

    assert selftest.differences(device.make) == []
    assert selftest.differences(wrong) == ["sums"]


def test_the_doctor_looks_at_the_gpu() -> None:
    device = gpu()
    finding = doctor._gpu()
    assert finding.state == "ok"
    assert "passes the self-test" in finding.detail
    assert finding.adapters[0] == device.info
    plain = json.loads(json.dumps(finding.plain()))
    assert [adapter["used"] for adapter in plain["adapters"]][:2] in ([True], [True, False])
    assert plain["adapters"][0]["name"] == device.info.name


def test_the_doctor_says_how_to_get_one(here: Path) -> None:
    done = pxos_alone(here, "doctor", **NO_DRIVERS)
    lines = done.stdout.splitlines()
    at = next(n for n, line in enumerate(lines) if " gpu " in line)
    assert lines[at].startswith("missing")
    assert "programs run on the CPU" in lines[at]
    assert "→" in lines[at + 1]
    found = json.loads(pxos_alone(here, "doctor", "--json", **NO_DRIVERS).stdout)
    (finding,) = (finding for finding in found if finding["name"] == "gpu")
    assert "adapters" not in finding


def test_a_gpu_that_computes_wrongly_is_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gpu()
    monkeypatch.setattr(selftest, "differences", lambda make: ["product", "waves"])
    monkeypatch.setattr(doctor, "examine", lambda: [doctor._gpu()])
    assert doctor.main() == 1
    out = capsys.readouterr().out
    assert "broken" in out
    assert "not the CPU's results: product, waves" in out
    assert "--on cpu" in out


@pytest.mark.parametrize(
    ("platform", "release", "advice"),
    [
        ("linux", "ID=ubuntu\nID_LIKE=debian\n", "apt install mesa-vulkan-drivers"),
        ("linux", "ID=fedora\n", "dnf install mesa-vulkan-drivers"),
        ("linux", 'ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', "zypper install"),
        ("linux", "ID=other\n", "install the Vulkan driver of your card"),
        ("linux", None, "install the Vulkan driver of your card"),
        ("darwin", None, "macOS"),
        ("win32", None, "Windows"),
    ],
)
def test_advice_for_each_system(
    monkeypatch: pytest.MonkeyPatch, platform: str, release: str | None, advice: str
) -> None:
    def read_text(path: Path, *args: str) -> str:
        if release is None:
            raise FileNotFoundError(path)
        return release

    monkeypatch.setattr(environment.sys, "platform", platform)
    monkeypatch.setattr(Path, "read_text", read_text)
    assert advice in environment.gpu_advice()


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "has_package", lambda name: name != "wgpu")
    assert not boot_gpu.is_promising()
    what, advice = boot_gpu.what_is_missing(RuntimeError("cannot be loaded: no module"))
    assert (what, advice) == ("the package wgpu is not installed", "pip install wgpu")


def test_cpu_and_auto_open_nothing() -> None:
    device = FakeGpu()
    device.there = False
    places: Backends = device.backends()
    boot_gpu.require(places, "cpu")
    boot_gpu.require(places, "auto")
    with pytest.raises(BootError, match=r"there is no adapter \(--on gpu\); install one"):
        boot_gpu.require(places, "gpu")
