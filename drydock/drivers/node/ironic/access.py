"""What Ironic is given when a machine is enrolled: its BMC, its capabilities, its traits. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from drydock.drivers.node.ironic.settings import IronicSettings
from drydock.drivers.node.records import ProvisionedNode
from drydock.drivers.oob.base import BmcAccess
from drydock.errors import DriverRefused
from drydock.model.oob_parameters import flag, in_url, is_template

MASK = "******"
LONGEST_TRAIT = 255
TRAITS = "drydock_traits"
"""In ``extra``: the traits that we added, a list. Others are the operator's of Ironic, also where a design has them."""
CAPABILITY = "drydock_capability"
"""In ``extra``: the capability that we set."""
BMC = "drydock_bmc"
"""In ``extra``: what was sent of the BMC, see ``bmc_record``."""
INSPECTION = "drydock_inspection"
"""In ``extra``: ``for`` what it was last inspected once more, and when the inspection before that ended (``after``)."""
ENROLLED = "drydock_node"
"""In ``extra``: the name in our design, of what we enrolled or adopted; also of the ports that we added."""
PORT = "drydock_port"
"""In ``extra``: the MAC of the NIC that it boots from, as the design had it when its port was seen to."""


def redfish_info(bmc: BmcAccess, settings: IronicSettings) -> dict[str, Any]:
    """TLS is verified unless the design says otherwise; ``driver_info`` of the options may name the authorities."""
    given = bmc.parameters
    info: dict[str, Any] = {
        "redfish_address": _filled(given.get("endpoint") or settings.redfish_endpoint, bmc),
        "redfish_username": bmc.account,
        "redfish_password": bmc.credential,
    }
    verified = flag(given.get("verify_tls", "")) is not False
    info["redfish_verify_ca"] = settings.driver_info.get("redfish_verify_ca", True) if verified else False
    system = _filled(given.get("system", ""), bmc)
    if system:
        info["redfish_system_id"] = system if system.startswith("/") else f"/redfish/v1/Systems/{system}"
    return info


def _filled(template: str, bmc: BmcAccess) -> str:
    """Raises ``DriverRefused``: parameters of types that are not known to the design's rules are not checked there."""
    if not is_template(template):
        raise DriverRefused(
            f"oob.endpoint and oob.system of {bmc.node} may have the fields {{address}} and {{node}} only"
        )
    return template.format(address=in_url(bmc.address or ""), node=bmc.node)


def ipmi_info(bmc: BmcAccess, settings: IronicSettings) -> dict[str, Any]:
    info: dict[str, Any] = {
        "ipmi_address": bmc.address,
        "ipmi_username": bmc.account,
        "ipmi_password": bmc.credential,
    }
    for ours, ironics in (("port", "ipmi_port"), ("cipher_suite", "ipmi_cipher_suite")):
        if bmc.parameters.get(ours):
            info[ironics] = bmc.parameters[ours]
    return info


#: By Ironic's hardware type. Dell's speaks Redfish, Intel's IPMI.
DRIVER_INFO = {"redfish": redfish_info, "idrac": redfish_info, "ipmi": ipmi_info, "intel-ipmi": ipmi_info}
#: Those that reach no BMC.
WITHOUT_ACCESS = frozenset({"fake-hardware", "manual-management"})


def is_unknown(hardware_type: str) -> bool:
    """Whether it wants an access of which nothing is known here: then the options' ``driver_info`` has to give it."""
    return hardware_type not in DRIVER_INFO and hardware_type not in WITHOUT_ACCESS


def driver_info(bmc: BmcAccess, settings: IronicSettings) -> dict[str, Any]:
    make = DRIVER_INFO.get(settings.hardware_types[bmc.type])
    return {**settings.driver_info, **({} if make is None else make(bmc, settings))}


def differs(shown: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether what Ironic shows is not what is wanted; passwords are masked there and cannot be compared."""
    return any(shown.get(name) not in (value, MASK) for name, value in wanted.items())


def new_node(
    node: ProvisionedNode, bmc: BmcAccess, settings: IronicSettings, sent: Mapping[str, Any]
) -> dict[str, Any]:
    """The document of ``POST nodes``. ``sent``: the record of the BMC."""
    return {
        "name": node.name,
        "driver": settings.hardware_types[bmc.type],
        "driver_info": driver_info(bmc, settings),
        "properties": properties(node, {}),
        "extra": {
            ENROLLED: node.name,
            BMC: dict(sent),
            **port_record(node),
            TRAITS: list(traits(node)),
            **({} if node.hardware.boot_mode is None else {CAPABILITY: _capability(node)}),
        },
        **{f"{kind}_interface": name for kind, name in settings.interfaces.items()},
        **({} if settings.automated_clean is None else {"automated_clean": settings.automated_clean}),
    }


def properties(node: ProvisionedNode, known: Mapping[str, Any], ours: object = None) -> dict[str, Any]:
    """``known`` with the capability that the hardware profile asks for, without the one that is ours otherwise."""
    pairs = [pair for pair in str(known.get("capabilities") or "").split(",") if pair]
    wanted = _capability(node)
    if wanted is None:
        if ours not in pairs:
            return dict(known)
        kept = [pair for pair in pairs if pair != ours]
    else:
        others = [pair for pair in pairs if not pair.startswith("boot_mode:")]
        if sorted([*others, wanted]) == sorted(pairs):
            # Whatever the order: what is there already is not ours.
            return dict(known)
        kept = [*others, wanted]
    rest = {name: value for name, value in known.items() if name != "capabilities"}
    return {**rest, "capabilities": ",".join(kept)} if kept else rest


def _capability(node: ProvisionedNode) -> str | None:
    mode = node.hardware.boot_mode
    return None if mode is None else f"boot_mode:{mode.value}"


def changed_properties(
    node: ProvisionedNode, known: Mapping[str, Any], extra: Mapping[str, Any]
) -> list[dict[str, object]]:
    """The changes of a node's properties, with the record of which capability is ours: one patch, or none."""
    value = properties(node, known, extra.get(CAPABILITY))
    if value == dict(known):
        return []
    changes: list[dict[str, object]] = [{"op": "add", "path": "/properties", "value": value}]
    wanted = _capability(node)
    if wanted is not None:
        return [*changes, {"op": "add", "path": f"/extra/{CAPABILITY}", "value": wanted}]
    return [*changes, {"op": "remove", "path": f"/extra/{CAPABILITY}"}]


def port_record(node: ProvisionedNode) -> dict[str, str]:
    """Part of ``extra``; empty if the design has no such MAC."""
    return {} if node.boot_mac is None else {PORT: node.boot_mac.lower()}


def recorded_traits(extra: Mapping[str, Any]) -> frozenset[str]:
    """Those that we added; none where the record is not ours."""
    found = extra.get(TRAITS)
    return frozenset(each for each in found if isinstance(each, str)) if isinstance(found, list) else frozenset()


def traits(node: ProvisionedNode) -> tuple[str, ...]:
    """The hardware profile and the tags, as traits of the operator's own (``CUSTOM_…``), sorted."""
    hardware = node.hardware
    named = (("VENDOR", hardware.vendor), ("GENERATION", hardware.generation), ("HW_VERSION", hardware.hw_version))
    found = [f"{kind}_{value}" for kind, value in named if value]
    found += [f"TAG_{tag}" for tag in node.tags]
    return tuple(sorted({f"CUSTOM_{re.sub('[^A-Z0-9_]', '_', text.upper())}"[:LONGEST_TRAIT] for text in found}))
