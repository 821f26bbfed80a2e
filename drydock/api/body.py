"""Request bodies: bounded, parsed, checked against a schema."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, Protocol, cast

import falcon
import jsonschema_rs

from drydock.api.text import check_values, field_path, too_deep
from drydock.errors import InvalidInput

#: Keys and values in a body: the maximum; and, above a minimum, one for this number of bytes.
MAX_VALUES = 50_000
_VALUES_OF_ANY = 4_000
_BYTES_OF_A_VALUE = 10
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_Kind = jsonschema_rs.ValidationErrorKind


class _Readable(Protocol):
    def read(self, size: int) -> bytes: ...


class JsonBody:
    """Reads JSON bodies that match ``schema`` and have at most ``max_bytes``."""

    def __init__(self, schema: Mapping[str, Any], max_bytes: int, *, any_content_type: bool = False) -> None:
        self._validator = jsonschema_rs.validator_for(dict(schema), mask="it")
        self._max_bytes = max_bytes
        self._any_content_type = any_content_type

    def read(self, req: falcon.Request) -> dict[str, Any]:
        """The body. Raises ``InvalidInput`` naming the field, and falcon's 413 and 415."""
        content = read_bytes(req, self._max_bytes)
        if not self._any_content_type:
            require_content_type(req, ("application/json",))
        value = parse_json(content)
        check_values(value)
        try:
            self._validator.validate(value)
        except jsonschema_rs.ValidationError as exc:
            raise _invalid(exc) from None
        return cast("dict[str, Any]", value)


def has_body(req: falcon.Request) -> bool:
    return bool(req.content_length) or req.get_header("Transfer-Encoding") is not None


def read_bytes(req: falcon.Request, max_bytes: int) -> bytes:
    """The whole body, with or without a Content-Length. Raises ``InvalidInput`` if empty, falcon's 413 if too large."""
    length = req.content_length
    if length is not None:
        if length > max_bytes:
            raise too_large(max_bytes)
        content = _read_up_to(req.bounded_stream, length)
        if len(content) < length:
            raise InvalidInput("ended before its Content-Length", field="body")
    elif req.env.get("wsgi.input_terminated") and req.get_header("Transfer-Encoding"):
        content = _read_up_to(req.env["wsgi.input"], max_bytes + 1)
        if len(content) > max_bytes:
            raise too_large(max_bytes)
    else:
        content = b""
    if not content:
        raise InvalidInput("is missing", field="body")
    return content


def _read_up_to(stream: _Readable, size: int) -> bytes:
    parts: list[bytes] = []
    try:
        while size > 0 and (part := stream.read(size)):
            parts.append(part)
            size -= len(part)
    except Exception as exc:  # each server raises what it likes when a client's chunks are no chunks
        raise InvalidInput("is broken or cut short", field="body") from exc
    return b"".join(parts)


def too_large(max_bytes: int) -> falcon.HTTPContentTooLarge:
    return falcon.HTTPContentTooLarge(description=f"body: is larger than {max_bytes} bytes")


def require_content_type(req: falcon.Request, accepted: Sequence[str]) -> None:
    """Whatever its parameters (charset), the media type must be one of ``accepted``. Raises falcon's 415."""
    media_type = (req.content_type or "").partition(";")[0].strip().lower()
    if media_type not in accepted:
        raise falcon.HTTPUnsupportedMediaType(description=f"Content-Type: must be {' or '.join(accepted)}")


def parse_json(content: bytes) -> object:
    """Raises ``InvalidInput``."""
    _check_values(content)
    try:
        return _DECODER.decode(content.decode("utf-8"))
    except UnicodeDecodeError as exc:
        raise InvalidInput("is not UTF-8", field="body") from exc
    except json.JSONDecodeError as exc:
        raise InvalidInput(f"is not JSON: {exc.msg} at line {exc.lineno} column {exc.colno}", field="body") from exc
    except RecursionError as exc:
        raise too_deep() from exc
    except ValueError as exc:
        # A number with more digits than Python converts.
        raise InvalidInput("has a number that is out of range", field="body") from exc


def _check_values(content: bytes) -> None:
    """Refuse what would take many times its size once it is parsed: an empty list takes thirty times its two bytes."""
    most = min(MAX_VALUES, _VALUES_OF_ANY + len(content) // _BYTES_OF_A_VALUE)
    values = _separators(content, 0, len(content))
    if values <= most:
        return
    # A quote that no backslash stands before begins or ends a string.
    if content.count(b'"') - content.count(b'\\"') <= 2 * most:
        for string in _STRING.finditer(content):
            values -= _separators(content, *string.span())
    if values > most:
        raise InvalidInput(f"has more than {most} keys and values, too many for its size", field="body")


def _separators(content: bytes, start: int, end: int) -> int:
    """No fewer than keys and values: each has a comma, a colon or an opening bracket of its own."""
    return sum(content.count(each, start, end) for each in (b",", b":", b"[", b"{"))


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidInput(f"is not JSON: {name} is not a number", field="body")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def _invalid(error: jsonschema_rs.ValidationError) -> InvalidInput:
    """The schema's complaint in a client's words, with the path of the field that is meant, even if it is missing.

    What was sent is not repeated.
    """
    path = list(error.instance_path)
    match error.kind:
        case _Kind.Required(property=name):
            return InvalidInput("is required", field=field_path([*path, name]))
        case _Kind.AdditionalProperties(unexpected=names):
            return InvalidInput("is not known", field=field_path([*path, names[0]]))
        case _Kind.Pattern():
            text = "has characters that are not allowed"
        case _Kind.Enum(options=options):
            text = "must be one of " + ", ".join(map(str, options))
        case _Kind.Type(types=types):
            text = "must be of type " + " or ".join(types)
        case _Kind.MinLength():
            text = "is empty"
        case _Kind.MaxLength(limit=limit):
            text = f"is longer than {limit} characters"
        case _Kind.MaxItems(limit=limit):
            text = f"has more than {limit} items"
        case _:
            text = "is not what is expected here"
    return InvalidInput(text, field=field_path(path))
