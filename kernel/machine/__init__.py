"""The pixel machine: the instruction table and everything that runs it."""
