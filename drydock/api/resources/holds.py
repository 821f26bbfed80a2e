"""/holds, /nodes/{hostname}/hold."""

from __future__ import annotations

from datetime import UTC, datetime

import falcon

from drydock.api.head import WithHead
from drydock.api.reply import reply_json
from drydock.api.requests import read_json
from drydock.api.text import check_line
from drydock.api.views.holds import hold_view
from drydock.context import RequestContext
from drydock.errors import InvalidInput
from drydock.model.operator_hold import NewHold
from drydock.orchestrator.services.operator_holds import OperatorHoldService


class HoldsResource(WithHead):
    def __init__(self, holds: OperatorHoldService) -> None:
        self._holds = holds

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        reply_json(resp, [hold_view(hold) for hold in self._holds.holds()])


class NodeHoldResource:
    def __init__(self, holds: OperatorHoldService) -> None:
        self._holds = holds

    def on_put(self, req: falcon.Request, resp: falcon.Response, hostname: str) -> None:
        body = read_json(req)
        caller: RequestContext = req.context.caller
        new = NewHold(
            node=check_line(hostname, field="hostname", longest=255),
            kind=body["kind"],
            reason=body["reason"],
            created_by=caller.user,
            until=_moment(body.get("until")),
        )
        reply_json(resp, hold_view(self._holds.hold(new)))

    def on_delete(self, req: falcon.Request, resp: falcon.Response, hostname: str) -> None:
        self._holds.release(check_line(hostname, field="hostname", longest=255))
        resp.status = falcon.HTTP_204


def _moment(text: str | None) -> datetime | None:
    """In UTC: PostgreSQL takes no zone beyond 15:59 hours, Python up to 23:59."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise InvalidInput("must be a time with its zone, such as 2030-01-31T18:00:00Z", field="until")
