"""A plan as a page: blocked nodes first, equal changes together, counts at the end."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import click

from drydock.cli.output import clean, duration
from drydock.counting import counted

COLOURS = {"blocked": "red", "destroy": "red", "redeploy": "yellow", "deploy": "green", "keep": None}
#: Names of nodes in a line.
MAX_NAMES = 10
#: Characters of one value.
MAX_VALUE = 120
#: Reasons that differ from node to node and do not part a group.
OWN = ("interrupts",)


def print_plan(plan: Mapping[str, Any], nodes: Iterable[Mapping[str, Any]]) -> None:
    for change in plan["site"]:
        click.echo(f"site  {_change(change)}")
    for (decision, _), group in _groups(nodes).items():
        names = ", ".join(node["node"] for node in group[:MAX_NAMES])
        more = f" and {len(group) - MAX_NAMES} more" if len(group) > MAX_NAMES else ""
        title = f"{decision}  {counted(len(group), 'node')}: {clean(names)}{more}"
        click.secho(title, fg=COLOURS.get(decision), bold=True)
        for line in _lines(group[0]["reasons"]):
            click.echo(f"    {line}")
        interrupted = [reason for node in group for reason in node["reasons"] if reason["kind"] in OWN]
        if interrupted:
            more = f", and {len(interrupted) - 1} more" if len(interrupted) > 1 else ""
            click.echo(f"    interrupts {clean(interrupted[0]['text'])}{more}")
    counts = ", ".join(f"{number} {decision}" for decision, number in plan["counts"].items() if number)
    changes = any(number for decision, number in plan["counts"].items() if decision != "keep")
    nothing = " Only the site changes." if plan["site"] else " No changes."
    tail = _time(plan["estimate"]) if changes else nothing
    click.echo(f"\nPlan {plan['plan_id']}\nNodes: {counts or 'none'}.{tail}")
    ends = plan.get("waves") or []
    if len(ends) > 1:
        sizes = ", ".join(str(end - before) for before, end in zip([0, *ends], ends, strict=False))
        click.echo(f"Waves by default: {sizes} nodes.")
    if plan.get("applied_by"):
        click.echo(f"Applied by task {plan['applied_by']}.")


def _groups(nodes: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    """Nodes with the same decision for the same reasons, in the plan's order."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for node in nodes:
        shared = [reason for reason in node["reasons"] if reason["kind"] not in OWN]
        groups.setdefault((node["decision"], json.dumps(shared, sort_keys=True)), []).append(node)
    return groups


def _lines(reasons: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for reason in reasons:
        if reason["kind"] == "change":
            yield _change(reason)
        elif reason["kind"] not in OWN:
            yield f"{reason['kind']}: {clean(reason['text'])}"


def _change(change: Mapping[str, Any]) -> str:
    return clean(f"{change['path']}: {_value(change['old'])} -> {_value(change['new'])}")


def _value(value: Any) -> str:
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_VALUE else f"{text[: MAX_VALUE - 1]}…"


def _time(estimate: Mapping[str, Any] | None) -> str:
    if estimate is None:
        return " How long it takes: no history."
    return (
        f" It takes {duration(estimate['p50'])} in half of all cases, {duration(estimate['p90'])} in nine of ten "
        f"(from {estimate['samples']} nodes before)."
    )
