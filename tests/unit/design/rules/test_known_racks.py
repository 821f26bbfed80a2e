"""DD5007."""

from __future__ import annotations

from tests.factories.documents import compiled, document, node, warnings

RACK = document("Rack", "r1", {})


def standing(name: str, address: str, rack: str) -> dict[str, object]:
    return node(name, address, metadata={"rack": rack})


def test_described_or_mere_labels() -> None:
    assert warnings(compiled(RACK, standing("n1", "10.0.0.1", "r1"), node("n2")), "DD5007") == []
    assert warnings(compiled(standing("n1", "10.0.0.1", "r2")), "DD5007") == []


def test_not_described() -> None:
    design = compiled(RACK, standing("n1", "10.0.0.1", "r2"), standing("n2", "10.0.0.2", "r2"))
    assert design.valid
    assert warnings(design, "DD5007") == [
        "Known Racks: Rack r2 of n1 and 1 more is not described by any Rack document."
    ]
