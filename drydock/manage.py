"""``drydock-manage``: administration of an installation."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click
from sqlalchemy.exc import SQLAlchemyError

from drydock import __version__, conf
from drydock.db import migrate
from drydock.errors import ConfigurationError, DatabaseUnavailable, DrydockError
from drydock.start import Checks


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
@click.option("--config-file", "config_files", multiple=True, help="Configuration file; default DRYDOCK_CONFIG_FILE.")
@click.pass_context
def main(ctx: click.Context, config_files: tuple[str, ...]) -> None:
    """Administer a Drydock installation: its database schema and its secrets."""
    ctx.obj = [argument for name in config_files for argument in ("--config-file", name)]
    if ctx.invoked_subcommand == db.name:
        for warning in _unread(ctx.obj):
            click.echo(f"Warning: {warning}", err=True)


@main.group()
def db() -> None:
    """The database schema."""


@db.command()
@click.option("--revision", default="head", show_default=True, help="Version to bring the schema to.")
@click.pass_obj
def upgrade(arguments: list[str], revision: str) -> None:
    """Upgrade the schema to the version that this Drydock needs. Idempotent."""
    with _in_one_sentence():
        migrate.upgrade(conf.load(arguments).database.url, revision)
    click.echo("database schema is " + ("up to date" if revision == "head" else f"at {revision}"))


@db.command()
@click.argument("revision")
@click.pass_obj
def downgrade(arguments: list[str], revision: str) -> None:
    """Downgrade the schema to REVISION (`base`: remove all tables and their data)."""
    with _in_one_sentence():
        migrate.downgrade(conf.load(arguments).database.url, revision)
    click.echo(f"database schema is at {revision}")


@db.command()
@click.pass_obj
def current(arguments: list[str]) -> None:
    """Print the revision of the schema; nothing if there is none."""
    with _in_one_sentence():
        click.echo(migrate.current(conf.load(arguments).database.url).revision)


@db.command()
@click.pass_obj
def check(arguments: list[str]) -> None:
    """Check whether this Drydock can use the database; prints what to do if not (exit status 1)."""
    with _in_one_sentence():
        schema = migrate.current(conf.load(arguments).database.url)
    if not schema.state.suitable:
        raise click.ClickException(schema.text)
    click.echo(schema.text)


@main.command("new-secret")
def new_secret() -> None:
    """Print a secret fit for [bootaction] secrets."""
    click.echo(secrets.token_hex(32))


def _unread(arguments: list[str]) -> Sequence[str]:
    """Unknown settings of the configuration. The command itself reports invalid ones."""
    try:
        return Checks(conf.load(arguments)).unread()
    except ConfigurationError:
        return ()


@contextmanager
def _in_one_sentence() -> Iterator[None]:
    try:
        yield
    except DatabaseUnavailable as exc:
        raise click.ClickException(exc.cause) from exc
    except DrydockError as exc:
        raise click.ClickException(str(exc)) from exc
    except SQLAlchemyError as exc:
        raise click.ClickException(str(exc).partition("\n")[0] or type(exc).__name__) from exc
