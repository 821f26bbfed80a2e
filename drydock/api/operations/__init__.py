"""The route table, of which access, parsing, the bypass for nodes and the description of the API are made."""

from __future__ import annotations

from dataclasses import replace

from drydock.api.operations import designs, health, holds, machines, nodes, plans, tasks
from drydock.api.operations.health import VERSIONS
from drydock.api.route import PREFIX, Access, Route

#: Every route, with its whole path.
TABLE: tuple[Route, ...] = (
    *(Route(path, "versions", Access.OPEN, {"GET": VERSIONS}) for path in ("/versions", "/api/versions")),
    *(
        replace(route, path=PREFIX + route.path, alias_of=None if route.alias_of is None else PREFIX + route.alias_of)
        for noun in (health, tasks, plans, nodes, holds, designs, machines)
        for route in noun.ROUTES
    ),
)
