"""Checks the nodes that a task would select, in its design, before the task is created.

An unknown name, or an empty selection, is an error here: as a task it would be a
success with no nodes in scope. Destroying or forcing a whole site needs a confirmation or the number of nodes.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import click

from drydock.cli.output import clean
from drydock.cli.references import DESIGN_SCHEME
from drydock.client.errors import Forbidden, ReplyError
from drydock.counting import counted
from drydock.model.actions import action_row

if TYPE_CHECKING:
    from drydock.client import DrydockClient

#: Maximum number of names in one sentence.
LISTED = 20


@dataclass(frozen=True, slots=True)
class Choice:
    """Values of the options; ``labels`` are KEY=VALUE."""

    names: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    racks: tuple[str, ...] = ()

    @property
    def node_filter(self) -> dict[str, Any] | None:
        """The node filter of the choice; None for every node."""
        criteria = {
            "node_names": list(self.names),
            "node_tags": list(self.tags),
            "node_labels": dict(label.split("=", 1) for label in self.labels),
            "rack_names": list(self.racks),
        }
        given = {name: values for name, values in criteria.items() if values}
        return one_filter("intersection", given) if given else None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request for a task. ``expect_nodes`` and ``all_nodes`` as in the API."""

    action: str
    design_ref: str
    choice: Choice
    force: bool = False
    expect_nodes: int | None = None
    all_nodes: bool = False
    allow_empty: bool = False

    @property
    def guarded(self) -> bool:
        row = action_row(self.action)
        return row is not None and (row.wipes or (self.force and row.wipes_with_force))


def one_filter(kind: str, criteria: Mapping[str, Any]) -> dict[str, Any]:
    return {"filter_set_type": kind, "filter_set": [{"filter_type": kind, **criteria}]}


def expected_nodes(client: DrydockClient, wanted: Wanted) -> int | None:
    """The ``expect_nodes`` to send; None for no check by the server.

    Raises UsageError for an invalid choice; ends the command if the user does not confirm.
    """
    node_filter = wanted.choice.node_filter
    row = action_row(wanted.action)
    if row is not None and row.of_node is None and (node_filter or wanted.expect_nodes is not None):
        raise click.UsageError(f"{wanted.action} is for the whole site: nodes cannot be chosen for it")
    if not (node_filter or wanted.guarded or wanted.expect_nodes is not None):
        return None
    try:
        every = client.node_filter(wanted.design_ref)
    except Forbidden:
        # A user who may create tasks may lack the right to read designs; the server checks the filter.
        click.echo("You may not read designs: the selection of nodes is not checked here.", err=True)
        return wanted.expect_nodes
    selected = client.node_filter(wanted.design_ref, node_filter) if node_filter else every
    unknown = _unknown(client, wanted, every)
    if unknown and not (wanted.allow_empty and not selected):
        raise click.UsageError("\n".join(unknown))
    if not selected and not wanted.allow_empty:
        raise click.UsageError("no node of the design matches; --allow-empty continues with none")
    if wanted.expect_nodes is not None and wanted.expect_nodes != len(selected):
        raise click.UsageError(f"--expect-nodes is {wanted.expect_nodes}, but the selection is {_counted(selected)}")
    whole = len(selected) == len(every) and (len(every) > 1 or not node_filter)
    if wanted.guarded and whole and wanted.expect_nodes is None and not wanted.all_nodes:
        return _confirmed(client, wanted, selected)
    return wanted.expect_nodes


def confirmed_changes(client: DrydockClient, plan: Mapping[str, Any]) -> int | None:
    """The ``expect_nodes`` to send with a plan: on a terminal, once the user has confirmed what is lost; else None.

    The server refuses a plan for a whole site without it.
    """
    counts = plan["counts"]
    lost = [
        node
        for decision in ("redeploy", "destroy")
        if counts.get(decision)
        for node in client.plan_nodes(plan["plan_id"], decision=decision)
    ]
    if not lost or not _on_a_terminal():
        return None
    names = [node["node"] for node in lost]
    click.echo(f"Plan {plan['plan_id']} redeploys or destroys {_counted(names)}.", err=True)
    for line in _by_rack(client, names, {node["node"]: node["rack"] for node in lost}):
        click.echo(line, err=True)
    click.confirm("All data on these machines will be lost. Continue?", abort=True, err=True)
    return sum(int(counts.get(decision, 0)) for decision in ("deploy", "redeploy", "destroy"))


def _on_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _by_rack(client: DrydockClient, names: Sequence[str], racks: Mapping[str, str | None] | None) -> list[str]:
    """A line for each rack: its nodes by their state, as the provisioner says. ``racks``: by node; None: not known."""
    try:
        status = {
            str(node["hostname"]).lower(): str(node.get("status_name") or "unknown") for node in client.list_nodes()
        }
    except ReplyError:
        status = {}
    found: dict[str, Counter[str]] = {}
    for name, rack in sorted(((name, (racks or {}).get(name) or "") for name in names), key=lambda each: each[1]):
        where = "racks not known" if racks is None else rack or "without a rack"
        found.setdefault(where, Counter())[status.get(name.lower(), "unknown")] += 1
    return [
        clean(f"  {rack}: " + ", ".join(f"{number} in state {state}" for state, number in sorted(states.items())))
        for rack, states in found.items()
    ]


def _confirmed(client: DrydockClient, wanted: Wanted, selected: Sequence[str]) -> int:
    row = action_row(wanted.action)
    what = wanted.action if row is not None and row.wipes else f"{wanted.action} --force"
    sentence = f"{what} is for every node of the design: {_counted(selected)}"
    if not _on_a_terminal():
        raise click.UsageError(f"{sentence}; if that is meant, add --expect-nodes {len(selected)} (or --all-nodes)")
    click.echo(f"{sentence}.", err=True)
    for line in _by_rack(client, selected, _racks(client, wanted.design_ref)):
        click.echo(line, err=True)
    click.confirm("All data on these machines will be lost. Continue?", abort=True, err=True)
    return len(selected)


def _counted(names: Sequence[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    listed = f" ({clean(', '.join(names[:LISTED]))}{more})" if names else ""
    return f"{counted(len(names), 'node')}{listed}"


def _unknown(client: DrydockClient, wanted: Wanted, every: Sequence[str]) -> list[str]:
    """A sentence for each kind of criterion that no node of the design has, with the known values."""
    missing = {"node": [name for name in wanted.choice.names if name not in every]}
    for kind, key, values in (
        ("node with rack", "rack_names", wanted.choice.racks),
        ("node with tag", "node_tags", wanted.choice.tags),
        ("node with label", "node_labels", wanted.choice.labels),
    ):
        missing[kind] = [
            value
            for value in values
            if not client.node_filter(
                wanted.design_ref,
                one_filter("intersection", {key: dict([value.split("=", 1)]) if key == "node_labels" else [value]}),
            )
        ]
    if not any(missing.values()):
        return []
    of_others = any(values for kind, values in missing.items() if kind != "node")
    known = {"node": every, **(_known(client, wanted.design_ref) if of_others else {})}
    return [_sentence(kind, values, known.get(kind, ())) for kind, values in missing.items() if values]


def _sentence(kind: str, missing: Sequence[str], known: Sequence[str]) -> str:
    named = ", ".join(f"{name}{_guess(name, known)}" for name in missing)
    more = f" and {len(known) - LISTED} more" if len(known) > LISTED else ""
    there = f" It has: {', '.join(known[:LISTED])}{more}." if known else ""
    return clean(f"the design has no {kind} {named}.{there}")


def _guess(name: str, known: Sequence[str]) -> str:
    same = [each for each in known if each.lower() == name.lower()]
    close = same or get_close_matches(name, known, n=1, cutoff=0.5)
    return f" (did you mean {close[0]}?)" if close else ""


def _racks(client: DrydockClient, design_ref: str) -> dict[str, str | None] | None:
    """By node; None if they are not known: the design is not stored in Drydock, or cannot be read."""
    if not design_ref.startswith(DESIGN_SCHEME):
        return None
    try:
        site = client.compiled_design(design_ref.removeprefix(DESIGN_SCHEME)).get("site")
    except ReplyError:
        return None
    return None if site is None else {str(node.get("name")): node.get("rack") for node in site.get("nodes") or []}


def _known(client: DrydockClient, design_ref: str) -> dict[str, Sequence[str]]:
    """Racks, tags and labels of the nodes, if the design is stored in Drydock."""
    if not design_ref.startswith(DESIGN_SCHEME):
        return {}
    site = client.compiled_design(design_ref.removeprefix(DESIGN_SCHEME)).get("site") or {}
    nodes = site.get("nodes") or []
    labels = [f"{key}={value}" for node in nodes for key, value in (node.get("owner_data") or {}).items()]
    return {
        "node with rack": sorted({str(node["rack"]) for node in nodes if node.get("rack")}),
        "node with tag": sorted({str(tag) for node in nodes for tag in node.get("tags") or ()}),
        "node with label": sorted(set(labels)),
    }
