"""``NodeListener``: what comes in where only machines are served finds nothing but their routes.

The provisioning network then has no way to the operators' API, not even to try tokens. The listener is told by the
port that the server accepted the connection on: no header says so, hence none can lie about it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from drydock.auth.headers import remove_identity
from drydock.context import NOTHING_HERE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication


class NodeListener:
    """Requests at ``port`` that are not a machine's go to ``app`` to be answered with 404, all others to ``inner``."""

    def __init__(self, app: WSGIApplication, inner: WSGIApplication, port: int, node_paths: re.Pattern[str]) -> None:
        """``node_paths`` matches, as a whole, the paths of machines' requests."""
        self._app = app
        self._inner = inner
        self._port = str(port)
        self._node_paths = node_paths

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("SERVER_PORT") != self._port or self._node_paths.fullmatch(environ.get("PATH_INFO", "")):
            return self._inner(environ, start_response)
        remove_identity(environ)
        environ[NOTHING_HERE] = True
        return self._app(environ, start_response)
