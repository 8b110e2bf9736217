"""``pxos doctor``: what works on this machine, and how to get the rest."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from . import environment
from .errors import DONE, FAILED, BootError
from .standard import tell

if TYPE_CHECKING:
    from ..kernel.machine.gpu.device import AdapterInfo


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at.  ``state``: "ok", "missing" (pxOS does without it) or "broken".

    ``adapters``: of the GPU, all that there are, the one that is used first.
    """

    name: str
    state: str
    detail: str
    advice: str = ""
    adapters: tuple[AdapterInfo, ...] = ()

    def plain(self) -> dict[str, object]:
        """For JSON; ``adapters`` only where there are any."""
        found = asdict(self)
        found["adapters"] = [
            {**adapter._asdict(), "used": adapter is self.adapters[0]} for adapter in self.adapters
        ]
        return {key: value for key, value in found.items() if value or key != "adapters"}


def main(*, as_json: bool = False) -> int:
    """Print the findings; the exit status is 1 if something that pxOS needs is broken."""
    findings = examine()
    if as_json:
        found = [finding.plain() for finding in findings]
        tell(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    else:
        width = max(len(finding.name) for finding in findings)
        for finding in findings:
            tell(f"{finding.state:8} {finding.name:{width}}  {finding.detail}\n")
            for place, adapter in enumerate(finding.adapters):
                used = "not used" if place else "used"
                tell(f"{'':8} {'':{width}}  {used:8}  {_adapter(adapter)}\n")
            if finding.advice:
                tell(f"{'':8} {'':{width}}  → {finding.advice}\n")
    return FAILED if any(finding.state == "broken" for finding in findings) else DONE


def examine() -> list[Finding]:
    """Look at everything."""
    looks: list[Callable[[], Finding]] = [
        _python,
        _machine,
        _kernels,
        _gpu,
        _pictures,
        _apps,
        _window,
        _terminal,
        _console,
        _files,
    ]
    return [look() for look in looks]


def _version(distribution: str) -> str:
    try:
        return f"{distribution} {metadata.version(distribution)}"
    except metadata.PackageNotFoundError:
        return ""


def _python() -> Finding:
    detail = (
        f"{platform.python_version()} on {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores"
    )
    return Finding("python", "ok", detail)


def _machine() -> Finding:
    """Run a small program and look at its result."""
    from ..kernel.clock import VirtualClock
    from ..kernel.grants import Grants
    from ..kernel.kernel import Kernel
    from ..kernel.machine import program
    from ..kernel.machine.isa import encode, small_operand

    six, seven = small_operand(6), small_operand(7)
    assert six is not None
    assert seven is not None
    product = program.MatrixSpec("product", "I")
    test = program.build([product], [encode("*", 5, six, seven), encode("H", 5)])
    kernel = Kernel(environment.app_store(), clock=VirtualClock())
    process = kernel.spawn(program.load(program.save(test)), "test", grants=Grants())
    while kernel.run(1.0):
        pass
    status = -1 if process.exit is None else process.exit.status
    kernel.close()
    if status != 42:
        return Finding("machine", "broken", f"6 x 7 gave {status}", "install pxOS again")
    return Finding("machine", "ok", f"{_version('numpy')}; programs run on the CPU")


def _kernels() -> Finding:
    """Load the compiled kernels and look at every word of what they make."""
    from ..kernel.machine.cpu import native
    from ..kernel.machine.cpu.executor import CpuExecutor
    from . import selftest

    if not environment.has_package("numba"):
        detail = "networks run on NumPy alone, and write at a third of the speed"
        return Finding("kernels", "missing", detail, "pip install 'pxos[fast]'")
    kernels = native.load()
    if kernels is None:
        detail = f"numba could not be used ({native.failure()}): networks run on NumPy alone"
        return Finding("kernels", "missing", detail, "install a numba that fits this NumPy")
    wrong = selftest.differences(lambda memory, ports: CpuExecutor(memory, ports, kernels))
    if wrong:
        advice = "uninstall numba, and tell us which version it was"
        return Finding("kernels", "broken", f"not NumPy's results: {', '.join(wrong)}", advice)
    return Finding("kernels", "ok", f"{_version('numba')}; compiled for networks")


def _adapter(info: AdapterInfo) -> str:
    """An adapter in a few words."""
    kind = "software" if info.is_software else info.kind
    return ", ".join(filter(None, (info.name, kind, info.backend, info.driver)))


def _gpu() -> Finding:
    """Run the self-test on the adapter that programs get, and look at every word of its memory."""
    from ..kernel.machine.gpu.device import GpuError, NoGpu, adapters, open_gpu
    from . import gpu, selftest

    environment.keep_drivers_quiet()
    try:
        found = tuple(adapters())
        device = open_gpu()
    except NoGpu as error:
        what, advice = gpu.what_is_missing(error)
        return Finding("gpu", "missing", f"{what}: programs run on the CPU", advice)
    start = time.perf_counter()
    try:
        wrong = selftest.differences(gpu.backend_of(device).make)
    except GpuError as error:
        wrong, problem = ["all"], f"the self-test could not be run: {error}"
    else:
        problem = f"not the CPU's results: {', '.join(wrong)}"
    finally:
        device.close()
    seconds = time.perf_counter() - start
    if wrong:
        advice = "update its driver, and start pxOS with --on cpu until then"
        return Finding("gpu", "broken", problem, advice, found)
    detail = f"passes the self-test ({seconds:.1f} s): every word is the same as on the CPU"
    advice = ""
    if device.info.is_software:
        advice = "it computes on the CPU, so only --on gpu uses it; a card needs its Vulkan driver"
    return Finding("gpu", "ok", detail, advice, found)


def _pictures() -> Finding:
    version = _version("pillow")
    if not version:
        return Finding(
            "pictures", "missing", "only PNG can be read and written", "pip install pillow"
        )
    from PIL import features

    lacking = [name for name in ("jpg", "webp", "avif") if not features.check(name)]
    detail = version + (f", without {', '.join(lacking)}" if lacking else "")
    return Finding("pictures", "ok", detail)


def _apps() -> Finding:
    store = environment.app_store()
    names = store.names()
    where = ", ".join(str(root) for root in store.roots)
    if "desktop" not in names:
        return Finding(
            "apps",
            "broken",
            f"no desktop among {len(names)} programs in {where}",
            "pxos apps build",
        )
    return Finding("apps", "ok", f"{len(names)} programs in {where}")


def _window() -> Finding:
    if not environment.may_have_display():
        return Finding(
            "window",
            "missing",
            "neither DISPLAY nor WAYLAND_DISPLAY is set",
            "start pxOS on a desktop, or log in with ssh -X",
        )
    from .window import Window

    try:
        window = Window(100, 160, "pxOS doctor", scale=1)
    except BootError as error:
        return Finding("window", "missing", error.what, f"{error.where}; {error.advice}")
    driver = window.driver
    window.close()
    return Finding("window", "ok", f"{_version('pygame-ce')}, {driver}")


def _terminal() -> Finding:
    if not environment.has_terminal():
        return Finding(
            "terminal",
            "missing",
            "standard input and output are no terminal",
            "run pxos doctor in a terminal",
        )
    from .terminal_view import TerminalView

    view = TerminalView(sys.stdin.fileno(), sys.stdout.fileno())
    view.close()
    words = {"kitty": "kitty graphics", "sixel": "sixel graphics", "blocks": "half blocks"}
    detail = f"{os.environ.get('TERM', '')}: {words[view.graphics]}"
    if not view.tells_release:
        detail += "; it does not tell when keys are let go"
    return Finding("terminal", "ok", detail)


def _console() -> Finding:
    version = _version("prompt_toolkit")
    if not version:
        return Finding(
            "console", "missing", "pxos shell reads plain lines only", "pip install prompt_toolkit"
        )
    return Finding("console", "ok", version)


def _files() -> Finding:
    history = environment.history_file()
    if history is None:
        return Finding(
            "history",
            "missing",
            "the console's history is not kept",
            "set XDG_STATE_HOME to a folder that can be written",
        )
    return Finding("history", "ok", str(history))
