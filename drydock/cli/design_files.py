"""Designs in files, compiled locally without a server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from drydock.cli.design_messages import print_errors
from drydock.cli.document_files import read_texts
from drydock.cli.exit_codes import FAILURE
from drydock.design.compiler import CompiledDesign, compile_texts
from drydock.model.site import SiteDesign

Command = Callable[..., Any]


def file_argument(command: Command) -> Command:
    """Adds FILE: a file, a directory, or "-"."""
    return click.argument("file", type=click.Path(exists=True, allow_dash=True, path_type=str))(command)


def compile_file(file: str) -> CompiledDesign:
    """The compiled design of a file, a directory's YAML files or stdin ("-"). Raises ``UsageError``."""
    return compile_texts(read_texts(file))


def site_of(ctx: click.Context, file: str) -> tuple[SiteDesign, CompiledDesign]:
    """The site; a design with errors prints them and ends the command."""
    design = compile_file(file)
    if not design.valid:
        print_errors(design.messages)
        ctx.exit(FAILURE)
    return design.site, design


def require_node(site: SiteDesign, name: str) -> None:
    if name not in site.nodes:
        known = ", ".join(list(site.nodes)[:10]) or "none"
        raise click.BadParameter(f"the design has no node {name}; some it has: {known}", param_hint="--node")
