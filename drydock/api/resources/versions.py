"""/versions."""

from __future__ import annotations

import falcon

from drydock.api.head import WithHead
from drydock.api.reply import reply_json
from drydock.api.route import PREFIX


class VersionsResource(WithHead):
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        reply_json(resp, {"v1.0": {"path": PREFIX, "status": "stable"}})
