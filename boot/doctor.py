"""``pxos doctor``: what works on this machine, and how to get the rest."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata

from . import environment
from .errors import DONE, FAILED, BootError
from .standard import tell


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at.  ``state``: "ok", "missing" (pxOS does without it) or "broken"."""

    name: str
    state: str
    detail: str
    advice: str = ""


def main(*, as_json: bool = False) -> int:
    """Print the findings; the exit status is 1 if something that pxOS needs is broken."""
    findings = examine()
    if as_json:
        found = [asdict(finding) for finding in findings]
        tell(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    else:
        width = max(len(finding.name) for finding in findings)
        for finding in findings:
            tell(f"{finding.state:8} {finding.name:{width}}  {finding.detail}\n")
            if finding.advice:
                tell(f"{'':8} {'':{width}}  → {finding.advice}\n")
    return FAILED if any(finding.state == "broken" for finding in findings) else DONE


def examine() -> list[Finding]:
    """Look at everything."""
    looks: list[Callable[[], Finding]] = [
        _python,
        _machine,
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
