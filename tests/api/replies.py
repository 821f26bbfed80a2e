"""Holds each reply of the API against its operation in the route table, as ``docs/reference/openapi.json`` has it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache

import jsonschema_rs

from drydock.api.openapi import ERROR_STATUSES
from drydock.api.operations import TABLE
from drydock.api.paths import pattern
from drydock.api.route import JSON, Operation, Reply
from drydock.api.schemas.replies import ERROR

_ROUTES = [(re.compile(pattern(route.path, "[^/]+") + "/?"), route) for route in TABLE]
_ERROR = Reply("An error.", ERROR)


def check_reply(method: str, path: str, status: int, headers: Mapping[str, str], content: bytes) -> None:
    """Fails unless the operation may answer so; ``path`` without its query. The body of HEAD is not looked at."""
    if method == "OPTIONS":
        return
    reply = _expected(method, path, status)
    if method == "HEAD" or not content:
        return
    assert reply.media_type is not None, f"{method} {path} {status} has a body"
    media_type = headers.get("content-type", "").partition(";")[0]
    if reply.schema is None:
        assert media_type == reply.media_type.partition(";")[0], (method, path, status, media_type)
    elif media_type == JSON:
        errors = list(_validator(method, _template(path), status).iter_errors(json.loads(content)))
        assert not errors, f"{method} {path} {status}: {errors[0]}"


def _template(path: str) -> str:
    return next((route.path for matches, route in _ROUTES if matches.fullmatch(path)), path)


def _operation(method: str, path: str) -> Operation | None:
    found = (route.operation(method) for matches, route in _ROUTES if matches.fullmatch(path))
    return next((operation for operation in found if operation is not None), None)


def _expected(method: str, path: str, status: int) -> Reply:
    operation = _operation(method, path)
    if operation is not None and status in operation.replies:
        return operation.replies[status]
    assert status in ERROR_STATUSES, f"{method} {path} answers {status}, which no row of the route table has"
    return _ERROR


@cache
def _validator(method: str, path: str, status: int) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(dict(_expected(method, path, status).schema or {}), validate_formats=True)
