"""``drydock design render``: the files a node would get, made without a server."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from drydock.bootaction.packages import merge_packages
from drydock.bootaction.render import RenderedAsset, TemplateLimits, render_assets
from drydock.bootaction.template_pool import TemplatePool
from drydock.cli.connection import credentials_of
from drydock.cli.design_files import file_argument, require_node, site_of
from drydock.cli.output import console, output_option, print_json, table
from drydock.client import Credentials
from drydock.client.errors import NotConfigured
from drydock.design.references import SERVICE_SCHEMES, References
from drydock.design.retries import Retries
from drydock.design.service_token import ServiceTokens
from drydock.errors import DesignNotFound, DrydockError, InvalidReference
from drydock.model.site import SiteDesign

#: The same at each call, so that two renderings differ only in what the design changed. Worth nothing as a key.
EXAMPLE_ID = "00041061050R3GG28A1C60T3GF"
EXAMPLE_KEY = bytes(range(32))
PACKAGES = "packages.json"
COLUMNS = ("bootaction", "type", "path", "mode", "size", "sha256")

Fetch = Callable[[str], bytes]


@click.command()
@file_argument
@click.option("--node", metavar="NAME", required=True, help="Whose files.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Write the files below this directory.")
@click.option(
    "--reference",
    "answers",
    metavar="URL=FILE",
    multiple=True,
    help="What a reference would answer; repeatable. A URL that ends in * stands for all that start so.",
)
@click.option("--fetch", is_flag=True, help="Fetch other references; deckhand+http and the like as the OS_* user.")
@click.option("--design-ref", default=None, help="What templates see as action.design_ref.")
@click.option(
    "--report-url",
    default="http://localhost:9000/api/v1.0/bootaction/",
    show_default=True,
    help="What templates see as action.report_url.",
)
@output_option
@click.pass_context
def render(
    ctx: click.Context,
    *,
    file: str,
    node: str,
    out: Path | None,
    answers: Sequence[str],
    fetch: bool,
    design_ref: str | None,
    report_url: str,
    output: str,
) -> None:
    """Make the files that a node of the site in FILE would get at its first boot, and list or write them.

    The id and the key of the boot actions are examples, always the same. Files keep their permissions; package lists
    are merged into packages.json.

    \b
    Examples:
      drydock design render site.yaml --node n01
      drydock design render site.yaml --node n01 --out files \\
        --reference 'promenade+http://promenade.example/join-scripts*=join.sh'
    """
    site, design = site_of(ctx, file)
    require_node(site, node)
    given = _Answers(answers, _fetcher(credentials_of(ctx)) if fetch else _refuse)
    reference = design_ref or f"drydock://designs/{design.digest}"
    try:
        assets = _render(site, node, given, design_ref=reference, report_url=report_url)
    except DrydockError as exc:
        raise click.ClickException(str(exc)) from exc
    packages = merge_packages(assets)
    if out is not None:
        _write(out, assets, packages)
    rows = [_row(asset, node) for asset in assets]
    if output == "json":
        print_json({"node": node, "assets": rows, "packages": dict(packages)})
    else:
        console().print(table(COLUMNS, ([row[column] for column in COLUMNS] for row in rows)))


def _render(
    site: SiteDesign, node: str, fetch: Fetch, *, design_ref: str, report_url: str
) -> tuple[RenderedAsset, ...]:
    templates = TemplatePool(TemplateLimits())
    return render_assets(
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


class _Answers:
    """References answered from files, all others by ``otherwise``."""

    def __init__(self, given: Sequence[str], otherwise: Fetch) -> None:
        self._exact: dict[str, Path] = {}
        self._starts: dict[str, Path] = {}
        self._otherwise = otherwise
        for item in given:
            # URLs have = in their queries, names of files hardly ever.
            url, found, name = item.rpartition("=")
            if not found or not url or not name:
                raise click.BadParameter(f"{item} is not URL=FILE", param_hint="--reference")
            if not Path(name).is_file():
                raise click.BadParameter(f"{name} is not a file", param_hint="--reference")
            if url.endswith("*"):
                self._starts[url[:-1]] = Path(name)
            else:
                self._exact[url] = Path(name)

    def __call__(self, url: str) -> bytes:
        for name in (url, _anonymous(url)):
            if name in self._exact:
                return self._exact[name].read_bytes()
            starts = [start for start in self._starts if name.startswith(start)]
            if starts:
                return self._starts[max(starts, key=len)].read_bytes()
        return self._otherwise(url)


def _anonymous(url: str) -> str:
    """Without user and password: files may be named for it without repeating them."""
    scheme, found, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{found}{authority.rpartition('@')[2]}{slash}{path}"


def _refuse(url: str) -> bytes:
    """What is said may stand in the log of a pull request: no credentials, and not the query, which may hold some."""
    shown, query, _ = _anonymous(url).partition("?")
    hint = f"answer it with --reference '{shown}{'*' if query else ''}=FILE', or fetch it with --fetch"
    raise InvalidReference(f"{shown}: {hint}")


def _fetcher(credentials: Credentials) -> Fetch:
    """Wherever the design says: whoever runs this may fetch it anyway."""

    def no_snapshot(digest: str) -> bytes:
        raise DesignNotFound(f"drydock://designs/{digest}: there is no server to ask; answer it with --reference")

    def fetch(url: str) -> bytes:
        service = url.partition("://")[0].lower() in SERVICE_SCHEMES
        return References(
            allowed_schemes=["file", "http", "https", "drydock", *SERVICE_SCHEMES],
            allowed_hosts=["*"],
            file_roots=["/"],
            max_bytes=64 * 1024 * 1024,
            connect_timeout=10.0,
            read_timeout=60.0,
            read_snapshot=no_snapshot,
            ca_file=credentials.ca_certificate,
            tokens=_tokens(credentials) if service else None,
            retries=Retries(times=2, pause=0.5),
        ).fetch(url)

    return fetch


def _tokens(credentials: Credentials) -> ServiceTokens:
    try:
        return ServiceTokens(credentials.session(), hosts=["*"])
    except NotConfigured:
        text = "a reference to Deckhand or Promenade is fetched with a token: source an openrc file (OS_AUTH_URL, ...)"
        raise InvalidReference(text) from None


def _write(out: Path, assets: Sequence[RenderedAsset], packages: Mapping[str, str | None]) -> None:
    """Raises ``ClickException`` rather than write outside ``out``, where links in it may lead."""
    root = out.resolve()
    files = [(asset.path.lstrip("/"), asset.content, asset.mode) for asset in assets if asset.path is not None]
    if packages:
        files.append((PACKAGES, json.dumps(dict(packages), indent=2).encode() + b"\n", 0o644))
    try:
        for name, content, mode in files:
            path = root / name
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
