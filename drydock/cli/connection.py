"""From the shared options to a client."""

from __future__ import annotations

import click

from drydock.client import Credentials, DrydockClient


def client_of(ctx: click.Context) -> DrydockClient:
    """A client for the credentials that the group put into the context. Raises NotConfigured."""
    credentials = ctx.find_object(Credentials)
    if credentials is None:
        raise click.UsageError("run this as a command of drydock")
    return DrydockClient(
        credentials.session(),
        endpoint=credentials.url,
        interface=credentials.environ.get("OS_INTERFACE"),
        region_name=credentials.environ.get("OS_REGION_NAME"),
    )
