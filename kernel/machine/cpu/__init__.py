"""The CPU executor: one module a family of instructions, in NumPy."""
