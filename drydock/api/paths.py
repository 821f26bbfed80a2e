"""Patterns of paths, made of the route table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from drydock.api.route import Route

_PARAMETER = re.compile(r"{\w+}")


def node_paths(table: Iterable[Route]) -> re.Pattern[str]:
    """Matches, as a whole, the paths of routes that machines ask with their key; also with a slash behind them."""
    return _any(pattern(route.path, "[^/]+") for route in table if route.access.of_nodes)


def plain_paths(table: Iterable[Route]) -> tuple[re.Pattern[str], Mapping[int, Route]]:
    """Matches the paths of plain routes whose only parameter is an ordinary host name, each in a group of its own
    with the name in the next; and the route by the number of its group, which is ``lastindex``.
    """
    plain = [route for route in table if route.plain]
    found = _any(f"({pattern(route.path, r'([A-Za-z0-9_.-]{1,255})')})" for route in plain)
    return found, {2 * number - 1: route for number, route in enumerate(plain, 1)}


def pattern(path: str, parameter: str) -> str:
    """The template as a regular expression, with ``parameter`` for each parameter."""
    return parameter.join(map(re.escape, _PARAMETER.split(path)))


def _any(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile(f"(?:{'|'.join(patterns)})/?")
