"""Run pxOS: ``python -m pxos``."""

from .boot.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
