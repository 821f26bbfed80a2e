"""/bootdata/{hostname}/files and /units: a booting node's tarballs."""

from __future__ import annotations

import falcon

from drydock.api.doors import Boot
from drydock.api.reply import reply_content
from drydock.api.text import check_line
from drydock.model.boot_context import BundleKind


class BootDataResource:
    def __init__(self, boot: Boot, kind: BundleKind) -> None:
        self._boot = boot
        self._kind = kind

    def on_get(self, req: falcon.Request, resp: falcon.Response, hostname: str) -> None:
        bundle = self._boot.bundle(check_line(hostname, field="hostname"), self._kind, req.context.node_key)
        resp.downloadable_as = f"{hostname}-{self._kind.value}.tar.gz"
        reply_content(req, resp, bundle.content, digest=bundle.etag, media_type="application/gzip")

    on_head = on_get
