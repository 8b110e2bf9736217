"""The shell: command language and console."""
