"""Authentication: Keystone, the bypass for node routes, and noauth for development."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from oslo_config import cfg

from drydock.auth.bypass import NodeRouteBypass
from drydock.auth.keystone import KeystoneAuth
from drydock.auth.noauth import NoAuth
from drydock.auth.node_listener import NodeListener
from drydock.conf import node_listener

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = ["wrap"]


def wrap(app: WSGIApplication, conf: cfg.ConfigOpts, node_paths: re.Pattern[str]) -> WSGIApplication:
    """``app`` behind the authentication of ``[api] auth_strategy``, which paths that ``node_paths`` matches bypass.

    Raises ``ConfigurationError`` when [keystone_authtoken] is needed and incomplete, or [api] node_listen is wrong.
    """
    authenticated = NoAuth(app) if conf.api.auth_strategy == "noauth" else KeystoneAuth(app, conf)
    wrapped = NodeRouteBypass(app, authenticated, node_paths)
    listener = node_listener(conf)
    return wrapped if listener is None else NodeListener(app, wrapped, listener.port, node_paths)
