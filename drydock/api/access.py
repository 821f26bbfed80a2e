"""Access: 401 and 403 before a responder runs, by the route's row in the table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import falcon

from drydock.api.limits import Limits
from drydock.api.node_key import read_credential, read_token
from drydock.api.requests import RequestReader
from drydock.api.route import Access, Authorizer, Route
from drydock.context import AUTHENTICATION_FAILED, IDENTITY_UNAVAILABLE, NOTHING_HERE, RequestContext
from drydock.errors import Forbidden, NotAuthenticated


def is_allowed(policy: Authorizer, caller: RequestContext, rule: str) -> bool:
    """For what is shown in part to those whom the rule does not allow."""
    try:
        policy.authorize(caller, rule)
    except Forbidden:
        return False
    return True


class AccessControl:
    """Falcon middleware. Leaves ``req.context.caller`` on operators' routes, ``req.context.node_key`` on nodes'; and
    ``req.context.reader``, which reads the request as its operation says.
    """

    def __init__(self, table: Iterable[Route], policy: Authorizer, limits: Limits) -> None:
        self._policy = policy
        self._routes = {route.path: route for route in table}
        self._readers = {
            (route.path, method): RequestReader(operation, limits)
            for route in self._routes.values()
            for method, operation in route.operations.items()
        }

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        if NOTHING_HERE in req.env:
            raise falcon.HTTPRouteNotFound

    def process_resource(
        self, req: falcon.Request, resp: falcon.Response, resource: object, params: Mapping[str, Any]
    ) -> None:
        if req.method == "OPTIONS" or req.uri_template is None:
            return
        route = self._routes[req.uri_template]
        req.context.reader = self._readers.get((route.path, "GET" if req.method == "HEAD" else req.method))
        if route.access is Access.NODE_KEY:
            req.context.node_key = read_credential(req)
        elif route.access is Access.PATH_KEY:
            req.context.node_key = read_token(params)
        elif route.access is Access.OPERATOR:
            self._admit_operator(req, route)

    def _admit_operator(self, req: falcon.Request, route: Route) -> None:
        caller = req.context.caller = read_caller(req.env, req.context.request_id)
        if not caller.authenticated:
            if req.env.get(IDENTITY_UNAVAILABLE):
                raise falcon.HTTPServiceUnavailable(description="Keystone does not answer; try again later")
            failure: Exception | None = req.env.get(AUTHENTICATION_FAILED)
            if failure is not None:
                raise failure
            raise NotAuthenticated("a valid token is needed in X-Auth-Token")
        operation = route.operation(req.method)
        # A method without an operation is none of the resource either, which create_app checks: falcon answers 405.
        if operation is not None and operation.rule is not None:
            self._policy.authorize(caller, operation.rule)
            req.context.reader.refuse_query(req)


def read_caller(environ: Mapping[str, Any], request_id: str) -> RequestContext:
    """The caller, by the headers that only the layers before this one can have set."""
    header = environ.get
    marker = _marker(header("HTTP_X_CONTEXT_MARKER"))
    # Booting nodes have no identity, and are many.
    if header("HTTP_X_IDENTITY_STATUS") != "Confirmed":
        return RequestContext(request_id=request_id, marker=marker)
    if header("HTTP_X_SERVICE_IDENTITY_STATUS", "Confirmed") != "Confirmed":
        return RequestContext(request_id=request_id, marker=marker)
    user = header("HTTP_X_USER_NAME") or header("HTTP_X_USER_ID") or ""
    roles = header("HTTP_X_ROLES", "").split(",")
    return RequestContext(
        request_id=request_id,
        authenticated=True,
        user=user,
        user_id=header("HTTP_X_USER_ID", ""),
        project_id=header("HTTP_X_PROJECT_ID", ""),
        domain_id=header("HTTP_X_DOMAIN_ID", ""),
        system_scope=header("HTTP_OPENSTACK_SYSTEM_SCOPE", ""),
        roles=tuple(role.strip() for role in roles if role.strip()),
        marker=marker,
        end_user=header("HTTP_X_END_USER") or user,
    )


def _marker(text: str | None) -> str:
    """A version 4 UUID, by which a client finds its request in our log; anything else is ignored."""
    if not text:
        return ""
    try:
        parsed = UUID(text)
    except ValueError:
        return ""
    return str(parsed) if parsed.version == 4 else ""
