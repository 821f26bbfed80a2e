"""/bootaction/{action_id}: a deployed node reports back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import falcon

from drydock.api.idempotency import read_idempotency_key
from drydock.api.reply import reply_json
from drydock.api.requests import read_json
from drydock.api.text import check_line
from drydock.api.views.boot_action import boot_action_view
from drydock.errors import InvalidInput
from drydock.model.boot_action import Report, ReportDetail, ReportStatus
from drydock.orchestrator.services.boot_actions import BootService

#: Keys of a detail that are the server's to fill: what a node sends under these names is dropped.
RESERVED = frozenset({"message", "error", "context", "context_type", "ts"})


class BootActionResource:
    def __init__(self, boot: BootService) -> None:
        self._boot = boot

    def on_post(self, req: falcon.Request, resp: falcon.Response, action_id: str) -> None:
        key: bytes = req.context.node_key
        self._boot.admit(check_line(action_id, field="action_id"), key)
        action = self._boot.report(
            action_id,
            key,
            read_report(read_json(req)),
            idempotency_key=read_idempotency_key(req),
        )
        reply_json(resp, boot_action_view(action))


def _status(text: str) -> ReportStatus:
    """In any case, as deployed scripts write it."""
    try:
        return ReportStatus(text.lower())
    except ValueError:
        raise InvalidInput("must be one of " + ", ".join(ReportStatus), field="status") from None


def read_report(body: Mapping[str, Any]) -> Report:
    return Report(
        status=_status(body["status"]) if "status" in body else None,
        details=tuple(
            ReportDetail(
                message=detail["message"],
                error=detail["error"],
                extra={key: value for key, value in detail.items() if key not in RESERVED},
            )
            for detail in body.get("details", ())
        ),
    )
