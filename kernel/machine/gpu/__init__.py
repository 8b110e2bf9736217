"""The GPU executor: the picture's instructions as WebGPU compute shaders; see ``executor``."""
