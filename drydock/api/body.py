"""Request bodies: bounded, parsed, checked against a schema."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, Protocol, cast

import falcon
import jsonschema_rs

from drydock.api.text import check_values
from drydock.errors import InvalidInput

#: A value shown in a message is cut after so many characters.
_SHOWN = 200


class _Readable(Protocol):
    def read(self, size: int) -> bytes: ...


class JsonBody:
    """Reads JSON bodies that match ``schema`` and have at most ``max_bytes``."""

    def __init__(self, schema: Mapping[str, Any], max_bytes: int, *, any_content_type: bool = False) -> None:
        self._validator = jsonschema_rs.validator_for(dict(schema))
        self._max_bytes = max_bytes
        self._any_content_type = any_content_type

    def read(self, req: falcon.Request) -> dict[str, Any]:
        """The body. Raises ``InvalidInput`` naming the field, and falcon's 413 and 415."""
        content = read_bytes(req, self._max_bytes)
        if not self._any_content_type:
            require_content_type(req, ("application/json",))
        value = _parse(content)
        check_values(value)
        errors = sorted(self._validator.iter_errors(value), key=lambda error: list(map(str, error.instance_path)))
        if errors:
            raise _invalid(errors[0])
        return cast("dict[str, Any]", value)


def read_bytes(req: falcon.Request, max_bytes: int) -> bytes:
    """The whole body, with or without a Content-Length. Raises ``InvalidInput`` if empty, falcon's 413 if too large."""
    length = req.content_length
    if length is not None:
        if length > max_bytes:
            raise too_large(max_bytes)
        content = req.bounded_stream.read(length)
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
    while size > 0 and (part := stream.read(min(size, 65536))):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def too_large(max_bytes: int) -> falcon.HTTPContentTooLarge:
    return falcon.HTTPContentTooLarge(description=f"body: is larger than {max_bytes} bytes")


def require_content_type(req: falcon.Request, accepted: Sequence[str]) -> None:
    """Whatever its parameters (charset), the media type must be one of ``accepted``. Raises falcon's 415."""
    media_type = (req.content_type or "").partition(";")[0].strip().lower()
    if media_type not in accepted:
        raise falcon.HTTPUnsupportedMediaType(description=f"Content-Type: must be {' or '.join(accepted)}")


def _parse(content: bytes) -> object:
    try:
        return _DECODER.decode(content.decode("utf-8"))
    except UnicodeDecodeError as exc:
        raise InvalidInput("is not UTF-8", field="body") from exc
    except json.JSONDecodeError as exc:
        raise InvalidInput(f"is not JSON: {exc.msg} at line {exc.lineno} column {exc.colno}", field="body") from exc
    except RecursionError as exc:
        raise InvalidInput("is nested too deeply", field="body") from exc
    except ValueError as exc:
        # A number with more digits than Python converts.
        raise InvalidInput("has a number that is out of range", field="body") from exc


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidInput(f"is not JSON: {name} is not a number", field="body")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def _invalid(error: jsonschema_rs.ValidationError) -> InvalidInput:
    """The schema's complaint in a client's words, with the path of the field that is meant, even if it is missing."""
    kind = error.kind
    path = list(error.instance_path)
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
        return InvalidInput("is required", field=field_path([*path, kind.property]))
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.AdditionalProperties):
        return InvalidInput("is not known", field=field_path([*path, kind.unexpected[0]]))
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Pattern):
        return InvalidInput("has characters that are not allowed", field=field_path(path))
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Enum):
        return InvalidInput("must be one of " + ", ".join(map(str, kind.options)), field=field_path(path))
    message = error.message if len(error.message) <= _SHOWN else error.message[:_SHOWN] + "…"
    return InvalidInput(message, field=field_path(path))


def field_path(path: Sequence[str | int]) -> str:
    """``["details", 0, "message"]`` as ``details[0].message``; the body itself is called ``body``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")[:_SHOWN] or "body"
