"""The assembler: from ``.pxa`` source to a program picture."""
