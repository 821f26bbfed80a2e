"""Networks and network links from their documents' data."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from drydock.design.kinds.values import required, strings, text_map, whole_number
from drydock.errors import DesignInvalid
from drydock.model.network import AddressRange, Bonding, BondMode, Network, NetworkLink, Route, TrunkMode

#: Upstream's documentation spells this mode as no other program does.
_BOND_SPELLINGS = {"balanced-rr": "balance-rr"}

_Mode = TypeVar("_Mode", bound=StrEnum)


def network_link(name: str, data: Mapping[str, Any]) -> NetworkLink:
    """Raises ``DesignInvalid``."""
    trunking = data.get("trunking", {})
    return NetworkLink(
        name=name,
        labels=text_map(data.get("labels")),
        bonding=_bonding(data.get("bonding", {})),
        mtu=whole_number(data.get("mtu", 1500), "mtu"),
        linkspeed=data.get("linkspeed", "auto"),
        trunk_mode=_mode(TrunkMode, trunking.get("mode", "disabled"), "trunking.mode"),
        native_network=trunking.get("default_network"),
        allowed_networks=strings(required(data, "allowed_networks")),
    )


def network(name: str, data: Mapping[str, Any]) -> Network:
    """Raises ``DesignInvalid``."""
    dns, relay = data.get("dns", {}), data.get("dhcp_relay", {})
    mtu = data.get("mtu")
    return Network(
        name=name,
        labels=text_map(data.get("labels")),
        cidr=required(data, "cidr"),
        vlan=data.get("vlan"),
        mtu=None if mtu is None else whole_number(mtu, "mtu"),
        routedomain=data.get("routedomain"),
        ranges=tuple(
            AddressRange(item.get("type"), item.get("start"), item.get("end")) for item in data.get("ranges", ())
        ),
        routes=tuple(_route(item) for item in data.get("routes", ())),
        dns_domain=dns.get("domain", "local"),
        dns_servers=dns.get("servers"),
        dhcp_relay_self_ip=relay.get("self_ip"),
        dhcp_relay_upstream_target=relay.get("upstream_target"),
    )


def _bonding(data: Mapping[str, Any]) -> Bonding:
    mode = _mode(BondMode, _BOND_SPELLINGS.get(data.get("mode", ""), data.get("mode", "disabled")), "bonding.mode")
    if mode is BondMode.DISABLED:
        return Bonding()
    lacp = mode is BondMode.LACP
    return Bonding(
        mode=mode,
        hash=data.get("hash", "layer3+4") if lacp else None,
        peer_rate=data.get("peer_rate", "fast") if lacp else None,
        mon_rate=whole_number(data.get("mon_rate", 100), "bonding.mon_rate"),
        up_delay=whole_number(data.get("up_delay", 200), "bonding.up_delay"),
        down_delay=whole_number(data.get("down_delay", 200), "bonding.down_delay"),
    )


def _route(data: Mapping[str, Any]) -> Route:
    metric = data.get("metric")
    return Route(
        subnet=data.get("subnet"),
        gateway=data.get("gateway"),
        metric=None if metric is None else str(metric),
        routedomain=data.get("routedomain"),
    )


def _mode(modes: type[_Mode], value: str, field: str) -> _Mode:
    try:
        return modes(value)
    except ValueError:
        raise DesignInvalid(f"{field} must be one of {', '.join(modes)}, not {value:.100}") from None
