"""What a request holds, read as its operation says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import falcon

from drydock.api.body import JsonBody, has_body, read_bytes, require_content_type
from drydock.api.limits import Limits
from drydock.api.query import Query
from drydock.api.route import ANY, Header, Kind, Operation, Parameter
from drydock.errors import DesignError, DesignNotFound, InvalidInput


@contextmanager
def design_named_by(field: str) -> Iterator[None]:
    """Errors of the design that ``field`` of the request names begin with the field; their codes stay."""
    try:
        yield
    except DesignNotFound as exc:
        raise InvalidInput(str(exc), field=field) from exc
    except DesignError as exc:
        raise type(exc)(f"{field}: {exc}") from exc


class RequestReader:
    """Reads the requests of one operation. It is made once; ``AccessControl`` leaves it in ``req.context.reader``."""

    def __init__(self, operation: Operation, limits: Limits) -> None:
        self._parameters = operation.query
        self._known = frozenset(parameter.name for parameter in self._parameters)
        self._headers = operation.headers
        self._body = operation.body
        self._max_bytes = 0
        self._json: JsonBody | None = None
        if operation.body is not None:
            self._max_bytes = getattr(limits, operation.body.limit)
            if operation.body.schema is not None:
                self._json = JsonBody(
                    operation.body.schema, self._max_bytes, any_content_type=ANY in operation.body.media_types
                )

    def query(self, req: falcon.Request) -> dict[str, Any]:
        """The value of each parameter, by name. Raises ``InvalidInput``."""
        query = Query(req, self._known)
        return {parameter.name: _value(query, parameter) for parameter in self._parameters}

    def refuse_query(self, req: falcon.Request) -> None:
        """Where there are no parameters; where there are, unknown ones are refused as they are read."""
        if not self._parameters:
            Query(req, self._known)

    def header(self, req: falcon.Request, of: Header) -> str | None:
        if of not in self._headers:
            raise TypeError(f"the operation takes no header {of.name}")
        return req.get_header(of.name)

    def json(self, req: falcon.Request) -> dict[str, Any]:
        """Raises ``InvalidInput`` naming the field, and falcon's 413 and 415."""
        if self._json is None:
            raise TypeError("the operation takes no JSON")
        if self._body is not None and self._body.optional and not has_body(req):
            return {}
        return self._json.read(req)

    def content(self, req: falcon.Request) -> bytes:
        """The body as it is. Raises ``InvalidInput``, and falcon's 413 and 415."""
        if self._body is None:
            raise TypeError("the operation takes no body")
        content = read_bytes(req, self._max_bytes)
        require_content_type(req, self._body.media_types)
        return content


def read_query(req: falcon.Request) -> dict[str, Any]:
    return _reader(req).query(req)


def read_header(req: falcon.Request, of: Header) -> str | None:
    """None without it."""
    return _reader(req).header(req, of)


def read_json(req: falcon.Request) -> dict[str, Any]:
    return _reader(req).json(req)


def read_content(req: falcon.Request) -> bytes:
    return _reader(req).content(req)


def _reader(req: falcon.Request) -> RequestReader:
    return cast("RequestReader", req.context.reader)


def _value(query: Query, of: Parameter) -> Any:
    if of.kind is Kind.FLAG:
        return query.flag(of.name) if query.has(of.name) else of.default
    if of.kind is Kind.SECONDS:
        return query.seconds(of.name)
    if of.kind is Kind.INTEGER:
        found: Any = query.integer(of.name, minimum=of.minimum, maximum=of.maximum)
        if found in of.refused:
            raise InvalidInput(of.refused[found], field=of.name)
    elif of.kind is Kind.UUID:
        found = query.uuid(of.name)
    elif of.kind is Kind.UUID_PREFIX:
        found = query.uuid_range(of.name)
    elif of.kind is Kind.CHOICE:
        found = query.choice(of.name, of.choices)
    else:
        found = query.text(of.name)
    return of.default if found is None else found
