"""Starting a program loads only what that program needs."""

from __future__ import annotations

import os
import subprocess
import sys

from pxos.boot import environment

HELLO = environment.bundled_apps() / "hello" / "hello.png"
#: Prints what was loaded, after running a command line.
TELL = """
import os, sys
from pxos.boot.cli import main
status = main(sys.argv[1:])
sys.stdout.flush()
print(*sorted(sys.modules), sep="\\n", file=sys.stderr)
raise SystemExit(status)
"""
#: Modules that a program like hello has no use for; each takes milliseconds.
UNWANTED = {
    "PIL",
    "pygame",
    "prompt_toolkit",
    "argparse",
    "asyncio",
    "concurrent",
    "decimal",
    "difflib",
    "fractions",
    "glob",
    "logging",
    "random",
    "shlex",
    "shutil",
    "socket",
    "subprocess",
    "tempfile",
    "pxos.boot.boot_desktop",
    "pxos.boot.cli_parser",
    "pxos.boot.events",
    "pxos.boot.photos",
    "pxos.boot.sessions",
    "pxos.boot.stage",
    "pxos.boot.terminal_view",
    "pxos.boot.tools",
    "pxos.boot.window",
    "pxos.kernel.machine.cpu.matmul",
    "pxos.kernel.machine.cpu.translate_emit",
    "pxos.kernel.machine.cpu.translate_scan",
    "pxos.kernel.machine.oracle",
    "pxos.kernel.replay",
    "pxos.shell.apps",
    "pxos.shell.lenses",
    "pxos.shell.lexer",
    "pxos.shell.session",
}


def loaded_by(*words: str) -> set[str]:
    run = subprocess.run(
        [sys.executable, "-c", TELL, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return set(run.stderr.split())


def test_hello_loads_nothing_that_it_does_not_need() -> None:
    loaded = loaded_by("run", str(HELLO))
    assert {"numpy", "pxos.kernel.kernel"} <= loaded, "the list of modules is there"
    assert not loaded & UNWANTED


def test_products_use_one_thread_unless_the_user_says_otherwise() -> None:
    tell = (
        "import os; from pxos.boot.cli import main; main(['run', os.environ['HELLO']]); "
        "print(os.environ['OPENBLAS_NUM_THREADS'])"
    )
    bare = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    for given, wanted in (({}, "1"), ({"OPENBLAS_NUM_THREADS": "3"}, "3")):
        run = subprocess.run(
            [sys.executable, "-c", tell],
            env=bare | {"HELLO": str(HELLO)} | given,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        )
        assert run.stdout.split()[-1] == wanted


def test_numpy_is_not_loaded_before_its_threads_are_limited() -> None:
    tell = "import sys; import pxos.boot.cli; raise SystemExit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", tell], check=False).returncode == 0
