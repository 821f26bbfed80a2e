"""Networks (layers 2 and 3) and the links that carry them (layers 1 and 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

DEFAULT_ROUTE = frozenset({"0.0.0.0/0", "::/0"})


class BondMode(StrEnum):
    DISABLED = "disabled"
    LACP = "802.3ad"
    ACTIVE_BACKUP = "active-backup"
    BALANCE_RR = "balance-rr"


class TrunkMode(StrEnum):
    DISABLED = "disabled"
    TAGGED = "802.1q"


@dataclass(frozen=True, slots=True)
class Bonding:
    """Rates and delays in milliseconds. ``hash`` and ``peer_rate`` apply to 802.3ad only."""

    mode: BondMode = BondMode.DISABLED
    hash: str | None = None
    peer_rate: str | None = None
    mon_rate: int | None = None
    up_delay: int | None = None
    down_delay: int | None = None


@dataclass(frozen=True, slots=True)
class NetworkLink:
    """``native_network`` is the untagged one. A ``noconfig`` label makes the provisioner leave the link alone."""

    name: str
    allowed_networks: tuple[str, ...]
    bonding: Bonding = Bonding()
    mtu: int = 1500
    linkspeed: str = "auto"
    trunk_mode: TrunkMode = TrunkMode.DISABLED
    native_network: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AddressRange:
    """``type`` is free text in existing designs; ``static``, ``dhcp`` and ``reserved`` are documented."""

    type: str | None
    start: str | None
    end: str | None


@dataclass(frozen=True, slots=True)
class Route:
    """To ``subnet``; without one it marks membership: routes to all networks of ``routedomain`` are derived from it."""

    subnet: str | None
    gateway: str | None
    metric: str | None
    routedomain: str | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """``cidr`` as written; rule DD2006 checks it. ``vlan`` is the 802.1q tag, None if untagged."""

    name: str
    cidr: str
    vlan: str | None = None
    mtu: int | None = None
    routedomain: str | None = None
    ranges: tuple[AddressRange, ...] = ()
    routes: tuple[Route, ...] = ()
    dns_domain: str = "local"
    dns_servers: str | None = None
    dhcp_relay_self_ip: str | None = None
    dhcp_relay_upstream_target: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def default_gateway(self) -> str | None:
        """The gateway of the first default route."""
        return next((route.gateway for route in self.routes if route.subnet in DEFAULT_ROUTE), None)
