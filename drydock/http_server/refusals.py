"""Error answers of the server itself. They never repeat what the client sent."""

from __future__ import annotations

import json
from dataclasses import dataclass

from gunicorn.http import errors

_REASONS = {
    400: "Bad Request",
    408: "Request Timeout",
    414: "URI Too Long",
    417: "Expectation Failed",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
}
#: Every status that the server itself answers with.
STATUSES = tuple(_REASONS)


@dataclass(frozen=True, slots=True)
class Refusal:
    status: int
    message: str
    retry: bool = False

    def reply(self, request_id: str) -> bytes:
        """An answer that ends the connection, in the form of the application's errors."""
        body = {
            "kind": "Status",
            "apiVersion": "v1.0",
            "metadata": {},
            "status": "Failure",
            "code": self.status,
            "message": self.message,
            "reason": "invalid_request" if self.status < 500 else "server_error",
            "details": {"errorCount": 1, "messageList": [{"message": self.message, "error": True}]},
            "type": "error",
            "retry": self.retry,
        }
        content = json.dumps(body).encode()
        head = (
            f"HTTP/1.1 {self.status} {_REASONS[self.status]}\r\nConnection: close\r\n"
            f"X-Drydock-Req: {request_id}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        return head.encode() + content


TOO_SLOW = Refusal(408, "the request did not arrive in time", retry=True)
TOO_LARGE_HEAD = Refusal(431, "the request's headers are too large")
FAILED = Refusal(500, "internal error")
FULL = Refusal(503, "too many large requests arrive at once; try again later", retry=True)

#: By gunicorn's exception class; all others are a 400.
_KNOWN: dict[type[Exception], Refusal] = {
    errors.InvalidRequestLine: Refusal(400, "the request line is malformed"),
    errors.InvalidRequestMethod: Refusal(400, "the method is not a method of HTTP"),
    errors.InvalidHTTPVersion: Refusal(400, "the version of HTTP is not supported"),
    errors.InvalidHeader: Refusal(400, "a header is malformed, or must not be there more than once"),
    errors.InvalidHeaderName: Refusal(400, "the name of a header is malformed"),
    errors.ObsoleteFolding: Refusal(400, "a header goes over more than one line"),
    errors.LimitRequestLine: Refusal(414, "the request line is too long"),
    errors.LimitRequestHeaders: Refusal(431, "there are too many headers, or one is too long"),
    errors.UnsupportedTransferCoding: Refusal(501, "the transfer coding is not supported"),
    errors.ExpectationFailed: Refusal(417, "the value of the header Expect is not supported"),
}


def refusal(error: Exception) -> Refusal:
    return _KNOWN.get(type(error), Refusal(400, "the request is malformed"))
