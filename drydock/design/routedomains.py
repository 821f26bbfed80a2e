"""Route domains: networks with routes to each other through their gateways; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from drydock.errors import DesignInvalid
from drydock.model.network import Network, Route

MAX_ROUTES = 250_000


def expand(networks: Mapping[str, Network]) -> Mapping[str, Network]:
    """Adds to each network routes to the other members of each domain for which it has a marker route.

    The first marker of a domain is used, and only with gateway and metric. The marker itself stays. Raises
    ``DesignInvalid`` for too many routes: their number grows with the square of the members.
    """
    members: dict[str, list[str]] = {}
    for network in networks.values():
        if network.routedomain is not None:
            members.setdefault(network.routedomain, []).append(network.cidr)
    routes = sum(
        len(members[route.routedomain])
        for network in networks.values()
        for route in network.routes
        if route.routedomain is not None and route.routedomain in members
    )
    if routes > MAX_ROUTES:
        raise DesignInvalid(f"route domains make {routes} routes; at most {MAX_ROUTES} are possible")
    order = {domain: place for place, domain in enumerate(members)}
    return MappingProxyType({name: _expand(network, members, order) for name, network in networks.items()})


def _expand(network: Network, members: Mapping[str, list[str]], order: Mapping[str, int]) -> Network:
    markers: dict[str, Route] = {}
    for route in network.routes:
        if route.routedomain is not None and route.routedomain in order:
            markers.setdefault(route.routedomain, route)
    derived: list[Route] = []
    for domain in sorted(markers, key=order.__getitem__):
        marker = markers[domain]
        if marker.gateway and marker.metric:
            cidrs = (cidr for cidr in members[domain] if cidr != network.cidr)
            derived += (Route(cidr, marker.gateway, marker.metric) for cidr in cidrs)
    return replace(network, routes=(*network.routes, *derived)) if derived else network
