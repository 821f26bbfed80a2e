"""What Ironic was sent of a node's BMC, and what of that the design has changed. Pure.

Ironic masks passwords. The record in the node's ``extra`` shows a change of them:

    {"driver": "redfish", "names": ["redfish_address", …], "digest": "…"}

``names``: of what is ours in ``driver_info``. ``digest``: of their values, keyed, so that a reader of the node cannot
check a guess of its password.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from drydock.drivers.node.ironic import access, states
from drydock.drivers.node.ironic.nodes import IronicNode
from drydock.drivers.node.ironic.settings import IronicSettings
from drydock.drivers.oob.base import BmcAccess

UNCHANGEABLE = states.PASSING - {states.VERIFYING, states.INSPECT_WAIT}
"""Ironic refuses to change a node in these states, as in others of which there is no set (rescuing): by a 409."""
_WITH_INTERFACES = frozenset({states.ENROLL, states.MANAGEABLE, states.AVAILABLE, states.INSPECT_WAIT})


@dataclass(frozen=True, slots=True)
class AccessChange:
    """``patch``: of the node. ``driver``: the hardware type in place of the one that Ironic has; None: that stays."""

    patch: Sequence[Mapping[str, object]] = field(repr=False)
    driver: str | None


def record(bmc: BmcAccess, settings: IronicSettings) -> dict[str, Any]:
    info = access.driver_info(bmc, settings)
    content = json.dumps([bmc.node, info], sort_keys=True)
    return {
        "driver": settings.hardware_types[bmc.type],
        "names": sorted(info),
        "digest": settings.digests.of(content.encode()),
    }


def change(bmc: BmcAccess, seen: IronicNode, settings: IronicSettings, *, again: bool) -> AccessChange | None:
    """None if Ironic has what the design says. ``again``: send it, if there is anything, also then."""
    info, wanted, found = access.driver_info(bmc, settings), record(bmc, settings), seen.extra.get(access.BMC)
    known: Mapping[str, Any] = found if isinstance(found, dict) else {}
    driver = _other_driver(seen.driver, wanted["driver"], known.get("driver"))
    as_wanted = known == wanted and driver is None and not access.differs(seen.driver_info, info)
    if as_wanted and not (again and info):
        return None
    gone = [name for name in known.get("names") or () if name in seen.driver_info and name not in info]
    # One by one: what is not ours stays, also what Ironic shows masked.
    patch: list[Mapping[str, object]] = [{"op": "remove", "path": _path(name)} for name in gone]
    patch += [{"op": "add", "path": _path(name), "value": value} for name, value in info.items()]
    if driver is not None:
        patch.append({"op": "replace", "path": "/driver", "value": driver})
        patch += [
            {"op": "add", "path": f"/{kind}_interface", "value": name} for kind, name in settings.interfaces.items()
        ]
    return AccessChange([*patch, {"op": "add", "path": f"/extra/{access.BMC}", "value": wanted}], driver)


def driver_stays(seen: IronicNode, settings: IronicSettings) -> bool:
    """Whether Ironic would refuse another hardware type now, as interfaces are given with it."""
    return bool(settings.interfaces) and seen.maintenance is None and seen.state not in _WITH_INTERFACES


def _other_driver(there: str | None, wanted: str, sent: object) -> str | None:
    """A type that an operator of Ironic chose stays, if it takes the same access: a vendor's that speaks Redfish."""
    if there in (wanted, None):
        return None
    makers = access.DRIVER_INFO.get(there or ""), access.DRIVER_INFO.get(wanted)
    return None if there != sent and makers[0] is makers[1] is not None else wanted


def _path(name: str) -> str:
    return f"/driver_info/{name.replace('~', '~0').replace('/', '~1')}"
