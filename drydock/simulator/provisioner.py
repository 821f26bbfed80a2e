"""The little provisioner API that Drydock's ``simulated`` node driver calls.

Verbs take many machines and answer for each ``{"state": "pending" | "succeeded" | "failed", "reason": str}``; what is
pending is asked about again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import falcon

from drydock.simulator.errors import BadRequest, SimulatorError
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
    verbs = Verbs(site, life)
    app.add_route(ROOT, Service(site))
    app.add_route(f"{ROOT}/site", Settings(site))
    app.add_route(f"{ROOT}/images", Images(site))
    app.add_route(f"{ROOT}/nodes", Nodes(site))
    app.add_route(f"{ROOT}/identify", Verb(verbs.identify))
    app.add_route(f"{ROOT}/commission", Verb(verbs.commission))
    for kind in SETTINGS:
        app.add_route(f"{ROOT}/settings/{kind}", Verb(partial(verbs.configure, kind)))
    app.add_route(f"{ROOT}/deployments", Verb(verbs.deploy))
    app.add_route(f"{ROOT}/stop", Verb(verbs.stop))
    app.add_route(f"{ROOT}/destroy", Verb(verbs.destroy))
    app.add_route(f"{ROOT}/observations", Looks(site, _observation))
    app.add_route(f"{ROOT}/facts", Looks(site, _facts))


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


class Verb:
    """One of the provisioner's verbs, for many machines: ``{"nodes": {name: what is wanted of it}}``.

    ``do`` is given the name and what is wanted; what it raises is about that machine alone, and fails it.
    """

    def __init__(self, do: Callable[[str, Any], dict[str, str]]) -> None:
        self._do = do

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        nodes = _object(req.get_media()).get("nodes")
        if not isinstance(nodes, dict):
            raise BadRequest("nodes: an object with a member for each machine, null where there is nothing to add")
        resp.media = {name: self._of(name, wanted) for name, wanted in nodes.items()}

    on_put = on_post

    def _of(self, name: str, wanted: object) -> dict[str, str]:
        try:
            return self._do(name, wanted)
        except SimulatorError as exc:
            return _failed(str(exc))


class Verbs:
    """What is done to one machine."""

    def __init__(self, site: Site, life: Life) -> None:
        self._site = site
        self._life = life

    def identify(self, name: str, wanted: object) -> dict[str, str]:
        machine = self._site.asked_for(name)
        with machine.lock:
            waits = f"{name} has not booted from the network yet: power {machine.power}, {machine.state}"
            return _succeeded() if machine.seen else _pending(waits)

    def commission(self, name: str, wanted: object) -> dict[str, str]:
        machine = self._site.asked_for(name)
        with machine.lock:
            if machine.deployment is not None and machine.deployment.phase is not Phase.FAILED:
                return _failed(f"{name} is {machine.deployment.phase}: destroy it first")
            self._life.commission(machine)
            return _succeeded() if machine.commissioned else _pending(f"commissioning {name}: {machine.state}")

    def configure(self, kind: str, name: str, wanted: object) -> dict[str, str]:
        settings = _object(wanted, "settings")
        machine = self._site.asked_for(name)
        with machine.lock:
            machine.settings[kind] = settings
        return _succeeded()

    def deploy(self, name: str, wanted: object) -> dict[str, str]:
        deployment = _object(wanted, "a deployment")
        deployment_id, user_data = deployment.get("id"), deployment.get("user_data")
        meta_data = _object(deployment.get("meta_data", {}), "meta_data")
        if not isinstance(deployment_id, str):
            raise BadRequest("id: text of your choice, another for each deployment")
        if not isinstance(user_data, str):
            raise BadRequest("user_data: text, empty for none")
        machine = self._site.asked_for(name)
        self._site.claim_deployment(deployment_id, machine.name)
        started = self._life.deploy(machine, Deployment(deployment_id, user_data, meta_data=meta_data))
        return _succeeded() if started else _pending(f"{name} is being erased")

    def stop(self, name: str, wanted: object) -> dict[str, str]:
        machine = self._site.find(name)
        if machine is None:
            return _succeeded()
        self._life.power_off(machine)
        with machine.lock:
            return _succeeded() if machine.power is Power.OFF else _pending(f"powering off {name}")

    def destroy(self, name: str, wanted: object) -> dict[str, str]:
        machine = self._site.find(name)
        done = machine is None or self._life.destroy(machine)
        return _succeeded() if done else _pending(f"powering off and erasing {name}")


class Looks:
    """What is to be seen of each of these machines, by name; ``look`` is given None for one that is not there."""

    def __init__(self, site: Site, look: Callable[[Machine | None], dict[str, Any] | None]) -> None:
        self._site = site
        self._look = look

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        names = _object(req.get_media()).get("nodes")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise BadRequest("nodes: a list of names")
        resp.media = {name: self._look(self._site.find(name)) for name in names}


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


def _facts(machine: Machine | None) -> dict[str, Any] | None:
    """None for a machine that was not commissioned."""
    if machine is None:
        return None
    with machine.lock:
        return machine.facts() if machine.commissioned else None


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


def _object(media: object, what: str = "the body") -> Mapping[str, Any]:
    if not isinstance(media, dict):
        raise BadRequest(f"{what} must be an object")
    return media
