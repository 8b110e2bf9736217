"""pxOS: a pixel operating system.  Programs are PNG pictures; one instruction is one pixel."""

__version__ = "0.1.0"
