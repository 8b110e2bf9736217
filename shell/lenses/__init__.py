"""Lenses on the pixels: assembler and disassembler."""
