"""Route domains: networks that reach each other, each through its own gateway; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from drydock.model.network import Network, Route


def expand(networks: Mapping[str, Network]) -> Mapping[str, Network]:
    """Networks with a route to every other member of each domain that they have a marker route for.

    The first marker of a domain counts, and only with gateway and metric. The marker itself stays.
    """
    members: dict[str, list[str]] = {}
    for network in networks.values():
        if network.routedomain is not None:
            members.setdefault(network.routedomain, []).append(network.cidr)
    return MappingProxyType({name: _expand(network, members) for name, network in networks.items()})


def _expand(network: Network, members: Mapping[str, list[str]]) -> Network:
    derived: list[Route] = []
    for domain, cidrs in members.items():
        marker = next((route for route in network.routes if route.routedomain == domain), None)
        if marker is not None and marker.gateway and marker.metric:
            derived += (Route(cidr, marker.gateway, marker.metric) for cidr in cidrs if cidr != network.cidr)
    return replace(network, routes=(*network.routes, *derived)) if derived else network
