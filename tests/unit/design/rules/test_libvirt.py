"""DD4002, Valid Libvirt Configuration."""

from __future__ import annotations

import pytest

from tests.factories.documents import Body, codes, compiled, errors, node

OOB = {"type": "libvirt", "libvirt_uri": "qemu+ssh://user@10.0.0.1/system"}
MAC = {"boot_mac": "52:54:00:00:00:0a"}


def test_complete() -> None:
    assert compiled(node(oob=OOB, metadata=MAC)).valid


@pytest.mark.parametrize(
    ("oob", "metadata", "text"),
    [
        ({"type": "libvirt"}, MAC, "OOB parameter libvirt_uri missing for Libvirt node n1."),
        (
            {**OOB, "libvirt_uri": "qemu+tcp://root:pa55@h/system"},
            MAC,
            "OOB libvirt_uri of node n1 must use scheme qemu+ssh or qemu+tls.",
        ),
        (OOB, {}, "libvirt node n1 must have a boot_mac."),
    ],
)
def test_incomplete(oob: Body, metadata: Body, text: str) -> None:
    design = compiled(node(oob=oob, metadata=metadata))
    assert codes(design) == ["DD4002"]
    assert errors(design) == [f"Valid Libvirt Configuration: {text}"]
