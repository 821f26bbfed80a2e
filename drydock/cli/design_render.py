"""``drydock design render``: renders the files of a node without a server."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from drydock.bootaction.packages import merge_packages
from drydock.bootaction.render import RenderedAsset, TemplateLimits, render_assets, unknown_names
from drydock.bootaction.template_pool import TemplatePool
from drydock.cli.connection import credentials_of
from drydock.cli.design_files import file_argument, require_node, site_of
from drydock.cli.design_references import Answers, Fetch, fetcher, refuse
from drydock.cli.exit_codes import FAILURE
from drydock.cli.output import console, is_data, output_option, print_data
from drydock.cli.tables import Column, Table
from drydock.errors import DrydockError
from drydock.model.site import SiteDesign

#: Constant, so that two renderings differ only by the design. Not a secret.
EXAMPLE_ID = "00041061050R3GG28A1C60T3GF"
EXAMPLE_KEY = bytes(range(32))
#: What a server allows by default: [bootaction] template_max_seconds and template_max_bytes.
LIMITS = TemplateLimits(max_seconds=10, max_bytes=16 * 1024 * 1024)
PACKAGES = "packages.json"
#: With their ranks; see ``tables.py``.
COLUMNS = (("node", 0), ("bootaction", 0), ("type", 3), ("path", 0), ("mode", 1), ("size", 2), ("sha256", 4))


@click.command()
@file_argument
@click.option("--node", metavar="NAME", help="Whose files.")
@click.option("--all", "every", is_flag=True, help="Render the files of all nodes.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the files below this directory; with --all below one named after the node in it.",
)
@click.option(
    "--reference",
    "answers",
    metavar="URL=FILE",
    multiple=True,
    help="The content of a reference; repeatable. A URL that ends in * matches all that start so.",
)
@click.option("--fetch", is_flag=True, help="Fetch other references; deckhand+http and the like as the OS_* user.")
@click.option("--design-ref", default=None, help="Value of action.design_ref in templates.")
@click.option(
    "--report-url",
    default="http://localhost:9000/api/v1.0/bootaction/",
    show_default=True,
    help="Value of action.report_url in templates.",
)
@output_option
@click.pass_context
def render(
    ctx: click.Context,
    *,
    file: str,
    node: str | None,
    every: bool,
    out: Path | None,
    answers: Sequence[str],
    fetch: bool,
    design_ref: str | None,
    report_url: str,
    output: str,
) -> None:
    """Render the files that a node of the site in FILE would get at its first boot, and list or write them.

    The id and the key of the boot actions are fixed examples. Files keep their permissions; package lists
    are merged into packages.json. Undefined names in templates are warnings. With --all, a node whose
    files cannot be rendered does not stop the others; the exit status is 1.

    \b
    Examples:
      drydock design render site.yaml --node n01
      drydock design render site.yaml --all
      drydock design render site.yaml --node n01 --out files \\
        --reference 'promenade+http://promenade.example/join-scripts*=join.sh'
    """
    if every == (node is not None):
        raise click.UsageError("give either --node NAME or --all")
    site, design = site_of(ctx, file)
    if node is not None:
        require_node(site, node)
    given = Answers(answers, fetcher(credentials_of(ctx)) if fetch else refuse)
    reference = design_ref or f"drydock://designs/{design.digest}"
    nodes = list(site.nodes) if node is None else [node]
    made: dict[str, _Files] = {}
    for name, assets in _render(site, nodes, given, design_ref=reference, report_url=report_url):
        made[name] = _Files(name, assets)
        if out is not None:
            _write(out, assets, made[name].packages, below="" if node is not None else name)
    _show(made, single=node, output=output)
    if len(made) < len(nodes):
        ctx.exit(FAILURE)


class _Files:
    """The rows to show for a node's files; contents are not kept."""

    def __init__(self, node: str, assets: Sequence[RenderedAsset]) -> None:
        self.packages = merge_packages(assets)
        self.rows = [_row(asset, node) for asset in assets]


def _show(made: Mapping[str, _Files], *, single: str | None, output: str) -> None:
    if is_data(output):
        found = [{"node": node, "assets": files.rows, "packages": dict(files.packages)} for node, files in made.items()]
        if single is None:
            print_data({"nodes": found}, output)
        elif found:
            print_data(found[0], output)
    elif single is None or made:
        rows = ([row[name] for name, _ in COLUMNS] for files in made.values() for row in files.rows)
        console(wide=output == "wide").print(Table([Column(*column) for column in COLUMNS], rows), crop=False)


def _render(
    site: SiteDesign, nodes: Sequence[str], fetch: Fetch, *, design_ref: str, report_url: str
) -> Iterator[tuple[str, Sequence[RenderedAsset]]]:
    """Render the files of the nodes; prints errors and warnings on stderr."""
    templates = TemplatePool(LIMITS, processes=1)
    for node in nodes:
        try:
            assets = render_assets(
                site,
                node,
                [(action, EXAMPLE_ID) for action in site.boot_actions if node in action.target_nodes],
                key=EXAMPLE_KEY,
                report_url=report_url,
                design_ref=design_ref,
                fetch=fetch,
                render=templates.for_task(None),
                max_bytes=templates.limits.max_bytes,
            )
        except DrydockError as exc:
            click.echo(f"Error: {exc}" if len(nodes) == 1 else f"Error: {node}: {exc}", err=True)
            continue
        for line in unknown_names(assets):
            click.echo(f"Warning: {node}: {line}", err=True)
        yield node, assets


def _write(out: Path, assets: Sequence[RenderedAsset], packages: Mapping[str, str | None], *, below: str) -> None:
    """Raises ``ClickException`` instead of writing outside ``out`` through symbolic links in it."""
    root = out.resolve()
    files = [(asset.path.lstrip("/"), asset.content, asset.mode) for asset in assets if asset.path is not None]
    if packages:
        files.append((PACKAGES, json.dumps(dict(packages), indent=2).encode() + b"\n", 0o644))
    try:
        for name, content, mode in files:
            path = root / below / name
            if not path.parent.resolve().is_relative_to(root):
                raise click.ClickException(f"{name} would be written outside {out}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
            path.chmod(mode)
    except OSError as exc:
        raise click.ClickException(f"{exc.filename} cannot be written: {exc.strerror}") from exc


def _row(asset: RenderedAsset, node: str) -> dict[str, Any]:
    return {
        "bootaction": asset.action,
        "node": node,
        "type": str(asset.type),
        "path": asset.path,
        "mode": f"{asset.mode:04o}",
        "permissions": asset.mode,
        "size": len(asset.content),
        "sha256": hashlib.sha256(asset.content).hexdigest(),
    }
