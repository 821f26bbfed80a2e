"""DD2002, Storage Partitioning."""

from __future__ import annotations

from tests.factories.documents import ROOT, Body, compiled, errors, node, warnings


def storage(devices: Body, **groups: Body) -> Body:
    return {"physical_devices": {**ROOT["physical_devices"], **devices}, "volume_groups": groups}


def test_disks_and_partitions_in_groups() -> None:
    parts = {"sdb": {"volume_group": "a"}, "sdc": {"partitions": [{"name": "p", "size": "9g", "volume_group": "b"}]}}
    assert compiled(node(storage=storage(parts, a={}, b={}))).valid


def test_faults() -> None:
    both = {"name": "p", "size": "9g", "volume_group": "b", "filesystem": {"mountpoint": "/x"}}
    design = compiled(node(storage=storage({"sdb": {}, "sdc": {"partitions": [both]}}, lost={}, b={})))
    assert errors(design) == [
        f"Storage Partitioning: {text} on BaremetalNode n1"
        for text in (
            "Either a volume group or partitions must be specified for storage device sdb",
            "Both a volume group and a filesystem are specified for partition p of sdc",
            "Volume group lost not assigned any physical volumes",
        )
    ]


def test_the_groups_of_another_node_do_not_help() -> None:
    design = compiled(
        node("n1", storage=storage({"sdb": {"volume_group": "a"}}, a={})),
        node("n2", "10.0.0.12", storage=storage({}, a={})),
    )
    (found,) = [message for message in design.messages if message.error]
    assert (found.code, found.rule, found.documents[0].name) == ("DD2002", "storage-partitioning", "n2")


def test_a_group_nobody_describes_is_a_warning() -> None:
    design = compiled(node(storage=storage({"sdb": {"volume_group": "a"}})))
    assert design.valid
    assert len(warnings(design, "DD2002")) == 1
