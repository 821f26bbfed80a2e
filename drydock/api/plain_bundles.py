"""The plain request for a tarball, answered before falcon: nearly all that machines ask while a site boots.

Whatever is not plain goes on to falcon: another method, a header that asks for less than the whole, a key that is none.
So does every failure, with its cause, so that errors have one place. Here there is only the answer; a test holds it
against falcon's.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from drydock.api.doors import Boot
from drydock.api.middleware import HEADER, Answered, RequestLog, new_request_id
from drydock.api.node_key import IN_ENVIRON
from drydock.api.resources.bootdata import FAILED, MEDIA_TYPE, file_name
from drydock.bootaction.keys import parse_key
from drydock.errors import InvalidInput
from drydock.model.boot_context import BundleKind

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

_PATH = re.compile(r"(/api/v1\.0/(?:bootdata|bootactions/nodes)/)([\w.-]{1,255})/(files|units)/?", re.ASCII)
_IN_PARTS = frozenset({"HTTP_RANGE", "HTTP_IF_NONE_MATCH"})
_KINDS = {"files": BundleKind.FILE, "units": BundleKind.UNIT}


class PlainBundles:
    def __init__(self, app: WSGIApplication, boot: Boot, log: RequestLog) -> None:
        self._app = app
        self._boot = boot
        self._log = log

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        asked = _PATH.fullmatch(environ["PATH_INFO"])
        if asked is None or environ["REQUEST_METHOD"] != "GET" or not _IN_PARTS.isdisjoint(environ):
            return self._app(environ, start_response)
        started = time.monotonic()
        prefix, node, name = asked.groups()
        kind = _KINDS[name]
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
            ("content-type", MEDIA_TYPE),
            (HEADER, request_id),
            ("content-length", str(len(bundle.content))),
        ]
        route = f"{prefix}{{hostname}}/{name}"
        self._log.add(Answered(time.time(), time.monotonic() - started, 200, request_id, route, environ))
        start_response("200 OK", headers)
        return [bundle.content]
