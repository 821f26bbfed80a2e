"""The named transforms of an asset. Each takes the output of the one before it, bytes or text."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence

Value = str | bytes
Segment = Callable[[Value], Value]


class SegmentError(ValueError):
    """A segment failed on its input. ``segment`` is its name."""

    def __init__(self, segment: str, text: str) -> None:
        super().__init__(text)
        self.segment = segment


def run(value: Value, names: Sequence[str], template: Segment, *, max_bytes: int) -> Value:
    """``value`` after all segments. ``template`` is the segment that depends on the node.

    Raises ``SegmentError`` for an unknown segment, an input of the wrong kind or a result over ``max_bytes``.
    """
    segments = {**SEGMENTS, "template": template}
    for name in names:
        if name not in segments:
            raise SegmentError(name, f"unknown; use one of {', '.join(segments)}")
        try:
            value = segments[name](value)
        except ValueError as exc:
            raise SegmentError(name, str(exc)) from exc
        if len(value) > max_bytes:
            raise SegmentError(name, f"the result is larger than {max_bytes} bytes")
    return value


def _utf8_decode(value: Value) -> str:
    try:
        return _bytes(value).decode("utf-8")
    except UnicodeDecodeError as exc:
        raise ValueError(f"not UTF-8 at byte {exc.start}") from None


def _utf8_encode(value: Value) -> bytes:
    return text(value).encode("utf-8")


def _base64_encode(value: Value) -> bytes:
    return base64.b64encode(_bytes(value))


def _base64_decode(value: Value) -> bytes:
    """Accepts text and bytes, and ignores line breaks."""
    try:
        packed = value.encode("ascii") if isinstance(value, str) else value
        return base64.b64decode(b"".join(packed.split()), validate=True)
    except ValueError as exc:
        raise ValueError(f"not base64: {exc}") from None


def _bytes(value: Value) -> bytes:
    if isinstance(value, str):
        raise ValueError("needs bytes, but gets text: put utf8_encode before it")
    return value


def text(value: Value) -> str:
    """Raises ``ValueError`` for bytes."""
    if isinstance(value, bytes):
        raise ValueError("needs text, but gets bytes: put utf8_decode before it")
    return value


SEGMENTS: Mapping[str, Segment] = {
    "utf8_decode": _utf8_decode,
    "utf8_encode": _utf8_encode,
    "base64_encode": _base64_encode,
    "base64_decode": _base64_decode,
}
