"""DD1001."""

from __future__ import annotations

import pytest

from tests.factories.documents import Body, codes, compiled, errors, node


def disk(*partitions: Body, **groups: list[Body]) -> Body:
    storage: Body = {"physical_devices": {"sda": {"partitions": list(partitions)}}}
    if groups:
        storage["physical_devices"]["sdb"] = {"volume_group": next(iter(groups))}
        storage["volume_groups"] = {name: {"logical_volumes": volumes} for name, volumes in groups.items()}
    return storage


def part(name: str, size: str, mountpoint: str | None = None) -> Body:
    return {"name": name, "size": size} | ({} if mountpoint is None else {"filesystem": {"mountpoint": mountpoint}})


@pytest.mark.parametrize("size", ["20g", "20GB", "20GiB", "1t", ">20g", "> 40gb", "50%", ">10%", "20000m"])
def test_a_root_that_is_large_enough(size: str) -> None:
    assert compiled(node(storage=disk(part("root", size), part("boot", "1g")))).valid


def test_root_and_boot_may_be_named_otherwise_and_be_logical_volumes() -> None:
    volumes = [part("lv1", "20g", "/"), part("lv2", "1g", "/boot")]
    assert compiled(node(storage=disk(part("x", "1g"), system=volumes))).valid


@pytest.mark.parametrize(
    ("parts", "texts"),
    [
        ([part("root", "5g")], ["Root volume must be > 20GB"]),
        ([part("root", "18GiB")], ["Root volume must be > 20GB"]),
        ([part("data", "50g")], ["Root volume has to be set and must be > 20GB"]),
        (
            [part("root", "big")],
            ["Root volume has an invalid size format", "Root volume has to be set and must be > 20GB"],
        ),
        ([part("boot", "1m"), part("root", "20g")], ["Boot volume must be > 1GB"]),
        ([part("root", "20g"), part("boot", "x")], ["Boot volume has an invalid size format"]),
    ],
)
def test_others(parts: list[Body], texts: list[str]) -> None:
    design = compiled(node(storage=disk(*parts)))
    assert codes(design) == ["DD1001"] * len(texts)
    assert errors(design) == [f"Rational Boot Storage: {text} on BaremetalNode n1" for text in texts]


def test_what_nodes_have_in_common_is_one_error_that_names_them() -> None:
    layout = disk(part("data", "50g"))
    design = compiled(node("n1", storage=layout), node("n2", "10.0.0.12", storage=layout))
    (found,) = [message for message in design.messages if message.error]
    assert found.message.endswith("on BaremetalNode n1 and n2")
    assert [document.name for document in found.documents] == ["n1", "n2"]
