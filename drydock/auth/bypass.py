"""``NodeRouteBypass``: node-facing paths skip Keystone and lose every identity header.

A booting node has a key instead of a token, and Keystone's health must not decide whether it can boot. The
pattern is made of the application's route table; a path that passes here has no identity left, and the application
wants one on all routes but the nodes', so that a wrong pattern ends in 401.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from drydock.auth.headers import remove_identity

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication


class NodeRouteBypass:
    """Node-facing requests go to ``app``, all others to ``authenticated``."""

    def __init__(self, app: WSGIApplication, authenticated: WSGIApplication, node_paths: re.Pattern[str]) -> None:
        """``node_paths`` matches, as a whole, the paths that are answered without a token."""
        self._app = app
        self._node_paths = node_paths
        self._authenticated = authenticated

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if self._node_paths.fullmatch(environ.get("PATH_INFO", "")):
            remove_identity(environ)
            return self._app(environ, start_response)
        return self._authenticated(environ, start_response)
