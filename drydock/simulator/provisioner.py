"""The little provisioner API that Drydock's ``simulated`` node driver calls.

Verbs that take time answer ``{"state": "pending" | "succeeded" | "failed", "reason": str}``, and are asked again.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import falcon

from drydock.simulator.errors import BadRequest
from drydock.simulator.life import Life
from drydock.simulator.machine import Deployment, Machine, Phase, Power, State
from drydock.simulator.site import Site

ROOT = "/provisioner/v1"
SETTINGS = ("networking", "storage", "platform")
STATUS_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "unknown": "New",
        "powered_off": "New",
        "discovered": "New",
        "ready": "Ready",
        "deploying": "Deploying",
        "deployed": "Deployed",
        "failed": "Failed deployment",
    }
)


def add_routes(app: falcon.App[falcon.Request, falcon.Response], site: Site, life: Life) -> None:
    node = Node(site, life)
    app.add_route(ROOT, Service(site))
    app.add_route(f"{ROOT}/site", Settings(site))
    app.add_route(f"{ROOT}/images", Images(site))
    app.add_route(f"{ROOT}/nodes", Nodes(site))
    app.add_route(f"{ROOT}/nodes/{{name}}", node)
    app.add_route(f"{ROOT}/nodes/{{name}}/identity", node, suffix="identity")
    app.add_route(f"{ROOT}/nodes/{{name}}/hardware", node, suffix="hardware")
    app.add_route(f"{ROOT}/nodes/{{name}}/settings/{{kind}}", node, suffix="settings")
    app.add_route(f"{ROOT}/deployments/{{deployment_id}}", Deployments(site, life))
    app.add_route(f"{ROOT}/observations", Observations(site))


class Service:
    def __init__(self, site: Site) -> None:
        self._site = site

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = {"name": "simulated site", "machines": len(self._site.all())}


class Settings:
    """What all machines share. It is kept to be looked at; machines here need none of it."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = dict(self._site.settings)

    def on_put(self, req: falcon.Request, resp: falcon.Response) -> None:
        self._site.settings = _object(req.get_media())
        resp.media = _succeeded()


class Images:
    """What may be installed. Machines here install nothing, so anything that is listed will do."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = [{"name": name, "kernels": list(kernels)} for name, kernels in self._site.images.items()]


class Nodes:
    def __init__(self, site: Site) -> None:
        self._site = site

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = [_summary(machine, req.host) for machine in self._site.all()]


class Node:
    def __init__(self, site: Site, life: Life) -> None:
        self._site = site
        self._life = life

    def on_post_identity(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        machine = self._site.asked_for(name)
        with machine.lock:
            waits = f"{name} has not booted from the network yet: power {machine.power}, {machine.state}"
            resp.media = _succeeded() if machine.seen else _pending(waits)

    def on_post_hardware(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        machine = self._site.asked_for(name)
        with machine.lock:
            if machine.deployment is not None and machine.deployment.phase is not Phase.FAILED:
                resp.media = _failed(f"{name} is {machine.deployment.phase}: destroy it first")
                return
            self._life.commission(machine)
            resp.media = _succeeded() if machine.commissioned else _pending(f"commissioning {name}: {machine.state}")

    def on_put_settings(self, req: falcon.Request, resp: falcon.Response, name: str, kind: str) -> None:
        if kind not in SETTINGS:
            raise falcon.HTTPNotFound(description=f"there are the settings {', '.join(SETTINGS)}")
        settings = _object(req.get_media())
        machine = self._site.asked_for(name)
        with machine.lock:
            machine.settings[kind] = settings
        resp.media = _succeeded()

    def on_delete(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        machine = self._site.find(name)
        done = machine is None or self._life.destroy(machine)
        resp.media = _succeeded() if done else _pending(f"powering off and erasing {name}")


class Deployments:
    def __init__(self, site: Site, life: Life) -> None:
        self._site = site
        self._life = life

    def on_put(self, req: falcon.Request, resp: falcon.Response, deployment_id: str) -> None:
        body = _object(req.get_media())
        name, user_data = body.get("node"), body.get("user_data")
        if not isinstance(name, str):
            raise BadRequest("node: the name of a machine")
        if not isinstance(user_data, str):
            raise BadRequest("user_data: text, empty for none")
        machine = self._site.asked_for(name)
        self._site.claim_deployment(deployment_id, machine.name)
        started = self._life.deploy(machine, Deployment(deployment_id, user_data))
        resp.media = _succeeded() if started else _pending(f"{name} is being erased")


class Observations:
    def __init__(self, site: Site) -> None:
        self._site = site

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        names = _object(req.get_media()).get("nodes")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise BadRequest("nodes: a list of names")
        resp.media = {name: _observation(self._site.find(name)) for name in names}


def _observation(machine: Machine | None) -> dict[str, Any]:
    if machine is None:
        return {"state": "unknown", "deployment_id": None, "detail": "", "last_contact": None}
    with machine.lock:
        deployment = machine.deployment
        return {
            "state": _node_state(machine),
            "deployment_id": deployment.id if deployment else None,
            "detail": deployment.detail if deployment else machine.state.value,
            "last_contact": machine.last_contact.isoformat() if machine.last_contact else None,
        }


def _node_state(machine: Machine) -> str:
    """What the provisioner knows; it does not know that a machine has gone silent."""
    if machine.deployment is not None:
        return machine.deployment.phase.value
    if not machine.seen:
        return "unknown"
    if machine.commissioned:
        return "ready"
    return "discovered" if machine.power is Power.ON else "powered_off"


def _summary(machine: Machine, address: str) -> dict[str, Any]:
    with machine.lock:
        commissioning = machine.state is State.COMMISSIONING
        return {
            "hostname": machine.name,
            "memory": machine.memory_gib * 1024,
            "cpu_count": machine.cpus,
            "status_name": "Commissioning" if commissioning else STATUS_NAMES[_node_state(machine)],
            "boot_mac": machine.macs[0],
            "power_state": machine.power.value,
            "power_address": address,
            "boot_ip": "",
        }


def _succeeded() -> dict[str, str]:
    return {"state": "succeeded", "reason": ""}


def _pending(reason: str) -> dict[str, str]:
    return {"state": "pending", "reason": reason}


def _failed(reason: str) -> dict[str, str]:
    return {"state": "failed", "reason": reason}


def _object(media: object) -> Mapping[str, Any]:
    if not isinstance(media, dict):
        raise BadRequest("the body must be an object")
    return media
