"""`--update-golden` rewrites the golden pictures that changed and prints their names."""

from __future__ import annotations

import pytest

GOLDEN = "golden picture"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite the golden pictures of apps that look different now",
    )


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether to rewrite golden pictures instead of comparing with them."""
    # Without a path on the command line this file is read after the options were.
    return bool(request.config.getoption("--update-golden", default=False))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The names of what was rewritten."""
    names = [
        value
        for report in terminalreporter.stats.get("passed", [])
        for key, value in report.user_properties
        if key == GOLDEN
    ]
    for name in sorted(names):
        terminalreporter.write_line(f"rewrote {name}")
