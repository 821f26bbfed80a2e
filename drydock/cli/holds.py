"""``drydock node hold``, ``release`` and ``holds``: nodes that no action is to change."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import click

from drydock.cli.connection import client_of
from drydock.cli.output import clean, console, is_data, moment, output_option, print_data

COLUMNS = ("hostname", "kind", "reason", "created_by", "until")
_SPAN = re.compile(r"(\d{1,6})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@click.command()
@click.argument("name", metavar="NODE")
@click.option("--reason", required=True, metavar="TEXT", help="Why; shown to everyone who comes upon the hold.")
@click.option("--kind", default="maintenance", show_default=True, metavar="WORD", help="What the hold is for.")
@click.option("--until", metavar="TIME", help="When it ends: ISO 8601 with a zone, or 30m, 8h, 7d from now.")
@output_option
@click.pass_context
def hold(ctx: click.Context, *, name: str, reason: str, kind: str, until: str | None, output: str) -> None:
    """Hold a node: prepare, deploy, destroy and relabel leave it alone. What has begun on it goes on.

    \b
    Example:
      drydock node hold n07 --reason "DIMM replaced, burn-in" --until 8h
    """
    made = client_of(ctx).hold_node(name, kind=kind, reason=reason, until=_moment(until))
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


def _moment(text: str | None) -> str | None:
    span = _SPAN.fullmatch(text or "")
    if span is None:
        return text
    return (datetime.now(UTC) + timedelta(**{_UNITS[span[2]]: int(span[1])})).isoformat()
