"""``NodeRouteBypass``: node-facing paths skip Keystone and lose every identity header.

A booting node has a key instead of a token, and Keystone's health must not decide whether it can boot. The paths are
told apart here by a pattern, in the application by its route table; the two cannot disagree dangerously, because a
path that passes here has no identity left, and the application wants one on all routes but the nodes'.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from drydock.auth.headers import remove_identity

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

NODE_PATH = re.compile(
    r"/api/v1\.0/((bootdata|bootactions/nodes)/[^/]+/(files|units|script|builddata|events(/[^/]+)?)|bootactions?/[^/]+)/?"
)


class NodeRouteBypass:
    """Node-facing requests go to ``app``, all others to ``authenticated``."""

    def __init__(self, app: WSGIApplication, authenticated: WSGIApplication) -> None:
        self._app = app
        self._authenticated = authenticated

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if NODE_PATH.fullmatch(environ.get("PATH_INFO", "")):
            remove_identity(environ)
            return self._app(environ, start_response)
        return self._authenticated(environ, start_response)
