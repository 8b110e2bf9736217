"""Networks as pictures: quantising, describing, emitting, and checking against NumPy."""
