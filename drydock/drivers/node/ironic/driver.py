"""Ironic as a node provisioner: the verbs. A call reads one list; its writes go side by side, up to a limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Self

from drydock.drivers.node.base import NO_NODES, Image, NodeState, Observation, ProvisionerCapabilities, Verb
from drydock.drivers.node.ironic import access, disks, network_data, states
from drydock.drivers.node.ironic.connector import REQUESTS_AT_ONCE, BadRequest, IronicConnector, NotThere
from drydock.drivers.node.ironic.enrolment import SOON, Enrolment
from drydock.drivers.node.ironic.facts import hardware_facts
from drydock.drivers.node.ironic.images import IronicImage, glance_image, lacking_params, load_images
from drydock.drivers.node.ironic.installation import Installation
from drydock.drivers.node.ironic.nodes import ENROLMENT_FIELDS, FIELDS, IronicNode
from drydock.drivers.node.ironic.settings import IronicSettings
from drydock.drivers.node.records import Deployment, ProvisionedNode, ProvisionedSite
from drydock.drivers.progress import Progress, failed, pending, succeeded
from drydock.errors import DriverBusy, DriverError, DriverRefused, DriverUnavailable
from drydock.model.cleaning import Cleaning
from drydock.model.hardware_facts import HardwareFacts
from drydock.model.node_summary import NodeSummary

NODES_OF_A_CALL = 100
HISTORIES = 10
"""Histories that are read with one list; the other nodes have no reason until the next list."""
ONE_BY_ONE = 2
"""Up to this number, nodes are read by their names; more with the list of all."""

Act = Callable[[IronicNode | None], Progress]


class IronicProvisioner:
    name = "ironic"
    capabilities = ProvisionerCapabilities(
        owns_power=True, at_once=MappingProxyType(dict.fromkeys(Verb, NODES_OF_A_CALL))
    )

    def __init__(self, settings: IronicSettings, connector: IronicConnector | None = None) -> None:
        """Raises ``ConfigurationError``."""
        self._settings = settings
        self._images = load_images(settings.images_file) if settings.images_file else {}
        self._connector = connector or IronicConnector(settings)
        self._enrolment = Enrolment(self._connector, settings)
        self._installation = Installation(self._connector)
        #: Hardware types for which there is a conductor, as the last check found; None before the first.
        self._served: frozenset[str] | None = None

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Self:
        """Raises ``ConfigurationError``."""
        return cls(IronicSettings.from_options(options))

    def check(self) -> None:
        """It answers, accepts our account and has a conductor for one of the options' hardware types.

        From now on ``unsupported`` names nodes of a type without one.
        """
        rows = self._connector.members("drivers")
        self._served = frozenset(row["name"] for row in rows if row.get("hosts"))
        wanted = set(self._settings.hardware_types.values())
        if not wanted & self._served:
            raise DriverRefused(f"ironic: no conductor serves the hardware types {', '.join(sorted(wanted))}")

    def unsupported(self, node: ProvisionedNode) -> Sequence[str]:
        return tuple(self._lacks(node))

    def _lacks(self, node: ProvisionedNode) -> Sequence[str]:
        found = []
        if node.bmc is None:
            found.append("a node without an out-of-band type: Ironic manages machines by their BMC")
        elif node.bmc.type not in self._settings.hardware_types:
            found.append(f"the BMC type {node.bmc.type}: the option hardware_types of [ironic] names none for it")
        elif self._served is not None and self._settings.hardware_types[node.bmc.type] not in self._served:
            kind = self._settings.hardware_types[node.bmc.type]
            found.append(f"the hardware type {kind}: no conductor of Ironic serves it")
        elif access.is_unknown(self._settings.hardware_types[node.bmc.type]) and not self._settings.driver_info:
            kind = self._settings.hardware_types[node.bmc.type]
            found.append(
                f"the hardware type {kind}: how it is given a BMC's access is not known here, and the option "
                "driver_info of [ironic] has nothing for it"
            )
        elif node.bmc.address is None and not node.bmc.parameters.get("endpoint"):
            found.append("a BMC without an address: the node has none on the network of its oob parameters")
        image = self._images.get(node.image or "")
        if image is None and not self._settings.glance:
            found.append(f"the image {node.image}: the images_file of [ironic] has none of this name")
        params = None if image is None else lacking_params(image, node.kernel_params)
        if image is not None and params is not None:
            found.append(
                f"the kernel parameters {params}: an installed system is started with its image's own, "
                f"which are kernel_params of {image.name} in the images_file"
            )
        return [*found, *network_data.unsupported(node), *disks.unsupported(node)]

    def prepare_site(self, site: ProvisionedSite) -> Progress:
        return succeeded("networks go into the config drive of each node")

    def enroll(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]:
        acts = {node.name: _bound(self._enrolment.enroll, node) for node in nodes}
        return self._each(acts, ENROLMENT_FIELDS)

    def configure_hardware(
        self, nodes: Sequence[ProvisionedNode], again: Mapping[str, str] = NO_NODES
    ) -> Mapping[str, Progress]:
        def act(node: ProvisionedNode) -> Act:
            return lambda seen: self._enrolment.make_ready(node, seen, again.get(node.name))

        return self._each({node.name: act(node) for node in nodes}, FIELDS)

    def facts(self, nodes: Sequence[str]) -> Mapping[str, HardwareFacts]:
        """A node whose inventory Ironic fails to show is left out as well, unless it is so with all of them."""
        with ThreadPoolExecutor(REQUESTS_AT_ONCE, thread_name_prefix="ironic") as threads:
            answers = dict(zip(nodes, threads.map(self._inventory, nodes), strict=True))
        errors = [answer for answer in answers.values() if isinstance(answer, DriverError)]
        if errors and len(errors) == len(answers):
            raise errors[0]
        shown = {name: answer for name, answer in answers.items() if not isinstance(answer, DriverError)}
        return {name: hardware_facts(answer) for name, answer in shown.items() if answer is not None}

    def _inventory(self, name: str) -> Mapping[str, Any] | DriverError | None:
        try:
            return self._installation.inventory(name)
        except DriverError as exc:
            return exc

    def apply_networking(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]:
        return {node.name: succeeded("goes into the config drive") for node in nodes}

    def apply_storage(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]:
        return {node.name: succeeded("goes into the root device hint and the config drive") for node in nodes}

    def apply_platform(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]:
        return {node.name: succeeded("the image is named when the installation starts") for node in nodes}

    def deploy(self, deployments: Sequence[Deployment]) -> Mapping[str, Progress]:
        images = self._known_images()

        def act(deployment: Deployment) -> Act:
            image = images.get(deployment.node.image or "")
            return lambda seen: self._installation.deploy(deployment, seen, image)

        return self._each({deployment.node.name: act(deployment) for deployment in deployments}, FIELDS)

    def observe(self, nodes: Sequence[str]) -> Mapping[str, Observation]:
        if not nodes:
            return {}
        known = dict(self._list(FIELDS))
        silent = [name for name in nodes if name in known and known[name].failed_silently]
        for name in silent[:HISTORIES]:
            known[name] = replace(known[name], last_error=self._last_event(known[name]))
        unknown = NodeState.UNKNOWN
        return {name: known[name].observation(name) if name in known else Observation(name, unknown) for name in nodes}

    def _last_event(self, node: IronicNode) -> str | None:
        """The last failure of the node's history."""
        try:
            events = self._connector.get("nodes", node.uuid, "history", detail="true")["history"]
        except (DriverError, KeyError):
            # The other nodes of the list are shown all the same.
            return None
        failures = [event for event in events if event.get("severity") == "ERROR" and event.get("event")]
        last = max(failures, key=lambda event: str(event.get("created_at")), default=None)
        return None if last is None else str(last["event"])

    def stop(self, nodes: Sequence[str]) -> Mapping[str, Progress]:
        return self._each({name: _bound(self._installation.stop, name) for name in nodes}, FIELDS)

    def destroy(self, nodes: Sequence[str]) -> Mapping[str, Progress]:
        return self._each({name: _bound(self._installation.destroy, name) for name in nodes}, FIELDS)

    def cleaned(self, nodes: Sequence[str]) -> Mapping[str, Cleaning]:
        known = self._seen(nodes, FIELDS)
        there = [name for name in nodes if name in known]
        with ThreadPoolExecutor(REQUESTS_AT_ONCE, thread_name_prefix="ironic") as threads:
            found = threads.map(lambda name: self._installation.cleaned(known[name]), there)
            return dict(zip(there, found, strict=True))

    def list_nodes(self) -> Sequence[NodeSummary]:
        macs: dict[str, str] = {}
        for port in self._connector.pages("ports", ("uuid", "address", "node_uuid", "pxe_enabled")):
            if port.get("pxe_enabled") or port["node_uuid"] not in macs:
                macs[port["node_uuid"]] = port["address"]
        nodes = self._list((*FIELDS, "driver_info"))
        return [_summary(node, macs.get(node.uuid, "")) for node in nodes.values()]

    def list_images(self) -> Sequence[Image] | None:
        images = self._known_images()
        known = images or self._settings.glance
        return [Image(one.name, one.kernels) for one in images.values()] if known else None

    # -- one list, then what each node needs

    def _each(self, acts: Mapping[str, Act], fields: Sequence[str]) -> Mapping[str, Progress]:
        seen = self._seen(tuple(acts), fields)

        def one(name: str) -> Progress:
            return self._answer(name, acts[name], seen.get(name))

        if len(acts) == 1:
            return {name: one(name) for name in acts}
        with ThreadPoolExecutor(REQUESTS_AT_ONCE, thread_name_prefix="ironic") as threads:
            return dict(zip(acts, threads.map(one, acts), strict=True))

    def _answer(self, name: str, act: Act, seen: IronicNode | None) -> Progress:
        """What is wrong with one node is its answer, and none of the others'."""
        try:
            return act(seen)
        except DriverUnavailable as exc:
            asked = exc.look_in if isinstance(exc, DriverBusy) else None
            return pending(f"{name}: not yet: {exc.message}", look_in=max(SOON, asked or 0.0))
        except NotThere as exc:
            return pending(f"{name}: it has gone from Ironic meanwhile: {exc.message}", look_in=SOON)
        except DriverRefused as exc:
            # Another worker, or an operator of Ironic, may have been quicker.
            now = self._now(name)
            if seen is not None and now is not None and now.state != seen.state:
                return pending(f"{name}: {states.doing(now.state)}", look_in=SOON)
            return failed(f"{name}: {exc.message}")

    def _now(self, name: str) -> IronicNode | None:
        """None also if Ironic does not say: what the node was refused for stands."""
        try:
            return self._seen((name,), FIELDS).get(name)
        except DriverError:
            return None

    def _seen(self, names: Sequence[str], fields: Sequence[str]) -> Mapping[str, IronicNode]:
        if len(names) > ONE_BY_ONE:
            return self._list(fields)
        found = {}
        for name in names:
            try:
                row = self._connector.get("nodes", name, fields=",".join(fields))
            except (NotThere, BadRequest):  # no node has a name that cannot be one
                continue
            found[name] = IronicNode.from_row(row)
        return found

    def _list(self, fields: Sequence[str]) -> Mapping[str, IronicNode]:
        """By name; those without one are not ours."""
        nodes = map(IronicNode.from_row, self._connector.pages("nodes", fields))
        return {node.name: node for node in nodes if node.name is not None}

    def _known_images(self) -> Mapping[str, IronicImage]:
        if not self._settings.glance:
            return self._images
        # Names are not unique there, and may be missing: the newest of a name counts.
        named = [row for row in self._connector.images() if row.get("name")]
        return {**{row["name"]: glance_image(row) for row in reversed(named)}, **self._images}


def _bound(act: Callable[[Any, IronicNode | None], Progress], what: Any) -> Act:
    return lambda seen: act(what, seen)


def _summary(node: IronicNode, mac: str) -> NodeSummary:
    address = next((str(value) for key, value in node.driver_info.items() if key.endswith("_address")), "")
    return NodeSummary(
        hostname=node.name or node.uuid,
        memory=_whole(node.properties.get("memory_mb")),
        cpu_count=_whole(node.properties.get("cpus")),
        status_name=node.state,
        boot_mac=mac,
        power_state={"power on": "on", "power off": "off"}.get(node.power or "", "unknown"),
        power_address=address,
        boot_ip="",
    )


def _whole(value: object) -> int:
    """Ironic's properties may be text."""
    return int(value) if isinstance(value, int) or (isinstance(value, str) and value.isdecimal()) else 0
