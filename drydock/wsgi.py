"""``application`` for any WSGI server: ``gunicorn -c etc/drydock/gunicorn.conf.py drydock.wsgi:application``.

Importing does nothing. The API is built, from the configuration that the environment names, by ``application.build()``,
which our gunicorn.conf.py calls in each process before it serves, or else by the first request. Until a configuration
is valid, each request fails and the log has the reason.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication


class LazyApplication:
    """Builds the API once, in the first thread that needs it. Servers that fork build one in each process."""

    def __init__(self) -> None:
        self._built: WSGIApplication | None = None
        self._building = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        return (self._built or self.build())(environ, start_response)

    def build(self) -> WSGIApplication:
        """Raises ``ConfigurationError``."""
        from drydock.bootstrap.api import build_application
        from drydock.errors import DrydockError
        from drydock.start import Process, start

        with self._building:
            if self._built is None:
                try:
                    self._built = build_application(start(Process.API))
                except DrydockError as exc:
                    logging.getLogger(__name__).critical("the API cannot serve: %s", exc)
                    raise
            return self._built


application = LazyApplication()
