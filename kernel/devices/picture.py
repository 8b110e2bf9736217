"""Port p, pictures in and out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..machine.ports import Message, Wait
from ..pipes import Flow, Given, PictureSink, PictureSource
from .base import NO_PICTURE, Device, PortError, first, picture_of


class Picture(Device):
    """Reads the next picture of input s[0], 0x0 at its end; writes pictures.

    An input that is not connected is at its end; without a sink what is written is dropped.  A
    picture without pixels is not handed on, since it means the end to whoever reads it.
    """

    letter = "p"

    def __init__(
        self, sources: Sequence[PictureSource], sink: PictureSink | None, wake: Callable[[], None]
    ) -> None:
        self._sources = list(sources)
        self._sink = sink
        self._ends_told: set[int] = set()
        for source in self._sources:
            source.attach(wake)
        if sink is not None:
            sink.attach(wake)

    def read(self, selector: Message) -> Message | Wait:
        """The next picture that has pixels."""
        number = first(selector)
        while 0 <= number < len(self._sources):
            picture = self._sources[number].read()
            if picture is Flow.PENDING:
                return Wait("p")
            if picture is Flow.END:
                break
            if picture.size:
                return Message("P", picture)
        self._ends_told.add(number)
        return NO_PICTURE

    def write(self, message: Message, selector: Message) -> Wait | None:
        """Hand the picture on."""
        picture = picture_of(message, "picture output")
        if self._sink is None or not picture.size:
            return None
        given = self._sink.write(picture)
        if given is Given.CLOSED:
            raise PortError("closed pipe", "nobody reads its pictures any more")
        return Wait("p") if given is Given.FULL else None

    def ready(self) -> bool:
        """Whether any input has a picture, or its end that was not read yet."""
        if not self._sources:
            return not self._ends_told
        return any(
            number not in self._ends_told and source.ready()
            for number, source in enumerate(self._sources)
        )

    def close(self) -> None:
        """Close every end."""
        for source in self._sources:
            source.close()
        if self._sink is not None:
            self._sink.close()
