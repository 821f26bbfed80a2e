"""Replies: JSON at once, or an array that is streamed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import falcon

#: A streamed array is sent in pieces of at least so many bytes.
PIECE = 65536


def reply_json(resp: falcon.Response, value: Any, *, status: int = 200) -> None:
    resp.status = status
    resp.content_type = falcon.MEDIA_JSON
    resp.data = json.dumps(value).encode()


def reply_created(resp: falcon.Response, location: str, value: Any) -> None:
    resp.location = location
    reply_json(resp, value, status=201)


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
