"""The BMCs of the site, over Redfish: one service in which every machine is a system, by name or by UUID.

A small one of ours and not sushy-tools' emulator, which was tried first: its application is one global of its module
(so one site in a process), it ignores ``BootSourceOverrideEnabled`` (so *once* is the same as *continuous*, and
whether a driver asks for the right one cannot be seen), and it keeps state in SQLite files on each request. The
``redfish`` driver is tested against both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import falcon

from drydock.simulator.life import Life
from drydock.simulator.machine import BIOS_VERSION, NIC_MBIT, PRODUCT, VENDOR, Machine, Power
from drydock.simulator.site import Site

ROOT = "/redfish/v1"
BOOT_TARGETS = ("None", "Pxe", "UefiHttp", "Hdd", "Cd")
BOOT_MODES = ("Legacy", "UEFI")
BOOT_ENABLED = ("Disabled", "Once", "Continuous")

Reset = Callable[[Life, Machine], None]
RESETS: Mapping[str, Reset] = MappingProxyType(
    {
        "On": Life.power_on,
        "ForceOn": Life.power_on,
        "ForceOff": Life.power_off,
        "GracefulShutdown": Life.power_off,
        "ForceRestart": Life.restart,
        "GracefulRestart": Life.restart,
        "PowerCycle": Life.restart,
    }
)


def add_routes(app: falcon.App[falcon.Request, falcon.Response], site: Site, life: Life) -> None:
    system = System(site, life)
    app.add_route(ROOT, ServiceRoot())
    app.add_route(f"{ROOT}/Systems", Systems(site))
    app.add_route(f"{ROOT}/Systems/{{identity}}", system)
    app.add_route(f"{ROOT}/Systems/{{identity}}/Actions/ComputerSystem.Reset", system, suffix="reset")
    app.add_route(f"{ROOT}/Systems/{{identity}}/EthernetInterfaces", system, suffix="interfaces")
    app.add_route(f"{ROOT}/Systems/{{identity}}/EthernetInterfaces/{{interface}}", system, suffix="interface")


class ServiceRoot:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = {
            "@odata.type": "#ServiceRoot.v1_5_0.ServiceRoot",
            "@odata.id": f"{ROOT}/",
            "Id": "RootService",
            "Name": "Simulated site",
            "RedfishVersion": "1.6.0",
            "Systems": _link("Systems"),
        }


class Systems:
    def __init__(self, site: Site) -> None:
        self._site = site

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        names = sorted(machine.name for machine in self._site.all())
        resp.media = _collection("ComputerSystemCollection", "Systems", names)


class System:
    def __init__(self, site: Site, life: Life) -> None:
        self._site = site
        self._life = life

    def on_get(self, req: falcon.Request, resp: falcon.Response, identity: str) -> None:
        resp.media = _system(self._site.asked_for(identity), identity)

    def on_patch(self, req: falcon.Request, resp: falcon.Response, identity: str) -> None:
        machine = self._site.asked_for(identity)
        boot = _object(req.get_media()).get("Boot")
        if not isinstance(boot, dict):
            raise falcon.HTTPBadRequest(description="Boot: only the boot override can be changed")
        with machine.lock:
            override = machine.boot_override
            target = _one_of(boot, "BootSourceOverrideTarget", BOOT_TARGETS, override.target)
            enabled = _one_of(boot, "BootSourceOverrideEnabled", BOOT_ENABLED, "Once")
            if target == "None":
                enabled = "Disabled"
            override.mode = _one_of(boot, "BootSourceOverrideMode", BOOT_MODES, override.mode)
            override.target, override.enabled = target, enabled
            machine.note(f"boot device {target}, {enabled.lower()}")
        resp.status = falcon.HTTP_204

    def on_post_reset(self, req: falcon.Request, resp: falcon.Response, identity: str) -> None:
        machine = self._site.asked_for(identity)
        reset_type = _one_of(_object(req.get_media()), "ResetType", tuple(RESETS), "")
        if not reset_type:
            raise falcon.HTTPBadRequest(description="ResetType is missing")
        RESETS[reset_type](self._life, machine)
        resp.status = falcon.HTTP_204

    def on_get_interfaces(self, req: falcon.Request, resp: falcon.Response, identity: str) -> None:
        macs = self._site.asked_for(identity).macs
        path = f"Systems/{identity}/EthernetInterfaces"
        resp.media = _collection("EthernetInterfaceCollection", path, [str(port) for port in range(len(macs))])

    def on_get_interface(self, req: falcon.Request, resp: falcon.Response, identity: str, interface: str) -> None:
        macs = {str(port): mac for port, mac in enumerate(self._site.asked_for(identity).macs)}
        if interface not in macs:
            raise falcon.HTTPNotFound(description=f"there is no interface {interface!r}")
        resp.media = {
            "@odata.type": "#EthernetInterface.v1_4_0.EthernetInterface",
            "@odata.id": f"{ROOT}/Systems/{identity}/EthernetInterfaces/{interface}",
            "Id": interface,
            "Name": f"Port {interface}",
            "MACAddress": macs[interface],
            "PermanentMACAddress": macs[interface],
            "SpeedMbps": NIC_MBIT,
            "Status": {"State": "Enabled", "Health": "OK"},
        }


def _system(machine: Machine, identity: str) -> dict[str, Any]:
    path = f"Systems/{identity}"
    with machine.lock:
        return {
            "@odata.type": "#ComputerSystem.v1_13_0.ComputerSystem",
            "@odata.id": f"{ROOT}/{path}",
            "Id": identity,
            "Name": machine.name,
            "UUID": machine.uuid,
            "Manufacturer": VENDOR,
            "Model": PRODUCT,
            "SerialNumber": machine.serial,
            "BiosVersion": BIOS_VERSION,
            "PowerState": _power_state(machine),
            "MemorySummary": {"TotalSystemMemoryGiB": machine.memory_gib},
            "ProcessorSummary": {"Count": machine.cpus},
            "Boot": {
                "BootSourceOverrideTarget": machine.boot_override.target,
                "BootSourceOverrideTarget@Redfish.AllowableValues": list(BOOT_TARGETS),
                "BootSourceOverrideEnabled": machine.boot_override.enabled,
                "BootSourceOverrideMode": machine.boot_override.mode,
            },
            "EthernetInterfaces": _link(f"{path}/EthernetInterfaces"),
            "Actions": {
                "#ComputerSystem.Reset": {
                    "target": f"{ROOT}/{path}/Actions/ComputerSystem.Reset",
                    "ResetType@Redfish.AllowableValues": list(RESETS),
                }
            },
        }


def _power_state(machine: Machine) -> str:
    if machine.power is machine.wanted_power:
        return "On" if machine.power is Power.ON else "Off"
    return "PoweringOn" if machine.wanted_power is Power.ON else "PoweringOff"


def _object(media: object) -> Mapping[str, Any]:
    if not isinstance(media, dict):
        raise falcon.HTTPBadRequest(description="the body must be an object")
    return media


def _one_of(values: Mapping[str, Any], name: str, allowed: tuple[str, ...], default: str) -> str:
    value = values.get(name, default)
    if name in values and value not in allowed:
        raise falcon.HTTPBadRequest(description=f"{name} must be one of {', '.join(allowed)}")
    return str(value)


def _collection(kind: str, path: str, members: list[str]) -> dict[str, Any]:
    return {
        "@odata.type": f"#{kind}.{kind}",
        "@odata.id": f"{ROOT}/{path}",
        "Name": path.rpartition("/")[2],
        "Members@odata.count": len(members),
        "Members": [_link(f"{path}/{member}") for member in members],
    }


def _link(path: str) -> dict[str, str]:
    return {"@odata.id": f"{ROOT}/{path}"}
