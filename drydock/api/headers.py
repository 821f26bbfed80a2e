"""The headers that operations read and answer with, beside those of HTTP's own framing."""

from __future__ import annotations

from collections.abc import Mapping

from drydock.api.route import Access, Header

_TEXT = {"type": "string"}

# Of requests.
MARKER = Header(
    "X-Context-Marker", "A version 4 UUID, by which the log finds the request; anything else is ignored.", _TEXT
)
END_USER = Header("X-End-User", "On whose behalf a service sends the request; it appears in the log.", _TEXT)
SERVICE_TOKEN = Header(
    "X-Service-Token", "A Keystone token of the service that sends the request; it must be valid too.", _TEXT
)
IDEMPOTENCY_KEY = Header(
    "Idempotency-Key",
    "Names the request: sent again with the same body it is answered as the first time, with another it is 409.",
    {"type": "string", "pattern": r"^[\x20-\x7e]{1,255}$"},
)
LAST_EVENT_ID = Header(
    "Last-Event-ID",
    "The id of the last event that arrived: the stream goes on after it.",
    {"type": "string", "pattern": "^([0-9]{1,19}-[01]-[0-9]{1,19})?$"},
)
RANGE = Header("Range", "One range of bytes; anything else is ignored.", _TEXT)
IF_RANGE = Header("If-Range", "The `ETag` with which `Range` counts.", _TEXT)
IF_NONE_MATCH = Header("If-None-Match", "`ETag`s with which the answer is 304.", _TEXT)

# Of replies.
REQUEST_ID = Header(
    "X-Drydock-Req", "The id of the request in the log.", {"type": "string", "format": "uuid"}, always=True
)
LOCATION = Header(
    "Location",
    "The path of what was created, below the address of the API.",
    {"type": "string", "format": "uri-reference"},
    always=True,
)
LINK = Header("Link", "`<…>; rel=next`: the path of the next page, if there is one.", _TEXT)
ETAG = Header("ETag", "The digest of the content.", _TEXT, always=True)
ACCEPT_RANGES = Header("Accept-Ranges", "The unit of `Range`.", {"const": "bytes"}, always=True)
CONTENT_RANGE = Header(
    "Content-Range",
    "Which bytes these are, and of how many.",
    {"type": "string", "pattern": r"^bytes ([0-9]+-[0-9]+|\*)/[0-9]+$"},
    always=True,
)
CONTENT_DISPOSITION = Header("Content-Disposition", "A file name for the content.", _TEXT, always=True)
CACHE_CONTROL = Header("Cache-Control", "The stream is not to be kept.", {"const": "no-store"}, always=True)
ACCEL_BUFFERING = Header("X-Accel-Buffering", "nginx is not to buffer the stream.", {"const": "no"}, always=True)
ALLOW = Header("Allow", "The methods that the path has.", _TEXT, always=True)
CHALLENGE = Header("WWW-Authenticate", "Where Keystone is, for operators' routes.", _TEXT)
RETRY_AFTER = Header("Retry-After", "Seconds after which to try again.", {"type": "integer", "minimum": 0})

#: What requests may have by their access, whatever the operation.
OF_ACCESS: Mapping[Access, tuple[Header, ...]] = {
    Access.OPEN: (MARKER,),
    Access.OPERATOR: (MARKER, END_USER, SERVICE_TOKEN),
    Access.NODE_KEY: (MARKER,),
    Access.PATH_KEY: (MARKER,),
}
#: What errors have by their status, whatever the operation.
OF_ERRORS: Mapping[int, tuple[Header, ...]] = {401: (CHALLENGE,), 405: (ALLOW,), 503: (RETRY_AFTER,)}
