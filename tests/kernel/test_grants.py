from __future__ import annotations

import pytest

from pxos.kernel.grants import GrantError, Grants, port_letters
from pxos.kernel.machine.meta import Meta

ASKS = Meta(ports=("screen", "keys", "files", "line", "processes", "unheard of"))


def test_harmless_ports_only_when_asked_for() -> None:
    assert Grants.of(ASKS).ports == set("sk")
    assert Grants.of(Meta()).ports == set()


def test_others_only_when_allowed_and_asked_for() -> None:
    assert Grants.of(ASKS, ["files"]).ports == set("skf")
    assert Grants.of(Meta(ports=("screen",)), ["files", "line"]).ports == set("s")


def test_the_folder_comes_with_port_f() -> None:
    folder = object()
    assert Grants.of(ASKS, "f", folder=folder).folder is folder  # type: ignore[arg-type]
    assert Grants.of(ASKS, folder=folder).folder is None  # type: ignore[arg-type]


def test_children_get_no_more_than_parent_and_harmless_ones() -> None:
    desktop = Grants.of(Meta(ports=("screen", "processes")), "xl", child_ports="l")
    assert desktop.ports == set("sxl")
    child = desktop.for_child(ASKS)
    assert child.ports == set("skl")
    assert child.for_child(ASKS).ports == set("skl")
    assert Grants.of(ASKS, "xl").for_child(ASKS).ports == set("sk")
    assert Grants.of(ASKS, "x", child_ports="l").for_child(ASKS).ports == set("sk")


def test_a_child_that_may_not_start_programs_passes_nothing_on() -> None:
    desktop = Grants.of(Meta(ports=("processes",)), "xlf", child_ports="lf")
    plain = desktop.for_child(Meta(ports=("screen",)))
    assert plain.child_ports == set()


def test_unknown_ports_are_the_callers_mistake() -> None:
    with pytest.raises(GrantError, match="printer"):
        port_letters(["printer"])
