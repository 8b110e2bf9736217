"""Text of programs and files on its way to a terminal."""

from __future__ import annotations

#: For ``str.translate``: control characters as characters that show them.  A program, or the
#: name of a file, must not command the user's terminal.
HARMLESS = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"}
HARMLESS |= dict.fromkeys(range(127, 160), 0xFFFD)
