"""Drydock's own Keystone session, for requests to other services."""

from __future__ import annotations

from keystoneauth1 import loading
from keystoneauth1.exceptions import ClientException
from keystoneauth1.session import Session
from oslo_config import cfg

from drydock.auth.options import CONNECT_TIMEOUT, GROUP, plugin_group, register
from drydock.errors import ConfigurationError


def service_session(conf: cfg.ConfigOpts) -> Session | None:
    """A session with the credentials of [keystone_authtoken]; None if there are none. Sends nothing yet.

    Raises ``ConfigurationError`` for invalid credentials.
    """
    register(conf)
    section = conf[GROUP]
    if not conf[plugin_group(conf)].auth_type:
        return None
    try:
        plugin = loading.load_auth_from_conf_options(conf, GROUP)
    except (ClientException, cfg.Error) as exc:
        raise ConfigurationError(f"[{GROUP}]: {exc}") from exc
    return Session(
        auth=plugin,
        verify=False if section.insecure else section.cafile or True,
        cert=(section.certfile, section.keyfile) if section.certfile and section.keyfile else section.certfile,
        timeout=section.http_connect_timeout or CONNECT_TIMEOUT,
        app_name="drydock",
    )
