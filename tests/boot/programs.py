"""Small programs for boot tests, assembled from source."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pxos.kernel.machine import program as program_file
from pxos.kernel.machine.program import Program
from pxos.shell.lenses.assembler import assemble

#: Shows 20x30 pixels: their red counts frames, their green is the last key pressed, and the
#: pixel under the pointer is white.  `q` ends it with status 7, `f` makes it divide by zero.
ECHO = """
title "Echo"
ports screen frame keys pointer
size 20x30
pic   : P [20, 30]
n     : I
ks    : I
ms    : I
code  : I
zero  : I
place : I
now   : I
loop {
    now = in(frame)
    n = now[0]
    ks = in(keys)
    for k in 0..height(ks) {
        if ks[k * 4 + 1] == 1 {
            code = ks[k * 4]
            if code == 'q' { halt 7 }
            if code == 'f' { n = 1 // zero }
        }
    }
    ms = in(pointer)
    if height(ms) > 0 { place = ms[(height(ms) - 1) * 4] * 30 + ms[(height(ms) - 1) * 4 + 1] }
    pic = reshape(n % 200 + code % 256 * 256 + 255 * 16777216, [20, 30])
    pic[place] = -1
    out(screen, pic)
}
"""

#: Ends with the code of the first key as its status.
FIRST_KEY = """
title "First key"
ports screen keys
size 8x8
pic : P 8x8 = fill(#204060)
ks  : I
n   : I
out(screen, pic)
n = wait(keys)
ks = in(keys)
halt ks[0]
"""

#: Draws once and ends.
STILL = """
title "Still"
ports screen
size 6x9
pic : P 6x9 = fill(#ff8000)
out(screen, pic)
halt
"""

#: Adds its argument to every byte of each picture.
ADD = """
title "Add"
summary "adds to all bytes"
ports picture arguments
inputs image
arg by int = 1 in 0..9 "how much"
arg loud flag "nothing"
pic : P
by  : I
n   : I
by = in(arguments, 0)
loop {
    pic = in(picture)
    unless height(pic) { halt }
    pic = pic + by
    out(picture, pic)
}
"""

#: One picture of each of two inputs, side by side.
PAIR = """
title "Pair"
ports picture
inputs left right
a : P
b : P
a = in(picture, 0)
b = in(picture, 1)
a = beside(a, b)
out(picture, a)
halt
"""

#: Gives each of its pictures three times.
THRICE = """
title "Thrice"
ports picture
inputs image
pic : P
pic = in(picture)
out(picture, pic)
out(picture, pic)
out(picture, pic)
halt
"""

#: Text in, text out, doubled.
TWICE = """
title "Twice"
ports text
line : T
loop {
    line = in(text)
    unless height(line) { halt 3 }
    out(text, line)
    out(text, line)
}
"""

#: Hands one picture on and then divides by zero.
BREAKS = """
title "Breaks"
ports picture
inputs image
pic : P
n   : I
pic = in(picture)
out(picture, pic)
n = 1 // n
halt
"""

#: Goes on for ever without any port.
FOREVER = """
title "Forever"
loop { }
"""

#: A picture of random words.
NOISE = """
title "Noise"
ports picture random
pic : P
n   : I
n = in(random, [4, 4])
pic = n
out(picture, pic)
halt
"""

#: What a desktop does at least: starts app 0 and shows what it shows, passing keys on.
DESKTOP = """
title "Desk"
ports screen frame keys processes line
size 20x30
pic   : P [20, 30]
shown : P
ks    : I
table : I
pid   : I
now   : I
verb  : I
name  : T
verb = beside('r', 0)
out(processes, name, verb)
loop {
    now = in(frame)
    table = in(processes, 'p')
    if height(table) > 0 {
        pid = table[0]
        verb = beside('s', pid)
        shown = in(processes, verb)
        if height(shown) > 0 { pic = shown }
        ks = in(keys)
        verb = beside('K', pid)
        if height(ks) > 0 { out(processes, ks, verb) }
    }
    out(screen, pic)
}
"""


@cache
def program(source: str) -> Program:
    """The program of a source."""
    return assemble(source)


def write_app(folder: Path, name: str, source: str) -> Path:
    """Write the picture of a program where a store finds it."""
    path = folder / name / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(program_file.save(program(source)))
    return path
