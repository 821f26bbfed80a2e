"""DD2004, Storage Mountpoint."""

from __future__ import annotations

from tests.factories.documents import ROOT, Body, codes, compiled, errors, node


def mounted(*mountpoints: str) -> list[Body]:
    return [
        {"name": f"p{number}", "size": "1g", "filesystem": {"mountpoint": mountpoint}}
        for number, mountpoint in enumerate(mountpoints)
    ]


def storage(partitions: list[Body], volumes: list[Body]) -> Body:
    devices = {**ROOT["physical_devices"], "sdb": {"partitions": partitions}, "sdc": {"volume_group": "a"}}
    return {"physical_devices": devices, "volume_groups": {"a": {"logical_volumes": volumes}}}


def test_each_its_own() -> None:
    assert compiled(node(storage=storage(mounted("/a", "none", "none"), mounted("/b")))).valid


def test_every_repetition_is_told() -> None:
    design = compiled(node(storage=storage(mounted("/a", "/b", "/a"), mounted("/b"))))
    assert codes(design) == ["DD2004", "DD2004"]
    assert errors(design) == [
        f'Storage Mountpoint: Mountpoint "{mountpoint}" already exists on BaremetalNode n1'
        for mountpoint in ("/a", "/b")
    ]
