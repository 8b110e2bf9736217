"""Small sources, each wrong in its own way or made to be stopped from outside."""

from __future__ import annotations

#: Never ends and never waits.
RUNAWAY = 'title "Runaway"\nloop { }\n'
#: Doubles a matrix until there is no room.
GROWING = 'title "Growing"\na : I = [1]\nloop { a = beside(a, a) }\n'
#: Adds what cannot be added.
UNFIT = 'title "Unfit"\na : I 2x3\nb : I 3x2\nc : I\nc = a + b\nhalt\n'
#: Pictures without end.
ENDLESS = """
title "Endless"
ports picture
p : P 100x100 = fill(#3fb27f)
loop { out(picture, p) }
"""
#: Text without end.
FLOOD = """
title "Flood"
ports text
t : T = "water water water water water "
loop { out(text, t) }
"""
#: Hands on one picture and then divides by zero.
BREAKS = """
title "Breaks"
ports picture
inputs image
p : P
n : I
p = in(picture)
out(picture, p)
n = 1 // n
halt
"""
#: Reads the file its argument names, as text.
READER = """
title "Reader"
ports files text arguments
arg name text "what to read"
name : T
data : T
name = in(arguments, 0)
data = in(files, name)
out(text, data)
halt
"""
#: Writes to the file its argument names.
WRITER = """
title "Writer"
ports files arguments
arg name text "what to write"
name : T
data : T = "written"
name = in(arguments, 0)
out(files, data, name)
halt
"""
#: Starts children for as long as it can, then says how many there are.
FORKS = """
title "Forks"
ports processes text
verb : I
none : T
table : I
n : I
verb = beside('r', 0)
for n in 0..400 { out(processes, none, verb) }
table = in(processes, 'p')
n = height(table)
halt n
"""
#: Asks for everything there is, and uses one thing of it.
GREEDY = """
title "Greedy"
ports files line processes text
t : T
t = in({port}, {selector})
halt
"""
#: Shows a picture and then divides by zero.
CRASHES = """
title "Crashes"
ports screen frame
size 200x400
p : P 200x400 = fill(#3fb27f)
z : I
now : I
out(screen, p)
now = in(frame)
now = in(frame)
z = 1 // z
halt
"""
#: Draws a screen and then spins without ever waiting.
SPINS = """
title "Spins"
ports screen frame
size 20x20
p : P 20x20 = fill(#ff8000)
out(screen, p)
loop { }
"""
#: Gives text that would command a terminal: a title, a colour, a copy to the clipboard.
COMMANDS = """
title "Commands"
ports text
t : T = "\\x1b]0;owned\\x07\\x1b[31mred\\x1b]52;c;AAAA\\x07"
out(text, t)
halt
"""
