"""A picture that ``pxos train`` made, taken apart to be made anew by today's builder."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from .errors import BootError

if TYPE_CHECKING:
    from ..shell.lenses.networks import Network

_SIGNATURE = b"\x89PNG"


def is_picture(data: bytes) -> bool:
    """Whether a file of weights is a picture."""
    return data.startswith(_SIGNATURE)


def take_over(data: bytes, options: Namespace) -> Network:
    """The network of a picture; what ``options`` do not say of the program is what it said of
    itself.  Raises BootError."""
    from ..kernel.apps import icon_of
    from ..kernel.machine import png, program
    from ..shell.lenses.networks.readback import ReadbackError, read_network

    try:
        made = program.load(data)
        network = read_network(made)
    except (program.ProgramError, ReadbackError) as error:
        raise BootError(
            f"its network cannot be read: {error}",
            str(options.weights),
            "give a picture that pxos train made, or weights that it kept",
        ) from error
    for name in ("title", "summary", "author", "licence"):
        setattr(options, name, getattr(options, name) or getattr(made.meta, name))
    icon = icon_of(made)
    if not options.icon and icon.size:
        options.icon = png.encode(icon)
    return network
