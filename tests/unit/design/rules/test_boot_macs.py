"""DD5020."""

from __future__ import annotations

import pytest

from tests.factories.documents import codes, compiled, node, warnings

MAC = "52:54:00:ab:cd:ef"


@pytest.mark.parametrize("other", ["52-54-00-AB-CD-EF", "5254.00ab.cdef", "525400abcdef", "52:54:00:AB:CD:EF", MAC])
def test_two_nodes_with_one_mac_in_two_spellings(other: str) -> None:
    design = compiled(node("n1", metadata={"boot_mac": MAC}), node("n2", "10.0.0.12", metadata={"boot_mac": other}))
    (found,) = [message for message in design.messages if message.error]
    assert (found.code, [document.name for document in found.documents]) == ("DD5020", ["n1", "n2"])
    assert "is that of n1 and of n2" in found.message


def test_each_its_own() -> None:
    design = compiled(
        node("n1", metadata={"boot_mac": MAC}), node("n2", "10.0.0.12", metadata={"boot_mac": MAC[:-1] + "e"})
    )
    assert (codes(design), warnings(design, "DD5020")) == ([], [])


def test_what_is_no_mac_is_a_warning() -> None:
    design = compiled(
        node(metadata={"boot_mac": "52:54:00"}), node("n2", "10.0.0.12", metadata={"boot_mac": "52:54:00"})
    )
    assert codes(design) == []
    assert len(warnings(design, "DD5020")) == 2
