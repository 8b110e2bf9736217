"""Recording what a program got from its ports, and running it again from the record.

Port answers are all that is not decided by the picture alone.  So a program's picture and a
log of its answers, each with the number of instructions done before it, give the same run
again: on another machine, under a debugger, on another executor.  The kernel itself relies on it
when a process loses the device it ran on (``placed``): a log of the answers since its last safe
point, replayed on the CPU, and from the log's end on the ports themselves.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from .machine.memory import Memory
from .machine.ports import Message, Ports, Refused, Wait

_FORMAT = "pxOS replay 1"
#: Bytes of the largest log that is read, unpacked.
MAX_LOG_BYTES = 1 << 30


class ReplayError(ValueError):
    """A log is no log, or the program did something else than when it was recorded."""


class ReplayLog:
    """Answers by (instructions done, port letter): what was read, which ports were ready, which
    were refused, and a digest of what was written ("": none was taken).

    ``last``: instructions done before the last answer, -1 if there is none.  ``bytes``: of the
    messages that were read.
    """

    def __init__(self) -> None:
        self.reads: dict[tuple[int, str], Message] = {}
        self.writes: dict[tuple[int, str], str] = {}
        self.ready: set[tuple[int, str]] = set()
        self.refused: set[tuple[int, str]] = set()
        self.last = -1
        self.bytes = 0

    def to_bytes(self) -> bytes:
        """The log as compressed JSON."""
        plain = {
            "format": _FORMAT,
            "reads": [
                [
                    done,
                    letter,
                    message.kind,
                    list(message.data.shape),
                    base64.b64encode(np.ascontiguousarray(message.data).tobytes()).decode(),
                ]
                for (done, letter), message in self.reads.items()
            ],
            "writes": [[done, letter, digest] for (done, letter), digest in self.writes.items()],
            "ready": sorted(map(list, self.ready)),
            "refused": sorted(map(list, self.refused)),
        }
        return zlib.compress(json.dumps(plain, separators=(",", ":")).encode())

    @classmethod
    def from_bytes(cls, data: bytes) -> ReplayLog:
        """Read a log; raises ReplayError for anything else."""
        unpack = zlib.decompressobj()
        try:
            plain: Any = json.loads(unpack.decompress(data, MAX_LOG_BYTES))
            if not unpack.eof or plain["format"] != _FORMAT:
                raise ReplayError("this is no replay log of a kind known here: record it again")
            log = cls()
            for done, letter, kind, shape, coded in plain["reads"]:
                dtype = np.int32 if kind in "IX" else np.uint8
                array = np.frombuffer(base64.b64decode(coded, validate=True), dtype)
                log.reads[int(done), str(letter)] = Message(str(kind), array.reshape(shape))
            for done, letter, digest in plain["writes"]:
                log.writes[int(done), str(letter)] = str(digest)
            log.ready = {(int(done), str(letter)) for done, letter in plain["ready"]}
            log.refused = {(int(done), str(letter)) for done, letter in plain["refused"]}
            known = (log.reads, log.writes, log.ready, log.refused)
            log.last = max((done for answers in known for done, _ in answers), default=-1)
            log.bytes = sum(message.data.nbytes for message in log.reads.values())
        except (zlib.error, KeyError, TypeError, ValueError, RecursionError) as error:
            if isinstance(error, ReplayError):
                raise
            raise ReplayError(f"this is no replay log, or a damaged one ({error})") from error
        return log


class RecordingPorts:
    """Hands everything on to other ports and notes the answers in ``log``.

    ``digests``: whether what is written is digested, so that a replay notices a difference.
    """

    def __init__(
        self, ports: Ports, memory: Memory, log: ReplayLog, *, digests: bool = True
    ) -> None:
        self._ports = ports
        self._memory = memory
        self._log = log
        self._digests = digests

    def read(self, letter: str, selector: Message) -> Message | Wait | Refused:
        """Read and note."""
        log = self._log
        done = self._memory.get64("done")
        answer = self._ports.read(letter, selector)
        if isinstance(answer, Message):
            log.reads[done, letter] = Message(answer.kind, answer.data.copy())
            log.last = done
            log.bytes += answer.data.nbytes
        elif isinstance(answer, Refused):
            log.refused.add((done, letter))
            log.last = done
        return answer

    def write(self, letter: str, message: Message, selector: Message) -> Wait | Refused | None:
        """Write and note."""
        log = self._log
        at = self._memory.get64("done"), letter
        digest = _digest(message, selector) if self._digests else ""
        answer = self._ports.write(letter, message, selector)
        if answer is None:
            log.writes[at] = digest
            log.last = at[0]
        elif isinstance(answer, Refused):
            log.refused.add(at)
            log.last = at[0]
        return answer

    def ready(self, letter: str) -> bool | Refused:
        """Ask and note."""
        log = self._log
        at = self._memory.get64("done"), letter
        answer = self._ports.ready(letter)
        if isinstance(answer, Refused):
            log.refused.add(at)
            log.last = at[0]
        elif answer:
            log.ready.add(at)
            log.last = at[0]
        return answer


class ReplayPorts:
    """Answers from a log.  What is written is kept in ``written`` and compared with the record.

    ``then``: the ports that are asked from the log's end on; what was written is not kept then,
    since it was written.  None: the program waits there.  Raises ReplayError from within the
    executor when the program asks for what was not recorded.
    """

    def __init__(self, log: ReplayLog, memory: Memory, then: Ports | None = None) -> None:
        self._log = log
        self._memory = memory
        self._then = then
        self.written: list[tuple[str, Message]] = []

    def read(self, letter: str, selector: Message) -> Message | Wait | Refused:
        """The answer that was recorded at this instruction."""
        done = self._memory.get64("done")
        if done > self._log.last:
            return Wait(letter) if self._then is None else self._then.read(letter, selector)
        answer = self._log.reads.get((done, letter))
        if answer is None:
            if (done, letter) in self._log.refused:
                return Refused(letter)
            raise ReplayError(f"after {done} instructions nothing was read from port {letter}")
        if letter == "r":
            self._memory.set("random", self._memory.get("random") + answer.data.size)
        return answer

    def write(self, letter: str, message: Message, selector: Message) -> Wait | Refused | None:
        """Take what is the same as what was recorded."""
        done = self._memory.get64("done")
        if done > self._log.last:
            if self._then is None:
                return Wait(letter)
            return self._then.write(letter, message, selector)
        digest = self._log.writes.get((done, letter))
        if digest is None:
            if (done, letter) in self._log.refused:
                return Refused(letter)
            raise ReplayError(f"after {done} instructions nothing was written to port {letter}")
        if digest and digest != _digest(message, selector):
            raise ReplayError(f"after {done} instructions something else was written to {letter}")
        if self._then is None:
            self.written.append((letter, message))
        return None

    def ready(self, letter: str) -> bool | Refused:
        """Whether it was ready at this instruction."""
        at = self._memory.get64("done"), letter
        if at[0] > self._log.last:
            return False if self._then is None else self._then.ready(letter)
        return Refused(letter) if at in self._log.refused else at in self._log.ready


def recording(
    log: ReplayLog, make_executor: Callable[[Memory, Ports], Any]
) -> Callable[[Memory, Ports], Any]:
    """An executor maker for ``Kernel.spawn`` whose process is recorded in ``log``."""

    def make(memory: Memory, ports: Ports) -> Any:
        return make_executor(memory, RecordingPorts(ports, memory, log))

    return make


def _digest(message: Message, selector: Message) -> str:
    found = hashlib.sha256()
    for part in (message, selector):
        found.update(f"{part.kind}{part.data.shape}".encode())
        found.update(np.ascontiguousarray(part.data).tobytes())
    return found.hexdigest()
