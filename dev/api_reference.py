"""Writes what is made of the route table: docs/reference/openapi.json and the table of routes in docs/reference/api.md.

    python -m dev.api_reference [--check]

With ``--check`` nothing is written; the exit status is 1 if a file is not as it would be written.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from drydock.api.openapi import description
from drydock.api.operations import TABLE
from drydock.api.route import PREFIX, Access, Operation, Route
from drydock.http_server.refusals import STATUSES

REFERENCE = Path(__file__).parents[1] / "docs/reference"
_RULES = {Access.OPEN: "open", Access.NODE_KEY: "node's key", Access.PATH_KEY: "key in the path"}
BEGIN, END = "<!-- routes: made by make samples -->", "<!-- end of routes -->"


def main() -> None:
    page = REFERENCE / "api.md"
    made = {
        REFERENCE / "openapi.json": json.dumps(openapi(), indent=1, ensure_ascii=False) + "\n",
        page: _with_table(page.read_text()),
    }
    old = [path for path, text in made.items() if not path.exists() or path.read_text() != text]
    for path in old:
        if "--check" in sys.argv[1:]:
            print(f"{path.relative_to(REFERENCE.parents[1])} is out of date: make samples", file=sys.stderr)
        else:
            path.write_text(made[path])
    if old and "--check" in sys.argv[1:]:
        sys.exit(1)


def openapi() -> dict[str, Any]:
    return description(TABLE, server_statuses=STATUSES)


def _with_table(page: str) -> str:
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n" + "\n".join(_lines()) + f"\n\n{END}{after}"


def _lines() -> Iterator[str]:
    yield "| route | rule | what |"
    yield "|---|---|---|"
    aliases: dict[str, str] = {route.alias_of: route.path for route in TABLE if route.alias_of is not None}
    for route in TABLE:
        if route.alias_of is None and route.path not in ("/versions", "/api/versions"):
            for method, of in route.operations.items():
                yield f"| {_call(route, method, of)} | {_rule(route, of)} | {_what(of, aliases.get(route.path))} |"


def _call(route: Route, method: str, of: Operation) -> str:
    return f"`{method} {route.path.removeprefix(PREFIX)}`"


def _rule(route: Route, of: Operation) -> str:
    if of.rule is None:
        return _RULES[route.access]
    return f"`{of.rule.partition(':')[2]}`"


def _what(of: Operation, alias: str | None) -> str:
    query = f" Query: {', '.join(f'`{parameter.name}`' for parameter in of.query)}." if of.query else ""
    headers = f" Headers: {', '.join(f'`{header.name}`' for header in of.headers)}." if of.headers else ""
    also = f" Also `{alias.removeprefix(PREFIX)}`." if alias else ""
    return f"{of.summary}{query}{headers}{also}"


if __name__ == "__main__":
    main()
