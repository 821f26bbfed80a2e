"""Holds each reply of the API against its operation in the route table, as ``docs/reference/openapi.json`` has it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache

import jsonschema_rs

from drydock.api.headers import OF_ERRORS, REQUEST_ID
from drydock.api.openapi import ERROR_STATUSES
from drydock.api.operations import TABLE
from drydock.api.paths import pattern
from drydock.api.route import JSON, Operation, Reply, json_reply
from drydock.api.schemas.replies import ERROR

_ROUTES = [(re.compile(pattern(route.path, "[^/]+") + "/?"), route) for route in TABLE]
#: Of HTTP's own framing.
_FRAMING = {"content-type", "content-length"}


def check_reply(method: str, path: str, status: int, headers: Mapping[str, str], content: bytes) -> None:
    """Fails unless the operation may answer so; ``path`` without its query. HEAD has the media type and no body."""
    if method == "OPTIONS":
        return
    reply = _expected(method, path, status)
    what = f"{method} {path} {status}"
    _check_headers(what, reply, headers)
    if not reply.content:
        assert not content, f"{what} has a body"
        return
    media_type = headers.get("content-type", "").partition(";")[0]
    assert media_type in reply.content, f"{what} is of the type {media_type!r}, not of {', '.join(reply.content)}"
    if method == "HEAD":
        assert not content, f"{what} has a body"
        return
    assert content, f"{what} has no body"
    if reply.content[media_type] is not None:
        value = json.loads(content) if media_type == JSON else content.decode()
        errors = list(_validator(method, _template(path), status, media_type).iter_errors(value))
        assert not errors, f"{what}: {errors[0]}"


def _check_headers(what: str, reply: Reply, headers: Mapping[str, str]) -> None:
    """It has those that the row says it always has, no others than the row's, and their values are as it says."""
    described = {header.name.lower(): header for header in (REQUEST_ID, *reply.headers)}
    found = {name.lower(): value for name, value in headers.items()}
    unknown = found.keys() - described.keys() - _FRAMING
    assert not unknown, f"{what} has the headers {sorted(unknown)}, which no row has"
    missing = {name for name, header in described.items() if header.always} - found.keys()
    assert not missing, f"{what} lacks the headers {sorted(missing)}"
    for name in found.keys() & described.keys():
        schema = described[name].schema
        value = int(found[name]) if schema.get("type") == "integer" else found[name]
        assert jsonschema_rs.validator_for(dict(schema), validate_formats=True).is_valid(value), f"{what} {name}"


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
    return json_reply("An error.", ERROR, *OF_ERRORS.get(status, ()))


@cache
def _validator(method: str, path: str, status: int, media_type: str) -> jsonschema_rs.Validator:
    schema = _expected(method, path, status).content[media_type]
    return jsonschema_rs.validator_for(dict(schema or {}), validate_formats=True)
