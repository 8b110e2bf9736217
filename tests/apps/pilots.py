"""Players for the games, who look at the program's own numbers and press what people would."""

from __future__ import annotations

from pxos.kernel.devices.keycodes import KEYS

from .playing import Run

ONE = 1 << 16

_TURNS = {(-1, 0): "up", (1, 0): "down", (0, -1): "left", (0, 1): "right"}


def bat_keeper(run: Run) -> None:
    """Breakout: keeps the bat under the ball, now more to its left, now more to its right, and
    serves."""
    if run.process.surface.serial < 3:
        return
    ball = run.number("x") / ONE + 3
    swing = (run.number("score") // 10 * 7) % 21 - 10
    run.point(220, round(ball) + swing)
    if not run.number("flying"):
        run.press(" ")


def apple_seeker(run: Run) -> None:
    """Snake: goes to the apple, round its own body where it is in the way at once."""
    if run.process.surface.serial < 3 or run.number("over"):
        return
    body = [tuple(part) for part in run.value("body").tolist()]
    head, apple = body[0], tuple(run.value("apple")[0].tolist())
    gone = tuple(run.value("went")[0].tolist())

    def free(step: tuple[int, int]) -> bool:
        row, col = head[0] + step[0], head[1] + step[1]
        return 0 <= row < 26 and 0 <= col < 40 and (row, col) not in body

    def away(step: tuple[int, int]) -> int:
        return abs(head[0] + step[0] - apple[0]) + abs(head[1] + step[1] - apple[1])

    steps = [step for step in _TURNS if free(step) and step != (-gone[0], -gone[1])]
    if steps and not run.value("queue").size:
        best = min(steps, key=away)
        if best != gone:
            run.press(KEYS[_TURNS[best]])
