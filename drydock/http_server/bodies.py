"""Assembles bodies of requests as they arrive, without blocking.

``feed`` takes what was received and returns what follows the body's end. gunicorn's own readers block; for a body
that is invalid here, the application gets an error when it reads (``BrokenBody``) and chooses the answer.
"""

from __future__ import annotations

import io
import re
from typing import Protocol

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,12})[ \t]*(?:;[^\r\n\x00]*)?")
#: Maximum length of a chunk-size line with its extensions, and of all trailer lines.
_LONGEST_LINE = 256
_MOST_TRAILERS = 8192


class Body(Protocol):
    """``size``: bytes so far. ``done``: no more is expected; the body is ``whole``, broken or ``too_large``."""

    size: int
    done: bool
    whole: bool
    too_large: bool

    def feed(self, data: bytes) -> bytes: ...

    def content(self) -> bytes: ...


class LengthBody:
    """A body of ``length`` bytes."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._parts: list[bytes] = []
        self.size = 0
        self.too_large = False
        self.done = self.whole = length == 0

    def feed(self, data: bytes) -> bytes:
        part = data[: self._length - self.size]
        self._parts.append(part)
        self.size += len(part)
        self.done = self.whole = self.size == self._length
        return data[len(part) :]

    def content(self) -> bytes:
        return b"".join(self._parts)


class ChunkedBody:
    """A chunked body. It is done when it is complete, invalid, or larger than ``most`` bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._content = bytearray()
        self._pending = bytearray()
        self._left = 0
        self._next = self._size_line
        self.size = 0
        self.done = self.whole = self.too_large = False

    def feed(self, data: bytes) -> bytes:
        self._pending += data
        while not self.done and self._next():
            pass
        self.size = len(self._content)
        return bytes(self._pending) if self.whole else b""

    def content(self) -> bytes:
        return bytes(self._content)

    def _size_line(self) -> bool:
        """Like the methods below: consume one piece of the pending bytes. True if another may follow."""
        line = self._line(_LONGEST_LINE)
        if line is None:
            return False
        found = _SIZE.fullmatch(line)
        if found is None:
            return self._broken()
        self._left = int(found[1], 16)
        self._next = self._data if self._left else self._trailers
        self._trailed = 0
        return True

    def _data(self) -> bool:
        part = self._pending[: self._left]
        del self._pending[: len(part)]
        self._content += part
        self._left -= len(part)
        if len(self._content) > self._most:
            self.done = self.too_large = True
        if not self._left:
            self._next = self._end_of_chunk
        return not self._left

    def _end_of_chunk(self) -> bool:
        if len(self._pending) < 2:
            return False
        if self._pending[:2] != b"\r\n":
            return self._broken()
        del self._pending[:2]
        self._next = self._size_line
        return True

    def _trailers(self) -> bool:
        line = self._line(_MOST_TRAILERS)
        if line is None:
            return False
        self._trailed += len(line) + 2
        if self._trailed > _MOST_TRAILERS:
            return self._broken()
        self.done = self.whole = not line
        return True

    def _line(self, longest: int) -> bytes | None:
        """The line without CR LF; None if that has not arrived. Only CR LF ends a line."""
        end = self._pending.find(b"\n", 0, longest + 2)
        if end < 0:
            if len(self._pending) > longest:
                self._broken()
            return None
        line = bytes(self._pending[:end])
        if not line.endswith(b"\r") or b"\r" in line[:-1]:
            self._broken()
            return None
        del self._pending[: end + 1]
        return line[:-1]

    def _broken(self) -> bool:
        self.done = True
        return False


class BrokenBody(io.RawIOBase):
    """``wsgi.input`` of a body that is incomplete or has invalid chunks: reading it fails."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        raise OSError("the request's body is broken or cut short")
