"""``drydock design diff``: what a change of a design does to its nodes, without a server."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from drydock.cli.design_messages import print_errors
from drydock.cli.difference_text import as_json, as_markdown, as_text
from drydock.cli.document_files import read_texts
from drydock.cli.exit_codes import FAILURE, SUCCESS, wrong_usage_fails
from drydock.cli.git_documents import PREFIX, read_revision
from drydock.cli.output import print_data
from drydock.design.compiler import CompiledDesign, compile_texts
from drydock.plan.design_difference import DesignDifference, design_difference

CHANGES = 2


class _Command(click.Command):
    """NOTE: click ends with 2 after wrong usage, which here means that there are changes."""

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        with wrong_usage_fails():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:
        with wrong_usage_fails():
            return super().invoke(ctx)


@click.command(cls=_Command)
@click.argument("old")
@click.argument("new")
@click.option("-n", "--node", "nodes", metavar="NAME", multiple=True, help="Compare this node only; repeatable.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "markdown", "json", "yaml"]),
    default="text",
    show_default=True,
    help="What to print; markdown is for a comment on a pull request.",
)
@click.pass_context
def diff(ctx: click.Context, *, old: str, new: str, nodes: Sequence[str], output: str) -> None:
    """Compare the nodes of two designs: what each is deployed with, all inherited and resolved.

    OLD and NEW are each a file, a directory of YAML files, "-" for stdin, or git:REVISION:PATH (PATH counts from the
    top of the repository, ./PATH from here; symbolic links are followed within it). Order, layout, anchors, and where a
    setting is inherited from make no difference. Secrets are shown only as changed. References are not fetched: their
    addresses are compared, not what is behind them, which drydock plan create does.

    \b
    Exit status: 0 no changes, 2 changes, 1 a design is invalid or cannot be read, or wrong usage.

    \b
    Examples:
      drydock design diff git:main:site site
      drydock design diff old.yaml new.yaml -n n01 -o json
      drydock design diff git:origin/main:site/ site/ -o markdown > comment.md
    """
    if old == new == "-":
        raise click.UsageError("only one of OLD and NEW can be stdin")
    before, after = _compiled(old), _compiled(new)
    if not (_valid(old, before) & _valid(new, after)):
        ctx.exit(FAILURE)
    unknown = [name for name in nodes if name not in before.site.nodes and name not in after.site.nodes]
    if unknown:
        raise click.UsageError(f"neither design has a node {unknown[0]}")
    found = design_difference(before.site, after.site, nodes or None)
    _print(found, output)
    ctx.exit(SUCCESS if found.empty else CHANGES)


def _compiled(source: str) -> CompiledDesign:
    return compile_texts(_texts(source))


def _texts(source: str) -> Mapping[str, bytes]:
    return read_revision(source) if source.startswith(PREFIX) else read_texts(source)


def _valid(source: str, design: CompiledDesign) -> bool:
    if not design.valid:
        click.echo(f"{source}:", err=True)
        print_errors(design.messages)
    return design.valid


def _print(found: DesignDifference, output: str) -> None:
    if output == "text":
        as_text(found, sys.stdout)
    elif output == "markdown":
        click.echo(as_markdown(found), nl=False)
    else:
        print_data(as_json(found), output)
