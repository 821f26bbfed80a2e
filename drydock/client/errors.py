"""Errors of the client, mostly by the status of the reply.

Match on the class or on ``reason`` (the server's stable code, such as ``task_not_found``), never on the text.

    ClientError
    ├── NotConfigured           Drydock's URL or the credentials are missing
    ├── ConnectionFailed        no answer: refused, timed out, TLS; Drydock's or Keystone's
    ├── AuthenticationFailed    Keystone refused, or its catalogue has no Drydock
    ├── UnexpectedReply         a reply that is not Drydock's (a proxy's page, another service)
    ├── WatchTimedOut           the caller's timeout passed before the task ended
    └── ReplyError              an error status
        ├── BadRequest              400
        ├── Unauthorized            401
        ├── Forbidden               403
        ├── NotFound                404
        ├── Conflict                409
        ├── TooLarge                413
        ├── UnsupportedMediaType    415
        └── ServerError             5xx
            └── Unavailable         502, 503, 504: try again later
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import requests


class ClientError(Exception):
    """Base of all. ``str(error)`` is written for users."""


class NotConfigured(ClientError):
    pass


class ConnectionFailed(ClientError):
    pass


class AuthenticationFailed(ClientError):
    pass


class UnexpectedReply(ClientError):
    pass


class WatchTimedOut(ClientError):
    pass


class ReplyError(ClientError):
    """An error reply. ``messages`` are the entries of its ``details.messageList``, if it has one."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        reason: str = "",
        request_id: str = "",
        retry: bool = False,
        messages: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.reason = reason
        self.request_id = request_id
        self.retry = retry
        self.messages = tuple(messages)

    def __str__(self) -> str:
        known = [str(self.status), self.reason, f"request {self.request_id}" if self.request_id else ""]
        return f"{self.message} ({', '.join(part for part in known if part)})"


class BadRequest(ReplyError):
    pass


class Unauthorized(ReplyError):
    pass


class Forbidden(ReplyError):
    pass


class NotFound(ReplyError):
    pass


class Conflict(ReplyError):
    pass


class TooLarge(ReplyError):
    pass


class UnsupportedMediaType(ReplyError):
    pass


class ServerError(ReplyError):
    pass


class Unavailable(ServerError):
    pass


BY_STATUS: Mapping[int, type[ReplyError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    415: UnsupportedMediaType,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def reply_error(response: requests.Response) -> ReplyError:
    """The exception for an error reply of Drydock or of a proxy in front of it."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        body = {}
    status = response.status_code
    fallback = ServerError if status >= 500 else ReplyError
    details = body.get("details")
    messages = details.get("messageList") if isinstance(details, dict) else None
    return BY_STATUS.get(status, fallback)(
        str(body.get("message") or f"the server answered {status} {response.reason or ''}".rstrip()),
        status=status,
        reason=str(body.get("reason") or ""),
        request_id=response.headers.get("X-Drydock-Req", ""),
        retry=bool(body.get("retry", False)),
        messages=[entry for entry in messages if isinstance(entry, dict)] if isinstance(messages, list) else (),
    )
