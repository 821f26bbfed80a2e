"""``drydock design validate|show|nodes``: a design checked and compiled on this machine, without a server."""

from __future__ import annotations

from pathlib import Path

import click

from drydock.cli.design_files import compile_file, file_argument, require_node, site_of
from drydock.cli.design_messages import by_level, print_messages
from drydock.cli.exit_codes import FAILURE, SUCCESS
from drydock.cli.output import is_data, output_option, print_data
from drydock.design.filters import select_nodes
from drydock.design.message_form import message_form
from drydock.design.site_form import node_form, site_form
from drydock.design.yaml_stream import read_stream
from drydock.errors import InvalidInput
from drydock.model.message import Level
from drydock.model.node_filter import NodeFilterSet, parse_node_filter


@click.command()
@file_argument
@click.option("-v", "--verbose", is_flag=True, help="Also list the rules without findings.")
@output_option
@click.pass_context
def validate(ctx: click.Context, *, file: str, verbose: bool, output: str) -> None:
    """Check the documents in FILE, a directory of YAML files, or stdin ("-"), and list all errors.

    Needs no server, so it works in a pull request's CI. Warnings do not make a design invalid. Images and kernels
    are not checked, which needs the provisioner.

    \b
    Exit status: 0 valid, 1 invalid, 2 wrong usage or nothing to read.

    \b
    Examples:
      drydock design validate site.yaml
      drydock design validate site/ -o json
    """
    design = compile_file(file)
    if is_data(output):
        levels = [message.level for message in design.messages]
        print_data(
            {
                "valid": design.valid,
                "errors": levels.count(Level.ERROR),
                "warnings": levels.count(Level.WARNING),
                "messages": [message_form(message) for message in design.messages],
            },
            output,
        )
    else:
        print_messages(message for message in design.messages if verbose or message.level is not Level.INFO)
        verdict = click.style("valid", "green") if design.valid else click.style("invalid", "red")
        click.echo(f"The design is {verdict}: {by_level(design.messages)}.")
    ctx.exit(SUCCESS if design.valid else FAILURE)


@click.command()
@file_argument
@click.option("--node", metavar="NAME", help="Show this node only.")
@click.option(
    "-o", "--output", type=click.Choice(["yaml", "json"]), default="yaml", show_default=True, help="What to print."
)
@click.pass_context
def show(ctx: click.Context, *, file: str, node: str | None, output: str) -> None:
    """Show the site in FILE as it is deployed, with everything inherited, derived and resolved.

    Shows the BMCs' credentials, as FILE does.

    \b
    Examples:
      drydock design show site.yaml --node n01
      drydock design show site.yaml -o json | jq '.nodes[].fqdn'
    """
    site, _ = site_of(ctx, file)
    if node is None:
        shown = site_form(site)
    else:
        require_node(site, node)
        shown = node_form(site.nodes[node])
    print_data(shown, output)


@click.command()
@file_argument
@click.option(
    "--filter",
    "text",
    metavar="FILTER",
    help="A node filter as in boot actions and tasks, in YAML or JSON; @FILE reads it from a file. "
    "Without: every node.",
)
@output_option
@click.pass_context
def nodes(ctx: click.Context, *, file: str, text: str | None, output: str) -> None:
    """List the nodes of the site in FILE that a filter selects, one per line.

    \b
    Example:
      drydock design nodes site.yaml --filter \\
        '{filter_set_type: union, filter_set: [{filter_type: union, node_tags: [masters]}]}'
    """
    node_filter = _node_filter(text)
    site, _ = site_of(ctx, file)
    names = select_nodes(site, node_filter)
    if is_data(output):
        print_data(list(names), output)
    else:
        for name in names:
            click.echo(name)


def _node_filter(text: str | None) -> NodeFilterSet | None:
    if text is None:
        return None
    if text.startswith("@"):
        try:
            content = Path(text[1:]).read_bytes()
        except (OSError, ValueError) as exc:
            raise click.BadParameter(f"{text[1:]} cannot be read", param_hint="--filter") from exc
    else:
        content = text.encode("utf-8", "surrogateescape")
    stream = read_stream(content)
    faults = [*stream.faults, *(problem for document in stream.documents for problem in document.problems)]
    if faults or len(stream.documents) != 1:
        raise click.BadParameter(str(faults[0] if faults else "expected one filter"), param_hint="--filter")
    value = stream.documents[0].value
    if isinstance(value, dict) and set(value) == {"node_filter"}:
        value = value["node_filter"]
    try:
        return parse_node_filter(value)
    except InvalidInput as exc:
        raise click.BadParameter(str(exc), param_hint="--filter") from exc
