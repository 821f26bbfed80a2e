"""Replies: JSON at once, or an array that is streamed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import falcon

#: A streamed array is sent in pieces of at least this number of bytes.
PIECE = 65536


def reply_json(resp: falcon.Response, value: Any, *, status: int = 200) -> None:
    resp.status = status
    resp.content_type = falcon.MEDIA_JSON
    resp.data = json.dumps(value).encode()


def reply_created(resp: falcon.Response, location: str, value: Any) -> None:
    resp.location = location
    reply_json(resp, value, status=201)


def reply_content(req: falcon.Request, resp: falcon.Response, content: bytes, *, digest: str, media_type: str) -> None:
    """Bytes that ``digest`` names: whole, a part of them (``Range``), or just that they are the same as before.

    Raises falcon's 416. A ``Range`` that is malformed, or asks for several parts, is ignored as RFC 9110 wants it.
    """
    # NOTE: headers by their names, as falcon's properties for them take twice as long; machines ask by the thousand.
    tag = f'"{digest}"'
    resp.set_header("ETag", tag)
    resp.set_header("Accept-Ranges", "bytes")
    if "HTTP_IF_NONE_MATCH" in req.env and _known(req, digest):
        resp.status = 304
        return
    resp.content_type = media_type
    part = _part(req, tag, len(content)) if "HTTP_RANGE" in req.env else None
    if part is None:
        resp.data = content
        return
    resp.status = 206
    resp.content_range = (part.start, part.stop - 1, len(content), "bytes")
    resp.data = content[part.start : part.stop]


def _known(req: falcon.Request, digest: str) -> bool:
    return any(known in ("*", digest) for known in req.if_none_match or ())


def _part(req: falcon.Request, tag: str, size: int) -> range | None:
    """What of ``size`` bytes is asked for; None: all of them."""
    if req.method != "GET" or req.get_header("If-Range") not in (None, tag):
        return None
    try:
        if req.range is None or req.range_unit != "bytes":
            return None
        first, last = req.range
    except falcon.HTTPInvalidHeader:
        return None
    if first < 0:
        return range(max(size + first, 0), size)
    if first >= size:
        raise falcon.HTTPRangeNotSatisfiable(size)
    return range(first, size if last < 0 else min(last + 1, size))


def json_array(items: Iterable[Any]) -> Iterator[bytes]:
    """A JSON array of any length, without ever holding it whole."""
    piece = bytearray(b"[")
    separator = b""
    for item in items:
        piece += separator + json.dumps(item).encode()
        separator = b", "
        if len(piece) >= PIECE:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece + b"]")
