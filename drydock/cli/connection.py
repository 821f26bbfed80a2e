"""From the shared options to a client."""

from __future__ import annotations

import click

from drydock.client import Credentials, DrydockClient


def credentials_of(ctx: click.Context) -> Credentials:
    """What the group put into the context."""
    credentials = ctx.find_object(Credentials)
    if credentials is None:
        raise click.UsageError("run this as a command of drydock")
    return credentials


def client_of(ctx: click.Context) -> DrydockClient:
    """A client for the credentials that the group put into the context. Raises NotConfigured."""
    credentials = credentials_of(ctx)
    return DrydockClient(
        credentials.session(),
        endpoint=credentials.url,
        interface=credentials.environ.get("OS_INTERFACE"),
        region_name=credentials.environ.get("OS_REGION_NAME"),
    )
