"""DD2003, Storage Sizing."""

from __future__ import annotations

import pytest

from tests.factories.documents import ROOT, Body, codes, compiled, errors, node, warnings


def storage(*sizes: str | None, volumes: tuple[str, ...] = ()) -> Body:
    def entries(found: tuple[str | None, ...]) -> list[Body]:
        return [{"name": f"p{i}"} | ({"size": size} if size else {}) for i, size in enumerate(found)]

    devices = {**ROOT["physical_devices"], "sdb": {"partitions": entries(sizes)}, "sdc": {"volume_group": "a"}}
    return {"physical_devices": devices, "volume_groups": {"a": {"logical_volumes": entries(volumes)}}}


@pytest.mark.parametrize("sizes", [("99%",), ("49%", "50%"), ("10g", "90%", ">1g"), ("1Gi", "5TB", "7mib")])
def test_what_fits(sizes: tuple[str, ...]) -> None:
    design = compiled(node(storage=storage(*sizes, volumes=("99%",))))
    assert design.valid
    assert warnings(design, "DD2003") == []


@pytest.mark.parametrize(
    ("sizes", "volumes", "text"),
    [
        (("60%", "60%", "1g"), (), "The sizes in per cent add up to 120, more than 99, in storage device sdb"),
        (("1g",), ("50%", "50%"), "The sizes in per cent add up to 100, more than 99, in volume group a"),
        (("-5g",), (), "Negative size -5g for partition p0 in storage device sdb"),
        ((None,), (), "No size is given for partition p0 in storage device sdb"),
    ],
)
def test_what_does_not(sizes: tuple[str, ...], volumes: tuple[str, ...], text: str) -> None:
    design = compiled(node(storage=storage(*sizes, volumes=volumes)))
    assert codes(design) == ["DD2003"]
    assert errors(design) == [f"Storage Sizing: {text} on BaremetalNode n1"]


@pytest.mark.parametrize("size", ["20b", "lots", "1.5g", "%", ">"])
def test_what_is_not_understood_is_a_warning(size: str) -> None:
    design = compiled(node(storage=storage(size)))
    assert design.valid
    assert len(warnings(design, "DD2003")) == 1
