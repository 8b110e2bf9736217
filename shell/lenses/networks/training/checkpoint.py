"""A training run as bytes, so that it can go on elsewhere or later: a NumPy archive.

``about`` is JSON (UTF-8, as bytes); every other entry is ``group/name``, float32.  Nothing in it is
executed when it is read.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from .packages import TrainingError

#: Counts up when the content changes.
VERSION = 1
_ZIP = b"PK"
_DAMAGED = (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile, zlib.error)

Groups = Mapping[str, Mapping[str, np.ndarray]]


def pack(about: Mapping[str, Any], groups: Groups) -> bytes:
    """One archive; equal contents give equal bytes."""
    text = json.dumps({"version": VERSION, **about}, sort_keys=True).encode()
    arrays: dict[str, Any] = {"about": np.frombuffer(text, np.uint8)}
    for group, members in groups.items():
        for name, array in members.items():
            arrays[f"{group}/{name}"] = np.ascontiguousarray(array)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def unpack(data: bytes, what: str) -> tuple[dict[str, Any], dict[str, dict[str, np.ndarray]]]:
    """``about`` and the groups.  ``what`` is meant to be read: "checkpoint", "file of weights".

    Raises TrainingError for what is damaged, foreign, or of another version.
    """
    if not data.startswith(_ZIP):  # of which NumPy would say how to trust it as a pickle
        found = "it is no NumPy archive" if data else "it is empty"
        raise _damaged(what, found)
    groups: dict[str, dict[str, np.ndarray]] = {}
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            about = json.loads(archive["about"].tobytes())
            for entry in archive.files:
                group, _, name = entry.partition("/")
                if name:
                    groups.setdefault(group, {})[name] = archive[entry]
        version = about.pop("version")
    except (*_DAMAGED, AttributeError, TypeError) as error:
        raise _damaged(what, error) from error
    if version != VERSION:
        raise TrainingError(
            f"a {what} of version {version}, this pxOS reads {VERSION}",
            "use the pxOS that wrote it",
        )
    return about, groups


def _damaged(what: str, why: object) -> TrainingError:
    return TrainingError(
        f"this is no {what}, or it is damaged ({why})", "take another, or begin anew"
    )
