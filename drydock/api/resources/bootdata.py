"""/bootdata/{hostname}/files and /units: a booting node's tarballs."""

from __future__ import annotations

import falcon

from drydock.api.head import WithHead
from drydock.api.operations.machines import GZIP
from drydock.api.reply import reply_content
from drydock.api.text import check_line
from drydock.model.boot_context import BundleKind
from drydock.orchestrator.services.boot_actions import BootService

#: WSGI environment: why the bundle cannot be had, where it was asked for already.
FAILED = "drydock.bundle_failed"


def file_name(node: str, kind: BundleKind) -> str:
    """Under which a client that keeps the tarball would keep it."""
    return f"{node}-{kind.value}.tar.gz"


class BootDataResource(WithHead):
    def __init__(self, boot: BootService, kind: BundleKind) -> None:
        self._boot = boot
        self._kind = kind

    def on_get(self, req: falcon.Request, resp: falcon.Response, hostname: str) -> None:
        failure: Exception | None = req.env.get(FAILED)
        if failure is not None:
            raise failure
        bundle = self._boot.bundle(check_line(hostname, field="hostname"), self._kind, req.context.node_key)
        resp.downloadable_as = file_name(hostname, self._kind)
        reply_content(req, resp, bundle.content, digest=bundle.etag, media_type=GZIP)
