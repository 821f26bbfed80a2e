"""Small designs for tests: each part valid, so that a test writes only what matters to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from drydock.design.compiler import CompiledDesign, compile_design
from drydock.model.site import SiteDesign

Body = dict[str, Any]


def document(kind: str, name: str, data: Any) -> Body:
    return {"schema": f"drydock/{kind}/v1", "metadata": {"schema": "metadata/Document/v1", "name": name}, "data": data}


def region(**data: Any) -> Body:
    return document("Region", "region", data)


def link(name: str = "pxe", **data: Any) -> Body:
    return document("NetworkLink", name, {"allowed_networks": [name], "trunking": {"mode": "802.1q"}, **data})


#: What rule DD1001 wants of every node.
ROOT: Body = {"physical_devices": {"sda": {"partitions": [{"name": "root", "size": "30g"}]}}}


def network(name: str = "pxe", **data: Any) -> Body:
    return document("Network", name, {"cidr": "10.0.0.0/24", **data})


def hardware(name: str = "server", **data: Any) -> Body:
    return document("HardwareProfile", name, data)


def profile(name: str = "base", **data: Any) -> Body:
    return document("HostProfile", name, data)


def node(name: str = "n1", address: str = "10.0.0.11", **data: Any) -> Body:
    """With a root disk, unless it says what its storage is or inherits from a profile."""
    body = {"hardware_profile": "server", "addressing": [{"network": "pxe", "address": address}], **data}
    if "host_profile" not in data:
        body.setdefault("storage", ROOT)
    return document("BaremetalNode", name, {key: value for key, value in body.items() if value is not None})


def boot_action(name: str = "action", **data: Any) -> Body:
    return document("BootAction", name, {"assets": [], **data})


def dump(*documents: Any) -> bytes:
    return yaml.safe_dump_all(documents, sort_keys=False).encode()


def compiled(*documents: Any) -> CompiledDesign:
    """A site of these documents and the network, link and hardware that the others rely on, unless they are given."""
    given = {item["schema"] for item in documents}
    parts = [part for part in (network(), link(), hardware()) if part["schema"] not in given]
    return compile_design(dump(*parts, *documents))


def site(*documents: Any) -> SiteDesign:
    design = compiled(*documents)
    assert not design.broken, errors(design)
    return design.site


def errors(design: CompiledDesign) -> list[str]:
    return [message.message for message in design.messages if message.error]


def codes(design: CompiledDesign) -> list[str]:
    return [message.code for message in design.messages if message.error]


def warnings(design: CompiledDesign, code: str = "DD000") -> list[str]:
    return [item.message for item in design.messages if item.level == "Warning" and item.code == code]


def names(items: Iterable[Any]) -> list[str]:
    return [item.name for item in items]
