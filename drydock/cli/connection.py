"""Makes a client from the shared options."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from drydock.cli.output import clean
from drydock.client.credentials import Credentials

if TYPE_CHECKING:
    from drydock.client import DrydockClient


def credentials_of(ctx: click.Context) -> Credentials:
    """The credentials that the group put into the context."""
    credentials = ctx.find_object(Credentials)
    if credentials is None:
        raise click.UsageError("run this as a command of drydock")
    return credentials


def client_of(ctx: click.Context) -> DrydockClient:
    """A client for the credentials that the group put into the context. Raises NotConfigured."""
    from drydock.client.client import DrydockClient  # takes long to load

    credentials = credentials_of(ctx)
    return DrydockClient(
        credentials.session(),
        endpoint=credentials.url,
        interface=credentials.environ.get("OS_INTERFACE"),
        region_name=credentials.environ.get("OS_REGION_NAME"),
        on_slow=print_waiting,
    )


def print_waiting(what: str) -> None:
    click.echo(clean(f"Still {what} …"), err=True)
