"""One builder per document kind: data that fits its schema becomes a model record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from drydock.design.kinds.boot_action import boot_action
from drydock.design.kinds.hardware import hardware_profile
from drydock.design.kinds.host import host_profile
from drydock.design.kinds.network import network, network_link
from drydock.design.kinds.region import rack, region

#: Kind to builder. A BaremetalNode is built after inheritance, by ``effective.py``.
BUILDERS: Mapping[str, Callable[[str, Mapping[str, Any]], Any]] = {
    "Region": region,
    "Rack": rack,
    "NetworkLink": network_link,
    "Network": network,
    "HardwareProfile": hardware_profile,
    "HostProfile": host_profile,
    "BootAction": boot_action,
}
