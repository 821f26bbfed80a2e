"""Enrolling a machine and making it ready: what is to be done next, from the state that Ironic shows.

Each function does at most what one state needs, and is called again while it answers pending. What Ironic refuses is
raised, and becomes the node's answer in ``requests``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from drydock.drivers.node.ironic import access, bmc_record, states
from drydock.drivers.node.ironic.bmc_record import AccessChange
from drydock.drivers.node.ironic.connector import BadRequest, IronicConnector
from drydock.drivers.node.ironic.nodes import ENROLMENT_FIELDS, POWER_FAULT, IronicNode
from drydock.drivers.node.ironic.port_and_traits import PortAndTraits
from drydock.drivers.node.ironic.settings import IronicSettings
from drydock.drivers.node.records import ProvisionedNode
from drydock.drivers.oob.base import BmcAccess
from drydock.drivers.progress import Progress, failed, pending, succeeded
from drydock.errors import DriverRefused

SOON = 2.0
ACCESS = "the access to its BMC that the design has"
FRESH = timedelta(seconds=60)
"""A failure that is older than this is of an attempt that has been reported: the verb tries again."""


class Enrolment:
    def __init__(self, connector: IronicConnector, settings: IronicSettings) -> None:
        self._connector = connector
        self._settings = settings
        self._attached = PortAndTraits(connector)

    # -- enroll

    def enroll(self, wanted: ProvisionedNode, seen: IronicNode | None) -> Progress:
        bmc = wanted.bmc
        if bmc is None or bmc.type not in self._settings.hardware_types:
            kind = None if bmc is None else bmc.type
            return failed(f"the option hardware_types of [ironic] has no hardware type for the BMC type {kind}")
        if seen is None:
            return self._adopt(wanted) or self._create(wanted)
        change = self._access_change(bmc, seen)
        if change is not None and seen.state in bmc_record.UNCHANGEABLE:
            return pending(f"{wanted.name}: {states.doing(seen.state)}; then it is sent {ACCESS}", look_in=SOON)
        if change is not None and change.driver is not None and bmc_record.driver_stays(seen, self._settings):
            return failed(
                f"{wanted.name}: Ironic has it with the hardware type {seen.driver}, the design's BMC type wants "
                f"{change.driver}, and Ironic changes interfaces only of nodes that are {states.MANAGEABLE} or "
                f"{states.AVAILABLE}, or in maintenance; it is {seen.state}"
            )
        if change is not None:
            self._send(wanted, seen, change)
        return self._enrolled(wanted, seen, sent=change is not None)

    def _enrolled(self, wanted: ProvisionedNode, seen: IronicNode, *, sent: bool) -> Progress:
        """``sent``: whether Ironic was sent the access to the BMC just now."""
        new = f"; it was sent {ACCESS}" if sent else ""
        if _occupied(seen):
            return succeeded(f"Ironic knows it: {seen.state}{new}")
        if seen.maintenance is not None:
            ends = "; Ironic ends that itself when the BMC answers" if seen.fault == POWER_FAULT else ""
            return pending(f"{seen.in_maintenance}{new}{ends}")
        if seen.state in states.PASSING:
            return pending(f"{wanted.name}: {states.doing(seen.state)}{new}", look_in=SOON)
        self._update(wanted, seen)
        if seen.state == states.ENROLL:
            return self._manage(wanted, seen, sent=sent)
        return succeeded(f"Ironic knows it: {seen.state}{new}")

    def _access_change(self, bmc: BmcAccess, seen: IronicNode) -> AccessChange | None:
        """None also of what others have installed under our name."""
        if _occupied(seen) and not ({access.ENROLLED, access.BMC} & seen.extra.keys()):
            return None
        retried = seen.state == states.ENROLL and seen.last_error is not None and not self._fresh_failure(seen)
        return bmc_record.change(bmc, seen, self._settings, again=retried)

    def _send(self, wanted: ProvisionedNode, seen: IronicNode, change: AccessChange) -> None:
        """Raises ``DriverRefused``, with Ironic's message about the hardware type."""
        if change.driver is None:
            self._connector.patch(("nodes", seen.uuid), change.patch)
            return
        try:
            # Interfaces of the former type, which the new one may not have, become its own.
            self._connector.request("PATCH", ("nodes", seen.uuid), change.patch, {"reset_interfaces": "true"})
        except BadRequest as exc:
            raise DriverRefused(
                f"Ironic does not take the hardware type {change.driver} in place of {seen.driver}: {exc.message}"
            ) from None

    def _adopt(self, wanted: ProvisionedNode) -> Progress | None:
        """A node that Ironic has by the MAC of our machine gets our name. None if there is none."""
        if wanted.boot_mac is None:
            return None
        ports = self._connector.members("ports", address=wanted.boot_mac.lower(), fields="node_uuid")
        if not ports:
            return None
        row = self._connector.get("nodes", ports[0]["node_uuid"], fields=",".join(ENROLMENT_FIELDS))
        found = IronicNode.from_row(row)
        if found.instance is not None or found.state in states.INSTALLED:
            return failed(
                f"the NIC {wanted.boot_mac} is of Ironic's node {found.name or found.uuid}, which is {found.state}: "
                "release it there first"
            )
        other = found.extra.get(access.ENROLLED)
        if other is not None:
            return failed(
                f"the NIC {wanted.boot_mac} is of Ironic's node {found.name}, enrolled as {other} of a design"
            )
        extra = {access.ENROLLED: wanted.name, **access.port_record(wanted)}
        self._connector.patch(
            ("nodes", found.uuid),
            [
                {"op": "add", "path": "/name", "value": wanted.name},
                *({"op": "add", "path": f"/extra/{name}", "value": value} for name, value in extra.items()),
            ],
        )
        return pending(f"{wanted.name}: was known to Ironic as {found.name or found.uuid}; renamed", look_in=SOON)

    def _create(self, wanted: ProvisionedNode) -> Progress:
        """Names are unique in Ironic: a second request for one is refused, whichever worker makes it."""
        assert wanted.bmc is not None
        sent = bmc_record.record(wanted.bmc, self._settings)
        document = access.new_node(wanted, wanted.bmc, self._settings, sent)
        made = self._connector.post(("nodes",), document)
        self._attached.add_port(wanted, made["uuid"])
        self._attached.set_traits(wanted, made["uuid"], (), frozenset(access.traits(wanted)))
        self._provision(made["uuid"], "manage")
        return pending(f"{wanted.name}: {states.doing(states.VERIFYING)}", look_in=SOON)

    def _update(self, wanted: ProvisionedNode, seen: IronicNode) -> None:
        """What else the design says now, where Ironic shows something else."""
        changes = access.changed_properties(wanted, seen.properties, seen.extra)
        if changes:
            self._connector.patch(("nodes", seen.uuid), changes)
        self._attached.see_to_port(wanted, seen)
        self._attached.set_traits(wanted, seen.uuid, seen.traits, access.recorded_traits(seen.extra))

    def _manage(self, wanted: ProvisionedNode, seen: IronicNode, *, sent: bool) -> Progress:
        if self._fresh_failure(seen) and not sent:
            return failed(f"{wanted.name}: {states.in_words(seen.last_error)}")
        self._provision(seen.uuid, "manage")
        return pending(f"{wanted.name}: {states.doing(states.VERIFYING)}", look_in=SOON)

    # -- configure_hardware

    def make_ready(self, wanted: ProvisionedNode, seen: IronicNode | None, again: str | None) -> Progress:
        """``again``: what it is to be inspected for, once, though it was before."""
        name = wanted.name
        if seen is None:
            return failed(f"Ironic does not know {name}: enroll it first")
        if seen.state == states.CLEAN_FAILED and seen.maintenance is not None:
            return failed(f"{name}: {states.in_words(seen.last_error)}; {seen.in_maintenance}: end it to try again")
        if seen.maintenance is not None:
            return pending(seen.in_maintenance)
        if seen.state in (states.INSPECT_FAILED, states.CLEAN_FAILED, states.ADOPT_FAILED):
            # Back to where the next attempt starts, then reported.
            self._provision(seen.uuid, "manage")
            return failed(f"{name}: {states.in_words(seen.last_error)}")
        if seen.state == states.DEPLOY_FAILED:
            self._provision(seen.uuid, "deleted")
            return pending(f"{name}: its failed installation is taken down", look_in=SOON)
        if _occupied(seen):
            return failed(f"{name} is {seen.state} in Ironic: destroy it first")
        if seen.state in states.PASSING:
            return pending(f"{name}: {states.doing(seen.state)}", look_in=SOON)
        return self._forward(wanted, seen, again)

    def _forward(self, wanted: ProvisionedNode, seen: IronicNode, again: str | None) -> Progress:
        uninspected = self._settings.inspect and (not seen.inspected or _due(seen, again))
        if seen.state == states.AVAILABLE and not (uninspected and seen.instance is None):
            return succeeded("available in Ironic")
        if seen.state in (states.ENROLL, states.AVAILABLE):
            verb, next_state = "manage", states.VERIFYING
        elif seen.state == states.MANAGEABLE:
            verb, next_state = ("inspect", states.INSPECTING) if uninspected else ("provide", states.CLEANING)
        else:
            return pending(f"{wanted.name}: {states.doing(seen.state)}")
        if verb == "inspect" and again is not None and not _recorded(seen, again):
            self._record_inspection(seen, again)
        self._provision(seen.uuid, verb)
        return pending(f"{wanted.name}: {states.doing(next_state)}", look_in=SOON)

    def _record_inspection(self, seen: IronicNode, again: str) -> None:
        """Before it begins: a repeated verb sees by the end of the last inspection whether it has been."""
        value = {"for": again, "after": seen.inspection}
        self._connector.patch(
            ("nodes", seen.uuid), [{"op": "add", "path": f"/extra/{access.INSPECTION}", "value": value}]
        )

    def _provision(self, uuid: str, target: str) -> None:
        self._connector.put(("nodes", uuid, "states", "provision"), {"target": target})

    @staticmethod
    def _fresh_failure(seen: IronicNode) -> bool:
        changed = seen.changed or datetime.min.replace(tzinfo=UTC)
        return seen.last_error is not None and datetime.now(UTC) - changed < FRESH


def _recorded(seen: IronicNode, again: str) -> bool:
    found = seen.extra.get(access.INSPECTION)
    return isinstance(found, dict) and found.get("for") == again


def _due(seen: IronicNode, again: str | None) -> bool:
    """Whether the inspection for ``again`` has not been: Ironic's own times are compared with each other only."""
    return again is not None and not (
        _recorded(seen, again) and seen.extra[access.INSPECTION].get("after") != seen.inspection
    )


def _occupied(seen: IronicNode) -> bool:
    return seen.state in states.INSTALLED or (seen.instance is not None and seen.state != states.AVAILABLE)
