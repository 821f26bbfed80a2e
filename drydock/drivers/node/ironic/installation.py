"""Installing a machine, stopping that, taking it down: what is to be done next, from the state that Ironic shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from drydock.drivers.node.ironic import disks, states
from drydock.drivers.node.ironic.cleaning import SeenSteps, cleaning
from drydock.drivers.node.ironic.connector import IronicConnector, NotThere
from drydock.drivers.node.ironic.disks import DiskUnknown
from drydock.drivers.node.ironic.enrolment import FRESH, SOON
from drydock.drivers.node.ironic.facts import hardware_facts
from drydock.drivers.node.ironic.images import IronicImage, lacking_params
from drydock.drivers.node.ironic.network_data import NicUnknown, network_data
from drydock.drivers.node.ironic.nodes import STOPPED, IronicNode
from drydock.drivers.node.records import Deployment
from drydock.drivers.progress import Progress, failed, pending, succeeded
from drydock.errors import DriverRefused
from drydock.model.cleaning import Cleaning

POWER_ON, POWER_OFF = "power on", "power off"
Json = Mapping[str, Any]


class Installation:
    """The deployment's id is ``instance_uuid``: a node has one at most, and Ironic clears it with the installation."""

    def __init__(self, connector: IronicConnector) -> None:
        self._connector = connector
        self._cleaning: dict[str, SeenSteps] = {}

    # -- deploy

    def deploy(self, deployment: Deployment, seen: IronicNode | None, image: IronicImage | None) -> Progress:
        name = deployment.node.name
        if not _is_uuid(deployment.id):
            return failed(f"{name}: the deployment's id is no UUID, which Ironic wants")
        if seen is None:
            return failed(f"Ironic does not know {name}: prepare it first")
        ours = seen.instance == deployment.id
        if ours and seen.state in states.INSTALLED:
            return succeeded(f"Ironic has it: {seen.state}")
        if seen.maintenance is not None:
            return pending(seen.in_maintenance)
        if seen.state in (states.ACTIVE, states.DEPLOY_FAILED):
            if seen.protected is not None:
                return failed(seen.is_protected)
            self._provision(seen, {"target": "deleted"})
            return pending(f"{name}: the installation it has is taken down first", look_in=SOON)
        if seen.state in states.PASSING:
            return pending(f"{name}: {states.doing(seen.state)}", look_in=SOON)
        if seen.state != states.AVAILABLE:
            return failed(f"{name} is {seen.state} in Ironic, and not available: prepare it first")
        return self._install(deployment, seen, image)

    def _install(self, deployment: Deployment, seen: IronicNode, image: IronicImage | None) -> Progress:
        node = deployment.node
        if image is None:
            return failed(f"{node.name}: there is no image {node.image!r} in the options or Glance")
        arch = seen.properties.get("cpu_arch")
        if image.arch is not None and arch is not None and image.arch != arch:
            return failed(f"{node.name}: the image {image.name} is for {image.arch}, and the machine is {arch}")
        if node.kernel is not None and node.kernel not in image.kernels:
            kernels = ", ".join(image.kernels) or "none that designs may name"
            return failed(f"{node.name}: the image {image.name} has no kernel {node.kernel!r}; it has {kernels}")
        params = lacking_params(image, node.kernel_params)
        if params is not None:
            return failed(
                f"{node.name}: the image {image.name} is not started with the kernel parameters {params}: an installed "
                "system is started with its image's own, which are its kernel_params in the images_file or in Glance"
            )
        try:
            drive = self._config_drive(deployment, seen)
        except (NicUnknown, DiskUnknown) as exc:
            return failed(f"{node.name}: {exc}")
        if seen.instance != deployment.id:
            self._claim(deployment, seen, image)
        self._provision(seen, {"target": "active", "configdrive": drive})
        return succeeded()

    def _claim(self, deployment: Deployment, seen: IronicNode, image: IronicImage) -> None:
        """In one request, so that a node with our id has all that its installation needs."""
        info = image.instance_info()
        hint = disks.root_device(deployment.node)
        if hint:
            info["root_device"] = hint
        if image.boot_iso is not None and deployment.node.kernel_params:
            info["kernel_append_params"] = f"%default% {deployment.node.kernel_params}"
        changes: list[Json] = []
        if seen.instance is not None:
            # Of a deployment that was claimed and never begun. Ironic replaces no id.
            self._connector.patch(("nodes", seen.uuid), [{"op": "remove", "path": "/instance_uuid"}])
        changes.append({"op": "add", "path": "/instance_uuid", "value": deployment.id})
        changes.append({"op": "add", "path": "/instance_info", "value": info})
        self._connector.patch(("nodes", seen.uuid), changes)

    def _config_drive(self, deployment: Deployment, seen: IronicNode) -> Json:
        """Raises ``NicUnknown``, ``DiskUnknown``."""
        answer = self.inventory(seen.uuid) if seen.inspected else None
        facts = None if answer is None else hardware_facts(answer)
        found: Sequence[Json] = ((answer or {}).get("inventory") or {}).get("disks") or ()
        drive: dict[str, Any] = {
            "meta_data": meta_data(deployment),
            "network_data": network_data(deployment.node, facts),
            "vendor_data": disks.vendor_data(deployment.node, found),
            "user_data": deployment.user_data,
        }
        return {name: value for name, value in drive.items() if value}

    def inventory(self, node: str) -> Json | None:
        """None of a node that is unknown or was never inspected."""
        try:
            answer = self._connector.get("nodes", node, "inventory")
        except NotThere:
            return None
        return answer if isinstance(answer, dict) else None

    # -- stop

    def stop(self, name: str, seen: IronicNode | None) -> Progress:
        if seen is None:
            return succeeded(f"Ironic does not know {name}")
        if seen.maintenance is not None and seen.power != POWER_OFF:
            return pending(seen.in_maintenance)
        if seen.state in (states.DEPLOY_WAIT, states.DEPLOY_HOLD):
            self._provision(seen, {"target": "abort"})
            return pending(f"{name}: its installation is aborted", look_in=SOON)
        if seen.state in states.PASSING:
            return pending(f"{name}: {states.doing(seen.state)}; it is switched off after that", look_in=SOON)
        if seen.state == states.ACTIVE and not seen.stopped and seen.instance is not None:
            mark = {"op": "add", "path": f"/extra/{STOPPED}", "value": seen.instance}
            self._connector.patch(("nodes", seen.uuid), [mark])
        if seen.state == states.ENROLL or seen.power == POWER_OFF:
            return succeeded("off" if seen.power == POWER_OFF else "Ironic has not switched it yet")
        return self._switch_off(name, seen)

    def _switch_off(self, name: str, seen: IronicNode) -> Progress:
        self._connector.put(("nodes", seen.uuid, "states", "power"), {"target": POWER_OFF})
        return pending(f"{name}: Ironic is switching it off", look_in=SOON)

    # -- destroy

    def destroy(self, name: str, seen: IronicNode | None) -> Progress:
        if seen is None:
            return succeeded(f"Ironic does not know {name}")
        self._look_at_cleaning(seen)
        if seen.state == states.CLEAN_FAILED:
            return self._clean_again(name, seen)
        if seen.maintenance is not None and not _is_taken_down(seen):
            return pending(seen.in_maintenance)
        if seen.state == states.DEPLOYING:
            return pending(f"{name}: {states.doing(seen.state)}; it can be taken down after that", look_in=SOON)
        if seen.state == states.ERROR and _fresh(seen):
            return failed(f"{name}: {states.in_words(seen.last_error)}")
        if seen.state in states.RELEASABLE:
            if seen.protected is not None:
                return failed(seen.is_protected)
            self._provision(seen, {"target": "deleted"})
            return pending(f"{name}: {states.doing(states.DELETING)}", look_in=SOON)
        if seen.state not in states.EMPTY:
            return pending(f"{name}: {states.doing(seen.state)}", look_in=SOON)
        if seen.instance is not None:
            self._connector.patch(("nodes", seen.uuid), [{"op": "remove", "path": "/instance_uuid"}])
        if (begun := self._clean(name, seen)) is not None:
            return begun
        if seen.power == POWER_ON:
            # with fast track Ironic leaves the agent that erased it running.
            return self._switch_off(name, seen)
        retired = "retired and " if seen.retired else ""
        uncleaned = "; not cleaned: automated_clean of the node is false" if seen.automated_clean is False else ""
        return succeeded(f"{retired}{seen.state} in Ironic, without an installation{uncleaned}")

    def _look_at_cleaning(self, seen: IronicNode) -> None:
        """Ironic shows the steps of a cleaning only while it goes on."""
        if seen.clean_steps and seen.changed is not None:
            before = self._cleaning.get(seen.uuid)
            first = before.first if before is not None and before.steps == seen.clean_steps else seen.changed
            self._cleaning[seen.uuid] = SeenSteps(seen.clean_steps, first, seen.changed)

    def cleaned(self, seen: IronicNode) -> Cleaning:
        """The same however often it is called, in one process. Without a history where Ironic refuses to show it."""
        try:
            answer = self._connector.get("nodes", seen.uuid, "history", detail="true")
        except DriverRefused:
            answer = None
        rows = answer.get("history") if isinstance(answer, dict) else None
        return cleaning(seen, rows if isinstance(rows, list) else (), self._cleaning.get(seen.uuid))

    def _clean(self, name: str, seen: IronicNode) -> Progress | None:
        """Of a node without an installation; None if it is not to be cleaned."""
        if seen.state in (states.INSPECT_FAILED, states.ADOPT_FAILED):
            # What is on its disks is as it was: it is cleaned from manageable, as others are.
            self._provision(seen, {"target": "manage"})
            return pending(f"{name}: is to be cleaned", look_in=SOON)
        if seen.state == states.MANAGEABLE and not seen.retired:
            # NOTE: Ironic leaves a retired node there when it has cleaned it, and refuses to make it available.
            self._provision(seen, {"target": "provide"})
            return pending(f"{name}: {states.doing(states.CLEANING)}", look_in=SOON)
        return None

    def _clean_again(self, name: str, seen: IronicNode) -> Progress:
        """Ironic puts a node whose cleaning failed into maintenance; when that is ended, it may be cleaned again."""
        if seen.maintenance is not None:
            return failed(f"{name}: {states.in_words(seen.last_error)}; {seen.in_maintenance}: end it to try again")
        self._provision(seen, {"target": "manage"})
        return pending(f"{name}: is to be cleaned again", look_in=SOON)

    def _provision(self, seen: IronicNode, document: Json) -> None:
        self._connector.put(("nodes", seen.uuid, "states", "provision"), document)


def meta_data(deployment: Deployment) -> Json:
    """As cloud-init reads it from a config drive."""
    given = deployment.meta_data
    return {
        "uuid": given.instance_id,
        "name": deployment.node.name,
        "hostname": given.hostname,
        "public_keys": {f"key{number}": key for number, key in enumerate(given.public_keys)},
        "meta": dict(given.labels),
    }


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _is_taken_down(seen: IronicNode) -> bool:
    """Whether there is nothing to do: Ironic never had it, or has cleaned it, and it is off."""
    at_rest = seen.state == states.ENROLL or (seen.state == states.AVAILABLE and seen.power == POWER_OFF)
    return at_rest and seen.instance is None


def _fresh(seen: IronicNode) -> bool:
    return seen.changed is not None and datetime.now(UTC) - seen.changed < FRESH
