"""DD4002 (Valid Libvirt Configuration): a node has all parameters needed to control its virtual machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from drydock.design.rules.base import NODE, Finding
from drydock.model.message import Level
from drydock.model.node import Node
from drydock.model.site import SiteDesign

_SCHEMES = ("qemu+ssh", "qemu+tls")


class LibvirtConfiguration:
    code: ClassVar[str] = "DD4002"
    name: ClassVar[str] = "libvirt-configuration"
    long_name: ClassVar[str] = "Valid Libvirt Configuration"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        for node in site.nodes.values():
            if node.oob_type == "libvirt":
                yield from _check(node)


def _check(node: Node) -> Iterator[Finding]:
    uri = node.oob_parameters.get("libvirt_uri")
    if not uri:
        yield Finding(Level.ERROR, f"OOB parameter libvirt_uri missing for Libvirt node {NODE}.", node=node.name)
    elif not uri.startswith(_SCHEMES):
        # The text does not show the URI, which may hold a password.
        yield Finding(
            Level.ERROR, f"OOB libvirt_uri of node {NODE} must use scheme {' or '.join(_SCHEMES)}.", node=node.name
        )
    if not node.boot_mac:
        yield Finding(Level.ERROR, f"libvirt node {NODE} must have a boot_mac.", node=node.name)
