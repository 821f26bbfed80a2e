"""Who asks: Keystone, the bypass for node routes, the development stand-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oslo_config import cfg

from drydock.auth.bypass import NodeRouteBypass
from drydock.auth.keystone import KeystoneAuth
from drydock.auth.noauth import NoAuth

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = ["wrap"]


def wrap(app: WSGIApplication, conf: cfg.ConfigOpts) -> WSGIApplication:
    """``app`` behind what ``[api] auth_strategy`` asks for, node routes around it.

    Raises ``ConfigurationError`` when [keystone_authtoken] is needed and incomplete.
    """
    authenticated = NoAuth(app) if conf.api.auth_strategy == "noauth" else KeystoneAuth(app, conf)
    return NodeRouteBypass(app, authenticated)
