"""``drydock design ...``: design documents kept by Drydock, or in files of one's own."""

from __future__ import annotations

from typing import BinaryIO

import click

from drydock.cli.connection import client_of
from drydock.cli.design_offline import nodes, show, validate
from drydock.cli.design_render import render
from drydock.cli.output import console, message_line, moment, output_option, print_json, table, worth_telling

COLUMNS = ("design_ref", "size", "created", "created_by")


@click.group()
def design() -> None:
    """Check, compile and render site designs on this machine; store and list them in Drydock."""


@design.command()
@click.argument("file", type=click.File("rb"))
@click.option("-q", "--quiet", is_flag=True, help="Print the design_ref only.")
@output_option
@click.pass_context
def upload(ctx: click.Context, *, file: BinaryIO, quiet: bool, output: str) -> None:
    """Validate and store the documents in FILE ("-": stdin); prints the design_ref to deploy from.

    An invalid design is refused with every finding, exit status 1. The same documents give the same design_ref.

    \b
    Examples:
      drydock design upload site.yaml
      REF=$(drydock design upload -q site.yaml)
    """
    stored = client_of(ctx).upload_design(file.read())
    if output == "json":
        print_json(stored)
        return
    for entry in stored.get("messages") or ():
        if worth_telling(entry):
            click.echo(message_line(entry), err=True)
    reference = stored.get("design_ref", "")
    if quiet:
        click.echo(reference)
        return
    click.echo(f"Stored {stored.get('size')} bytes. Deploy from it with")
    click.echo(f"  drydock task create --action deploy_nodes --design-ref {reference} --wait")


@design.command("list")
@output_option
@click.pass_context
def list_designs(ctx: click.Context, *, output: str) -> None:
    """List the stored designs."""
    designs = client_of(ctx).list_designs()
    if output == "json":
        print_json(designs)
        return
    console().print(table(COLUMNS, ([moment(d[c]) if c == "created" else d.get(c) for c in COLUMNS] for d in designs)))


for offline in (validate, show, nodes, render):
    design.add_command(offline)
