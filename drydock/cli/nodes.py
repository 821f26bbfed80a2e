"""``drydock node ...``: the provisioner's machines."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from drydock.cli.connection import client_of
from drydock.cli.lazy import Lazy, LazyGroup
from drydock.cli.output import clean, console, is_data, moment, output_option, print_data
from drydock.client.errors import Forbidden, NotFound
from drydock.counting import counted

if TYPE_CHECKING:
    from drydock.client.client import DrydockClient

#: By field its heading, and its rank: the order in which columns are dropped on a narrow terminal.
FIELDS = {
    "hostname": ("hostname", 0),
    "status_name": ("status", 0),
    "power_state": ("power", 1),
    "boot_mac": ("boot_mac", 2),
    "boot_ip": ("boot_ip", 3),
    "cpu_count": ("cpus", 5),
    "memory": ("memory", 4),
    "power_address": ("power_address", 6),
}
#: What provisioners call a node that is deployed, in lower case.
DEPLOYED = ("deployed", "active")
#: Number of a node's newest tasks that are shown.
TASKS = 5


LAZY = {
    "hold": Lazy("drydock.cli.holds", "hold", "Hold a node: prepare, deploy, destroy and relabel leave it alone."),
    "holds": Lazy("drydock.cli.holds", "holds", "List the nodes that are held."),
    "release": Lazy("drydock.cli.holds", "release", "Release a node that is held."),
}


@click.group(cls=LazyGroup, lazy=LAZY)
def node() -> None:
    """List, show and hold machines."""


@node.command("list")
@output_option
@click.pass_context
def list_nodes(ctx: click.Context, *, output: str) -> None:
    """List the machines of the provisioner.

    \b
    Example:
      drydock node list -o json
    """
    client = client_of(ctx)
    nodes = client.list_nodes()
    if is_data(output):
        print_data(nodes, output)
        return
    from drydock.cli.tables import Column, Table  # takes long to load

    held = _held(client)
    rows = [
        [*(row.get(field) for field in FIELDS), held.get(str(row.get("hostname")).lower(), "")]
        for row in sorted(nodes, key=lambda row: str(row.get("hostname")))
    ]
    columns = [*(Column(name, rank) for name, rank in FIELDS.values()), Column("held", 1, folds=True)]
    console(wide=output == "wide").print(Table(columns, rows), crop=False)


@node.command()
@click.argument("name", metavar="NODE")
@output_option
@click.pass_context
def show(ctx: click.Context, *, name: str, output: str) -> None:
    """Show one machine, what was found in it, and the newest tasks on it.

    \b
    Example:
      drydock node show n01
    """
    client = client_of(ctx)
    found = _find(client.list_nodes(), name)
    tasks = list(
        reversed(list(islice(client.tasks(node=found["hostname"], newest_first=True, page_size=TASKS), TASKS)))
    )
    known = _known(client, found["hostname"])
    known = {"facts": None, "deployed": None, "hold": None, **(known or {})}
    facts, deployed, hold = known["facts"], known["deployed"], known["hold"]
    if is_data(output):
        print_data({**found, "facts": facts, "deployed": deployed, "hold": hold, "tasks": tasks}, output)
        return
    from drydock.cli.node_facts import fields_of
    from drydock.cli.tables import print_fields  # takes long to load
    from drydock.cli.task_views import print_list

    wide = output == "wide"
    print_fields(console(wide=wide), [(name, found.get(field)) for field, (name, _) in FIELDS.items()])
    if deployed is not None:
        when = f"{moment(deployed['deployed'])} by {deployed['deployed_by']}, task {deployed['task_id']}"
        click.echo(clean(f"Runs {deployed['image']} of design {deployed['design_digest'][:12]} since {when}."))
    elif str(found.get("status_name")).lower() in DEPLOYED:
        click.echo("Deployed, with what is not recorded.")
    if hold is not None:
        until = f" until {moment(hold['until'])}" if hold["until"] else ""
        click.echo(clean(f"Held by {hold['created_by']} ({hold['kind']}: {hold['reason']}){until}."))
    if facts is not None:
        click.echo()
        print_fields(console(wide=wide), fields_of(facts))
    if tasks:
        click.echo()
        print_list(tasks, wide=wide)


@node.command()
@click.argument("name", metavar="NODE")
@click.option("--diff", is_flag=True, help="What differs from the time before.")
@output_option
@click.pass_context
def facts(ctx: click.Context, *, name: str, diff: bool, output: str) -> None:
    """Show what BMC, provisioner and the machine itself found in a machine.

    \b
    Example:
      drydock node facts n01 --diff
    """
    from drydock.cli.node_facts import changed, difference, fields_of  # takes long to load
    from drydock.cli.tables import print_fields

    known = _known(client_of(ctx), name)
    if known is None or known.get("facts") is None:
        raise click.ClickException(f"nothing is known of the hardware of node {name}; prepare_nodes has it looked at")
    before = known.get("facts_before")
    if diff:
        changes = [] if before is None else list(changed(before, known["facts"]))
        if is_data(output):
            print_data([{"name": field, "old": old, "new": new} for field, old, new in changes], output)
            return
        for field, old, new in changes:
            click.echo(clean(difference(field, old, new)))
        if not changes:
            click.echo("There are no facts of a time before." if before is None else "Nothing differs.")
        return
    if is_data(output):
        print_data(known, output)
        return
    print_fields(console(wide=output == "wide"), fields_of(known["facts"]))
    for source in known.get("sources") or ():
        click.echo(clean(f"{source.get('generator')}: {moment(source.get('collected'))}, task {source.get('task_id')}"))


def _known(client: DrydockClient, name: str) -> dict[str, Any] | None:
    """None if nothing is known of its hardware, or the API is of a version without this."""
    from drydock.client.errors import NotFound  # takes long to load

    try:
        return client.get_node(name)
    except NotFound:
        return None


def _held(client: DrydockClient) -> Mapping[str, str]:
    """By name in lower case, why a node is held. Empty from a server without holds, or if the user may not see them."""
    try:
        holds = client.list_holds()
    except (Forbidden, NotFound):
        return {}
    return {str(hold["hostname"]).lower(): f"{hold['created_by']}: {hold['kind']}: {hold['reason']}" for hold in holds}


def _find(nodes: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """Host names are compared as in DNS. Raises ``ClickException``."""
    known = {str(node.get("hostname")): node for node in nodes}
    for hostname, entry in known.items():
        if hostname.lower() == name.lower():
            return entry
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    guess = f"; did you mean {close[0]}?" if close else f", which knows {counted(len(known), 'other')}"
    raise click.ClickException(f"the provisioner knows no node {name}{guess}")
