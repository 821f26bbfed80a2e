"""The API's description in OpenAPI 3.1, made of the route table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from drydock import __version__
from drydock.api.errors import FALCON_CODES, STATUSES
from drydock.api.headers import OF_ACCESS, OF_ERRORS, REQUEST_ID
from drydock.api.node_key import HEADER as KEY_HEADER
from drydock.api.route import PREFIX, Access, Header, Kind, Operation, Parameter, Reply, Route, Schema, json_reply
from drydock.api.schemas.replies import ERROR

Json = dict[str, Any]

_SECURITY: Mapping[Access, list[Json]] = {
    Access.OPEN: [],
    Access.OPERATOR: [{"token": []}],
    Access.NODE_KEY: [{"key": []}, {"oauth": []}],
    # The credential is a parameter of the path.
    Access.PATH_KEY: [],
}
_SCHEMES: Json = {
    "token": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Auth-Token",
        "description": "A Keystone token; without this header that in X-Storage-Token counts.",
    },
    "key": {
        "type": "apiKey",
        "in": "header",
        "name": KEY_HEADER,
        "description": "A node's own key. Where progress is posted, the installer's token will do.",
    },
    "oauth": {
        "type": "http",
        "scheme": "OAuth",
        "description": "OAuth 1 with the method PLAINTEXT, for clients without headers of their own: the key, or the "
        "token, is the second secret of `oauth_signature`.",
    },
}
_TYPES: Mapping[Kind, Json] = {
    Kind.FLAG: {"type": "boolean"},
    Kind.INTEGER: {"type": "integer"},
    Kind.SECONDS: {"type": "number", "minimum": 0},
    Kind.TEXT: {"type": "string", "minLength": 1},
    Kind.UUID: {"type": "string", "format": "uuid"},
    Kind.UUID_PREFIX: {"type": "string", "pattern": "^[0-9a-fA-F-]{1,36}$"},
    Kind.CHOICE: {"type": "string"},
}
_ERROR: Schema = {"$ref": "#/components/schemas/Error"}
_PATH_PARAMETERS: Mapping[str, str] = {"token": "The installer's token, or the node's key."}
#: What any operation may answer besides: ``api/errors.py`` decides.
ERROR_STATUSES = tuple(sorted({*STATUSES.values(), *FALCON_CODES, 500}))


def description(table: Iterable[Route], *, server_statuses: Iterable[int]) -> Json:
    """The document, JSON-shaped. ``server_statuses``: with which the HTTP server itself refuses requests."""
    errors = {status: _error_name(status) for status in sorted({*ERROR_STATUSES, *server_statuses})}
    paths: Json = {}
    for route in table:
        paths.setdefault(route.path, {}).update(
            {method.lower(): _operation(route, method, of, errors) for method, of in route.operations.items()}
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Drydock",
            "version": __version__,
            "description": "A site design in, installed machines out. Every reply carries X-Drydock-Req, the id of the "
            "request in the log. A path also matches with a slash behind it; HEAD works wherever GET does; "
            "OPTIONS answers with Allow.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "securitySchemes": _SCHEMES,
            "schemas": {"Error": dict(ERROR)},
            "headers": {REQUEST_ID.name: _header(REQUEST_ID)},
            "parameters": {of.name: _header_parameter(of) for each in OF_ACCESS.values() for of in each},
            "responses": {name: _reply(_error(status)) for status, name in errors.items()},
        },
    }


def operation_id(route: Route, method: str) -> str:
    """Unique: aliases of a path have it in theirs."""
    words = re.findall(r"[a-z0-9]+", route.path.removeprefix(PREFIX).lower())
    return "_".join([method.lower(), *(["v1"] if route.path.startswith(PREFIX) else []), *words])


def _operation(route: Route, method: str, of: Operation, errors: Mapping[int, str]) -> Json:
    made: Json = {
        "operationId": operation_id(route, method),
        "summary": of.summary,
        "security": _SECURITY[route.access],
        "parameters": [
            *map(_path_parameter, _names(route)),
            *map(_parameter, of.query),
            *map(_header_parameter, of.headers),
            *({"$ref": f"#/components/parameters/{each.name}"} for each in OF_ACCESS[route.access]),
        ],
        "responses": {
            **{str(status): {"$ref": f"#/components/responses/{name}"} for status, name in errors.items()},
            **{str(status): _reply(reply) for status, reply in of.replies.items()},
        },
    }
    if of.rule is not None:
        made["x-policy-rules"] = [of.rule, *of.also]
    if route.alias_of is not None:
        made["deprecated"] = True
        made["description"] = f"For deployed clients; the same as {route.alias_of}."
    if of.body is not None:
        schema = {} if of.body.schema is None else {"schema": dict(of.body.schema)}
        made["requestBody"] = {"required": not of.body.optional, "content": dict.fromkeys(of.body.media_types, schema)}
    return made


def _names(route: Route) -> list[str]:
    return re.findall(r"{(\w+)}", route.path)


def _path_parameter(name: str) -> Json:
    described = {"description": _PATH_PARAMETERS[name]} if name in _PATH_PARAMETERS else {}
    return {"name": name, "in": "path", "required": True, **described, "schema": {"type": "string"}}


def _header_parameter(of: Header) -> Json:
    return {"name": of.name, "in": "header", "description": of.description, "schema": dict(of.schema)}


def _header(of: Header) -> Json:
    return {"description": of.description, "required": of.always, "schema": dict(of.schema)}


def _parameter(of: Parameter) -> Json:
    schema = dict(_TYPES[of.kind])
    if of.kind is Kind.CHOICE:
        schema["enum"] = list(of.choices)
    if of.kind is Kind.INTEGER:
        schema |= {"minimum": of.minimum, "maximum": of.maximum}
    if of.refused:
        schema["not"] = {"enum": list(of.refused)}
    if of.default is not None and of.kind is not Kind.CHOICE:
        schema["default"] = of.default
    return {"name": of.name, "in": "query", "description": of.description, "schema": schema}


def _error_name(status: int) -> str:
    return f"Error{status}" if status in OF_ERRORS else "Error"


def _error(status: int) -> Reply:
    return json_reply("An error: see docs/development/http-status-codes.md.", _ERROR, *OF_ERRORS.get(status, ()))


def _reply(of: Reply) -> Json:
    made: Json = {
        "description": of.description,
        "headers": {
            REQUEST_ID.name: {"$ref": f"#/components/headers/{REQUEST_ID.name}"},
            **{each.name: _header(each) for each in of.headers},
        },
    }
    if of.content:
        made["content"] = {
            media_type: {} if schema is None else {"schema": dict(schema)} for media_type, schema in of.content.items()
        }
    return made
