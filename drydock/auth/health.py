"""Health check of Keystone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from keystoneauth1.exceptions import ClientException
from keystoneauth1.session import Session
from oslo_config import cfg

from drydock.auth.options import GROUP, plugin_group, register
from drydock.errors import DrydockError


def checks(conf: cfg.ConfigOpts) -> Mapping[str, Callable[[], None]]:
    """Checks by name; a check raises ``DrydockError`` on failure."""
    if conf.api.auth_strategy == "noauth":
        return {}
    register(conf)
    options = conf[GROUP]
    url: str | None = conf[plugin_group(conf)].get("auth_url")
    if not url:
        return {}
    session = Session(
        verify=False if options.insecure else options.cafile or True,
        timeout=options.http_connect_timeout,
        app_name="drydock",
    )
    return {"keystone": partial(_ask, session, url)}


def _ask(session: Session, url: str) -> None:
    """One request that needs no token."""
    try:
        session.get(url, authenticated=False)
    except ClientException as exc:
        raise DrydockError(f"Keystone at {url} does not answer: {type(exc).__name__}") from exc
