"""Bodies as they arrive, in whatever pieces."""

from __future__ import annotations

import pytest

from drydock.http_server.bodies import BrokenBody, ChunkedBody, LengthBody

CHUNKED = b"3\r\nabc\r\nA;name=value\r\n0123456789\r\n0\r\nX-Trailer: t\r\n\r\n"


def fed(body: ChunkedBody | LengthBody, data: bytes, size: int) -> bytes:
    """What lies behind the body, when it arrives in pieces of ``size`` bytes."""
    behind = b""
    for start in range(0, len(data), size):
        piece = data[start : start + size]
        behind += piece if body.done else body.feed(piece)
    return behind


@pytest.mark.parametrize("size", [*range(1, 12), 1000])
def test_chunks_in_any_pieces(size: int) -> None:
    body = ChunkedBody(100)
    assert fed(body, CHUNKED + b"GET / HTTP/1.1", size) == b"GET / HTTP/1.1"
    assert (body.done, body.whole, body.size, body.content()) == (True, True, 13, b"abc0123456789")


@pytest.mark.parametrize("size", [1, 4, 1000])
def test_a_length_in_any_pieces(size: int) -> None:
    body = LengthBody(5)
    assert fed(body, b"12345GET", size) == b"GET"
    assert (body.whole, body.content()) == (True, b"12345")


@pytest.mark.parametrize(
    "data",
    [
        b"zz\r\n",
        b"\r\n",
        b"-1\r\n",
        b"+3\r\nabc\r\n",
        b"0x3\r\nabc\r\n",
        b"1_0\r\n",
        b" 3\r\nabc\r\n",
        b"3\nabc\n0\n\n",
        b"3\r\nabcd\r\n0\r\n\r\n",
        b"3\r\nabc\n\r0\r\n\r\n",
        b"f" * 13 + b"\r\n",
        b"3;" + b"x" * 1000 + b"\r\nabc\r\n",
        b"3;\rx\r\nabc\r\n",
        b"3;\x00\r\nabc\r\n",
        b"0\r\n" + b"X: y\r\n" * 5000,
        b"0\r\nX: y\n\n",
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_what_are_no_chunks(data: bytes, size: int) -> None:
    body = ChunkedBody(100)
    fed(body, data, size)
    assert (body.done, body.whole, body.too_large) == (True, False, False)


def test_a_body_that_grows_too_large_is_done() -> None:
    body = ChunkedBody(10)
    body.feed(b"ffffff\r\n" + b"x" * 11)
    assert (body.done, body.whole, body.too_large) == (True, False, True)


def test_a_broken_body_cannot_be_read() -> None:
    for read in (BrokenBody().read, BrokenBody().readline):
        with pytest.raises(OSError, match="broken"):
            read(10)
