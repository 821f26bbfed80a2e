"""/bootdata/{hostname}/files and /units: a booting node's tarballs."""

from __future__ import annotations

import falcon

from drydock.api.doors import Boot
from drydock.api.text import check_line
from drydock.model.boot_context import BundleKind


class BootDataResource:
    def __init__(self, boot: Boot, kind: BundleKind) -> None:
        self._boot = boot
        self._kind = kind

    def on_get(self, req: falcon.Request, resp: falcon.Response, hostname: str) -> None:
        bundle = self._boot.bundle(check_line(hostname, field="hostname"), self._kind, req.context.node_key)
        resp.data = bundle.content
        resp.content_type = "application/gzip"
        resp.downloadable_as = f"{hostname}-{self._kind.value}.tar.gz"
        resp.etag = bundle.etag
