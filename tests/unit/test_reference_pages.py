"""What the reference pages and the policy rules list is what the code does: nothing is missing, nothing is made up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drydock.api.access import Access
from drydock.api.limits import Limits
from drydock.api.routes import PREFIX, Route, Services, routes
from drydock.metrics import ApiMetrics
from drydock.model.actions import Action
from drydock.orchestrator.workflows.table import WORKFLOWS
from drydock.policies import list_rules

REFERENCE = Path(__file__).parents[2] / "docs/reference"
#: Under these names deployed clients ask for what is documented under others.
ALIASES = {"/bootactions/nodes/": "/bootdata/", "/bootactions/": "/bootaction/"}
_CALL = re.compile(r"(?:(GET|POST|PUT|DELETE) )?(/[^\s?]*)")


def table() -> tuple[Route, ...]:
    nothing: Any = None
    return routes(Services(nothing, nothing, nothing, nothing, nothing, Limits(), ApiMetrics(), nothing, nothing))


def methods(route: Route) -> set[str]:
    return {name[3:].upper() for name in dir(route.resource) if name.startswith("on_")} - {"HEAD"}


def plain(path: str) -> str:
    """Without the prefix, and whatever the parameters are called."""
    path = path.removeprefix(PREFIX).removeprefix("/api")
    for alias, name in ALIASES.items():
        if path.startswith(alias):
            path = name + path.removeprefix(alias)
            break
    return re.sub(r"{\w+}", "{}", path)


def calls(cell: str) -> Iterator[tuple[str, str]]:
    """The calls that the first cell of a row names; ```/units``` behind another stands for its last part."""
    method, before = "", ""
    for span in re.findall(r"`([^`]+)`", cell):
        found = _CALL.fullmatch(span.partition("?")[0])
        if found is None:
            continue
        given, path = found.groups()
        if given is None and before and path.count("/") < before.count("/"):
            path = before.rsplit("/", path.count("/"))[0] + path
        method, before = given or method, path
        yield method, plain(path)


def documented() -> dict[tuple[str, str], str]:
    """By call, the second cell of its row."""
    lines = (REFERENCE / "api.md").read_text().split("## Routes", 1)[1].split("\n## ", 1)[0].splitlines()
    rows = [line.strip("|").split("|") for line in lines if line.startswith("| `")]
    return {call: row[1].strip() for row in rows for call in calls(row[0])}


def expected(route: Route, method: str) -> str:
    if route.access is Access.OPERATOR:
        return f"`{route.rules[method].partition(':')[2]}`"
    return "open" if route.access is Access.OPEN else "key"


@pytest.mark.parametrize(
    ("route", "method"),
    [
        pytest.param(route, method, id=f"{method} {route.path}")
        for route in table()
        for method in sorted(methods(route))
    ],
)
def test_each_call_has_its_line_with_its_rule(route: Route, method: str) -> None:
    line = documented().get((method, plain(route.path)))
    assert line is not None, "docs/reference/api.md has no line for it"
    assert expected(route, method) in line


def test_each_line_is_a_call() -> None:
    there = {(method, plain(route.path)) for route in table() for method in methods(route)}
    assert set(documented()) - there == set()


@pytest.mark.parametrize("rule", list_rules(), ids=lambda rule: str(rule.name))
def test_a_rule_lists_the_calls_that_it_guards(rule: Any) -> None:
    listed = {(operation["method"], operation["path"]) for operation in getattr(rule, "operations", ())}
    guarded = {(method, route.path) for route in table() for method, name in route.rules.items() if name == rule.name}
    assert guarded <= listed
    # A responder may ask for one more rule than its row: that of the task's action, or of build data.
    assert {path.partition("?")[0] for _, path in listed} <= {route.path for route in table()}


def sections() -> dict[str, str]:
    """The text of each section of the page of actions, by its heading."""
    parts = re.split(r"^## (.+)$", (REFERENCE / "actions.md").read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def heading(action: Action) -> str:
    """The steps of a node's subtask stand in the section of the action that made it."""
    plural = f"{action.value}s"
    return plural if plural in set(Action) else action.value


@pytest.mark.parametrize("action", WORKFLOWS, ids=str)
def test_each_step_is_in_the_section_of_its_action(action: Action) -> None:
    pages = sections()
    text = pages[heading(action)] + pages["What holds for all"]
    missing = [step.name for step in WORKFLOWS[action].every_step if f"`{step.name}`" not in text]
    assert not missing, f"docs/reference/actions.md, {action}: {missing}"


def test_each_step_of_a_chain_exists() -> None:
    known = {step.name for workflow in WORKFLOWS.values() for step in workflow.steps}
    for heading, text in sections().items():
        for chain in re.findall(r"`\w+`(?:\s+→\s+`\w+`)+", text):
            assert set(re.findall(r"\w+", chain)) <= known, heading
