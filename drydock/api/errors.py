"""The one place where an exception becomes a status and a JSON body."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import falcon

from drydock import errors
from drydock.api.reply import reply_json
from drydock.api.views.status import error_view
from drydock.metrics import ApiMetrics

LOG = logging.getLogger(__name__)

#: An exception has the status of its nearest ancestor here; without one it is our own fault (500).
STATUSES: Mapping[type[errors.DrydockError], int] = {
    errors.InvalidInput: 400,
    errors.NotAuthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.DesignError: 400,
    errors.DriverError: 502,
    errors.DriverUnavailable: 503,
    errors.DatabaseUnavailable: 503,
}

#: Stable codes of what falcon raises itself, by status.
FALCON_CODES: Mapping[int, str] = {
    400: "invalid_input",
    401: "not_authenticated",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    414: "too_large",
    415: "unsupported_media_type",
    416: "range_not_satisfiable",
    503: "unavailable",
}

#: Seconds after which a client may try again what failed with 503.
RETRY_AFTER = "5"


def status_of(error: errors.DrydockError) -> int:
    for ancestor in type(error).__mro__:
        if ancestor in STATUSES:
            return STATUSES[ancestor]
    return 500


class ErrorHandlers:
    """Every error reply of the API."""

    def __init__(self, metrics: ApiMetrics) -> None:
        self._metrics = metrics

    def add_to(self, app: falcon.App[falcon.Request, falcon.Response]) -> None:
        app.add_error_handler(Exception, self._unforeseen)
        app.add_error_handler(falcon.HTTPError, _refused_by_falcon)
        app.add_error_handler(errors.DrydockError, self._known)

    def _known(
        self, req: falcon.Request, resp: falcon.Response, error: errors.DrydockError, params: Mapping[str, Any]
    ) -> None:
        status = status_of(error)
        if status == 500:
            self._unforeseen(req, resp, error, params)
            return
        # Why the database is unavailable is in the log already, once for all requests.
        if status >= 502 and not isinstance(error, errors.DatabaseUnavailable):
            LOG.warning("request failed", extra={"request_id": _request_id(req), "code": error.code, "why": str(error)})
        field = error.field if isinstance(error, errors.InvalidInput) else ""
        view = error_view(code=status, message=str(error), reason=error.code, retry=error.retry, field=field)
        _reply(resp, status, view)

    def _unforeseen(
        self, req: falcon.Request, resp: falcon.Response, error: Exception, params: Mapping[str, Any]
    ) -> None:
        """The API's last handler: the client learns the request's id, the log everything else."""
        request_id = _request_id(req)
        self._metrics.unforeseen_errors.labels("api").inc()
        LOG.error("unforeseen error", exc_info=error, extra={"request_id": request_id, "method": req.method})
        message = f"internal error; the log has more about request {request_id}"
        _reply(resp, 500, error_view(code=500, message=message, reason="internal_error", retry=False))


def _refused_by_falcon(
    req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError, params: Mapping[str, Any]
) -> None:
    status = error.status_code
    message = error.description or error.title or "the request cannot be served"
    if isinstance(error, falcon.HTTPRouteNotFound):
        message = "there is nothing at this path"
    elif error.description is None and status == 400:
        # All that it refuses with so few words are methods that HTTP does not have.
        message = f"{req.method} is no method of HTTP"
    elif isinstance(error, falcon.HTTPMethodNotAllowed):
        message = "this path does not have that method; the header Allow lists those it has"
    reason = FALCON_CODES.get(status, "http_error")
    if error.headers is not None:
        resp.set_headers(error.headers)
    _reply(resp, status, error_view(code=status, message=message, reason=reason, retry=status == 503))


def _reply(resp: falcon.Response, status: int, body: dict[str, Any]) -> None:
    resp.stream = None
    if status == 503:
        resp.set_header("Retry-After", RETRY_AFTER)
    reply_json(resp, body, status=status)


def _request_id(req: falcon.Request) -> str:
    return getattr(req.context, "request_id", "")
