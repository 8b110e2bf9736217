from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from pxos.kernel.kernel import Kernel
from pxos.shell.session import Session

from .fakes import FakeHost, TestClock
from .programs import MemoryStore


@dataclass
class Shell:
    """A session whose output is kept."""

    folder: Path
    host: FakeHost
    store: MemoryStore
    printed: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    shown: list[np.ndarray] = field(default_factory=list)
    presented: list = field(default_factory=list)
    session: Session = None  # type: ignore[assignment]

    def run(self, line: str) -> int:
        self.printed.clear()
        self.told.clear()
        self.shown.clear()
        return self.session.run_line(line)

    @property
    def out(self) -> str:
        return "".join(self.printed)

    @property
    def err(self) -> str:
        return "".join(self.told)

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


MakeShell = Callable[..., Shell]


@pytest.fixture
def make_shell(tmp_path: Path) -> Iterator[MakeShell]:
    kernels: list[Kernel] = []
    folder = tmp_path / "work"
    folder.mkdir()

    def make(*, present: bool = False, **options: object) -> Shell:
        shell = Shell(folder, FakeHost(tmp_path), MemoryStore())
        kernel = Kernel(shell.store, clock=TestClock())
        kernels.append(kernel)
        options.setdefault("show", lambda picture, name: shell.shown.append(picture))
        shell.session = Session(
            kernel,
            shell.store,
            shell.host,
            cwd=shell.folder,
            out=shell.printed.append,
            err=shell.told.append,
            present=shell.presented.append if present else None,
            **options,
        )  # type: ignore[arg-type]
        return shell

    yield make
    for kernel in kernels:
        assert not kernel.processes, "a pipeline left processes behind"
        kernel.close()


@pytest.fixture
def shell(make_shell: MakeShell) -> Shell:
    return make_shell()
