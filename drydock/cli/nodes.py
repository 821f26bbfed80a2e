"""``drydock node ...``: the machines the provisioner knows."""

from __future__ import annotations

import click

from drydock.cli.connection import client_of
from drydock.cli.output import console, output_option, print_json, table

COLUMNS = ("hostname", "status_name", "power_state", "boot_ip", "boot_mac", "cpu_count", "memory", "power_address")


@click.group()
def node() -> None:
    """Look at machines."""


@node.command("list")
@output_option
@click.pass_context
def list_nodes(ctx: click.Context, *, output: str) -> None:
    """List the machines that the provisioner knows.

    \b
    Example:
      drydock node list -o json
    """
    nodes = client_of(ctx).list_nodes()
    if output == "json":
        print_json(nodes)
        return
    rows = [[row.get(column) for column in COLUMNS] for row in sorted(nodes, key=lambda row: str(row.get("hostname")))]
    console().print(table([column.removesuffix("_name") for column in COLUMNS], rows))
