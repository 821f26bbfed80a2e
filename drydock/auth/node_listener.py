"""``NodeListener``: on the node listener's port only the node routes exist; everything else is 404.

The provisioning network then cannot reach the operators' API, not even to try tokens. The listener is recognised by the
port that accepted the connection, not by a header, which a client could forge.
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
    """Requests at ``port`` for other than node routes go to ``app`` and get 404; all others go to ``inner``."""

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
