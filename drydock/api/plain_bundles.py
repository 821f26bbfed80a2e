"""The plain request for a tarball, answered before falcon: nearly all that machines ask while a site boots.

Whatever is not plain goes on to falcon: another method, a header that asks for less than the whole, a key that is none.
So does every failure, with its cause, so that errors have one place. Here there is only the answer; a test holds it
against falcon's.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from drydock.api.middleware import HEADER, Answered, RequestLog, new_request_id
from drydock.api.node_key import IN_ENVIRON
from drydock.api.operations.machines import GZIP
from drydock.api.paths import plain_paths
from drydock.api.resources.bootdata import FAILED, file_name
from drydock.api.route import Route
from drydock.bootaction.keys import parse_key
from drydock.errors import InvalidInput
from drydock.model.boot_context import BundleKind
from drydock.orchestrator.services.boot_actions import BootService

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

_IN_PARTS = frozenset({"HTTP_RANGE", "HTTP_IF_NONE_MATCH"})
_KINDS = {"files": BundleKind.FILE, "units": BundleKind.UNIT}


class PlainBundles:
    def __init__(self, app: WSGIApplication, boot: BootService, log: RequestLog, table: Iterable[Route]) -> None:
        self._app = app
        self._boot = boot
        self._log = log
        self._paths, self._routes = plain_paths(table)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        asked = self._paths.fullmatch(environ["PATH_INFO"])
        if asked is None or environ["REQUEST_METHOD"] != "GET" or not _IN_PARTS.isdisjoint(environ):
            return self._app(environ, start_response)
        started = time.monotonic()
        number = asked.lastindex or 0
        route, node = self._routes[number], asked[number + 1]
        kind = _KINDS[route.resource]
        try:
            key = parse_key(environ.get(IN_ENVIRON, ""))
        except InvalidInput:
            return self._app(environ, start_response)
        try:
            bundle = self._boot.bundle(node, kind, key)
        except Exception as exc:  # noqa: BLE001 - not swallowed: falcon raises it again, where every error is answered
            environ[FAILED] = exc
            return self._app(environ, start_response)
        request_id = new_request_id()
        headers = [
            ("content-disposition", f'attachment; filename="{file_name(node, kind)}"'),
            ("etag", f'"{bundle.etag}"'),
            ("accept-ranges", "bytes"),
            ("content-type", GZIP),
            (HEADER, request_id),
            ("content-length", str(len(bundle.content))),
        ]
        self._log.add(Answered(time.time(), time.monotonic() - started, 200, request_id, route.path, environ))
        start_response("200 OK", headers)
        return [bundle.content]
