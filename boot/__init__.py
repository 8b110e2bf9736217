"""The only wiring: command line, window, terminal view."""
