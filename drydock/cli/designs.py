"""``drydock design ...``: design documents stored by Drydock, or in local files."""

from __future__ import annotations

from typing import Any

import click

from drydock.cli.connection import client_of
from drydock.cli.document_files import read_documents
from drydock.cli.exit_codes import is_for_diff, wrong_usage_fails
from drydock.cli.lazy import Lazy, LazyGroup
from drydock.cli.output import console, is_data, is_finding, message_line, moment, output_option, print_data

#: Digits of a digest that are shown on a terminal.
SHORT = 12

LAZY = {
    "validate": Lazy(
        "drydock.cli.design_offline",
        "validate",
        'Check the documents in FILE, a directory of YAML files, or stdin ("-"), and list all errors.',
    ),
    "show": Lazy(
        "drydock.cli.design_offline",
        "show",
        "Show the site in FILE as it is deployed, with everything inherited, derived and resolved.",
    ),
    "nodes": Lazy(
        "drydock.cli.design_offline",
        "nodes",
        "List the nodes of the site in FILE that a filter selects, one per line.",
    ),
    "diff": Lazy(
        "drydock.cli.design_diff",
        "diff",
        "Compare the nodes of two designs: what each is deployed with, all inherited and resolved.",
    ),
    "render": Lazy(
        "drydock.cli.design_render",
        "render",
        "Render the files that a node of the site in FILE would get at its first boot, and list or write them.",
    ),
}


class _Designs(LazyGroup):
    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **extra: Any) -> click.Context:
        with wrong_usage_fails(when=is_for_diff(args)):
            return super().make_context(info_name, args, *rest, **extra)


@click.group(cls=_Designs, lazy=LAZY)
def design() -> None:
    """Check, compile and render site designs on this machine; store and list them in Drydock."""


@design.command()
@click.argument("file", type=click.Path(exists=True, allow_dash=True, path_type=str))
@click.option("-q", "--quiet", is_flag=True, help="Print the design_ref only.")
@output_option
@click.pass_context
def upload(ctx: click.Context, *, file: str, quiet: bool, output: str) -> None:
    """Validate and store the documents in FILE, a directory of YAML files, or stdin ("-").

    Prints the design_ref to deploy from. An invalid design is refused with all messages, exit status 1. The same
    documents give the same design_ref; those of a directory are concatenated in the order of their paths.

    \b
    Examples:
      drydock design upload site.yaml
      REF=$(drydock design upload -q site/)
    """
    stored = client_of(ctx).upload_design(read_documents(file))
    if is_data(output):
        print_data(stored, output)
        return
    for entry in stored.get("messages") or ():
        if is_finding(entry):
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
    if is_data(output):
        print_data(designs, output)
        return
    from drydock.cli.consoles import is_narrow  # takes long to load
    from drydock.cli.tables import Column, Table

    screen = console(wide=output == "wide")
    short = is_narrow(screen)
    columns = (
        Column("digest" if short else "design_ref"),
        Column("size", 2),
        Column("created", 1),
        Column("created_by", 3),
    )
    rows = [
        [
            str(entry.get("digest"))[:SHORT] if short else entry.get("design_ref"),
            entry.get("size"),
            moment(entry.get("created")),
            entry.get("created_by"),
        ]
        for entry in designs
    ]
    screen.print(Table(columns, rows), crop=False)
