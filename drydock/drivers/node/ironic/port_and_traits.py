"""What Ironic keeps beside a node: the port of the NIC that it boots from, and its traits. Ours go, others stay."""

from __future__ import annotations

from collections.abc import Collection

from drydock.drivers.node.ironic import access, states
from drydock.drivers.node.ironic.connector import Conflict, IronicConnector
from drydock.drivers.node.ironic.nodes import IronicNode
from drydock.drivers.node.records import ProvisionedNode
from drydock.errors import DriverRefused


class PortAndTraits:
    def __init__(self, connector: IronicConnector) -> None:
        self._connector = connector

    def see_to_port(self, wanted: ProvisionedNode, seen: IronicNode) -> None:
        """Where the record names the MAC, its port is there, but for a node whose creation was cut short."""
        record = access.port_record(wanted)
        recorded = record.items() <= seen.extra.items()
        cut_short = seen.state == states.ENROLL and seen.last_error is None
        if not record or (recorded and not cut_short):
            return
        self.add_port(wanted, seen.uuid)
        if recorded:
            return
        self._remove_former_ports(wanted, seen.uuid)
        for name, value in record.items():
            self._connector.patch(("nodes", seen.uuid), [{"op": "add", "path": f"/extra/{name}", "value": value}])

    def _remove_former_ports(self, wanted: ProvisionedNode, uuid: str) -> None:
        """Of other MACs, and only those that we added: others are an operator's, or of NICs that inspection found."""
        kept = access.port_record(wanted)[access.PORT]
        for port in self._connector.members("ports", node=uuid, fields="uuid,address,extra"):
            if port["address"] != kept and (port.get("extra") or {}).get(access.ENROLLED) == wanted.name:
                self._connector.request("DELETE", ("ports", port["uuid"]))

    def set_traits(self, wanted: ProvisionedNode, uuid: str, known: Collection[str], ours: frozenset[str]) -> None:
        """``ours``: traits that are recorded as added by us. What we add is recorded before, and what we remove is
        forgotten after: a call that is cut short in between leaves none that is never removed.
        """
        traits, there = frozenset(access.traits(wanted)), frozenset(known)
        added, gone = traits - there, ours - traits
        if not added <= ours:
            self._record_traits(uuid, ours | added)
        if added or gone & there:
            self._connector.put_repeatedly(("nodes", uuid, "traits"), {"traits": sorted((there - gone) | traits)})
        if gone:
            self._record_traits(uuid, (ours | added) - gone)

    def _record_traits(self, uuid: str, ours: frozenset[str]) -> None:
        value = {"op": "add", "path": f"/extra/{access.TRAITS}", "value": sorted(ours)}
        self._connector.patch(("nodes", uuid), [value])

    def add_port(self, wanted: ProvisionedNode, uuid: str) -> None:
        if wanted.boot_mac is None:
            return
        mac = wanted.boot_mac.lower()
        try:
            document = {"node_uuid": uuid, "address": mac, "pxe_enabled": True, "extra": {access.ENROLLED: wanted.name}}
            self._connector.post(("ports",), document)
        except Conflict:
            found = self._connector.members("ports", address=mac, fields="node_uuid")
            if not found:  # the node is locked
                raise
            # On this node it is of a call that was cut short, or found by inspection.
            others = [row["node_uuid"] for row in found if row["node_uuid"] != uuid]
            if others:
                raise DriverRefused(
                    f"{wanted.name}: Ironic has the MAC address {mac} on another node, {others[0]}; remove "
                    "that port, or correct the design"
                ) from None
