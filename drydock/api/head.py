"""``WithHead``: HEAD for what has GET, with the same work and the same headers, without a body."""

from __future__ import annotations

from typing import Any, Protocol

import falcon


class _Gets(Protocol):
    @property
    def on_get(self) -> Any: ...


class WithHead:
    """Every resource that has ``on_get`` is one. Both methods go by the rule of GET."""

    def on_head(self: _Gets, req: falcon.Request, resp: falcon.Response, **params: Any) -> None:
        self.on_get(req, resp, **params)
        if (stream := resp.stream) is not None:
            # NOTE: falcon would neither read nor close it. With none at all it would say that there are 0 bytes.
            resp.stream = iter(())
            if hasattr(stream, "close"):
                stream.close()
