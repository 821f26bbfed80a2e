"""``drydock node hold``, ``release`` and ``holds``: nodes that no action is to change."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from drydock.cli.connection import client_of
from drydock.cli.output import clean, console, is_data, moment, output_option, print_data
from drydock.client.errors import ClientError, NotFound

if TYPE_CHECKING:
    from drydock.client import DrydockClient

COLUMNS = ("hostname", "kind", "reason", "created_by", "until")
_SPAN = re.compile(r"(\d{1,6})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@click.command()
@click.argument("name", metavar="NODE")
@click.option("--reason", required=True, metavar="TEXT", help="Why; shown wherever the hold is.")
@click.option("--kind", default="maintenance", show_default=True, metavar="WORD", help="What the hold is for.")
@click.option("--until", metavar="TIME", help="When it ends: ISO 8601 with a zone, or 30m, 8h, 7d from now.")
@output_option
@click.pass_context
def hold(ctx: click.Context, *, name: str, reason: str, kind: str, until: str | None, output: str) -> None:
    """Hold a node: prepare, deploy, destroy and relabel leave it alone. What has begun on it goes on.

    A node that the server does not know yet is held as well, with a warning.

    \b
    Example:
      drydock node hold n07 --reason "DIMM replaced, burn-in" --until 8h
    """
    client = client_of(ctx)
    made = client.hold_node(name, kind=kind, reason=reason, until=_moment(until))
    warning = _unknown(client, name)
    if warning:
        click.echo(clean(f"Warning: {warning}"), err=True)
    if is_data(output):
        print_data(made, output)
        return
    end = f"until {moment(made['until'])}" if made.get("until") else "until it is released"
    click.echo(clean(f"Node {made.get('hostname', name)} is held {end}."))


@click.command()
@click.argument("name", metavar="NODE")
@click.pass_context
def release(ctx: click.Context, *, name: str) -> None:
    """Release a node that is held. The exit status is 0 as well if it is not held, as when its hold has expired."""
    released = client_of(ctx).release_node(name)
    click.echo(clean(f"Node {name} is released." if released else f"Node {name} is not held."))


@click.command()
@output_option
@click.pass_context
def holds(ctx: click.Context, *, output: str) -> None:
    """List the nodes that are held."""
    found = client_of(ctx).list_holds()
    if is_data(output):
        print_data(found, output)
        return
    from drydock.cli.tables import Column, Table  # takes long to load

    columns = [Column(name, folds=name == "reason") for name in COLUMNS]
    rows = [[moment(row.get(name)) if name == "until" else row.get(name) for name in COLUMNS] for row in found]
    console(wide=output == "wide").print(Table(columns, rows), crop=False)


def _unknown(client: DrydockClient, name: str) -> str:
    """A warning about a node that the server does not know; "" if it does, or does not answer this."""
    try:
        known = client.get_node(name)
        if known.get("facts") or known.get("deployed"):
            return ""
    except NotFound:
        pass
    except ClientError:
        return ""
    try:
        names = {str(node["hostname"]).lower(): str(node["hostname"]) for node in client.list_nodes()}
    except ClientError:
        return ""
    wanted = name.lower()
    if wanted in names:
        return ""
    host = wanted.partition(".")[0]
    close = [host] if host in names else get_close_matches(wanted, names, n=1, cutoff=0.5)
    guess = f"; did you mean {names[close[0]]}?" if close else ""
    return f"the server knows no node {name}, and holds this name all the same{guess}"


def _moment(text: str | None) -> str | None:
    span = _SPAN.fullmatch(text or "")
    if span is None:
        return text
    return (datetime.now(UTC) + timedelta(**{_UNITS[span[2]]: int(span[1])})).isoformat()
