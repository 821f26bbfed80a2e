"""The Falcon application, put together from what it is given. No globals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import falcon

from drydock.api.access import AccessControl
from drydock.api.errors import ErrorHandlers
from drydock.api.middleware import RequestLog
from drydock.api.operations import TABLE
from drydock.api.plain_bundles import PlainBundles
from drydock.api.resource_table import resources
from drydock.api.route import Access, Route
from drydock.api.services import ApiServices
from drydock.errors import ConfigurationError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def create_app(services: ApiServices) -> WSGIApplication:
    """The application, to be wrapped in ``drydock.auth.wrap``.

    By itself it believes the identity headers of a request: that layer is what removes forged ones.
    """
    found = resources(services)
    check_table(TABLE, found)
    access = AccessControl(TABLE, services.policy, services.limits)
    # Each sees the request in this order and the reply in reverse: the log wants to see every reply.
    log = RequestLog(services.metrics)
    app = falcon.App(middleware=(log, access))
    app.req_options.strip_url_path_trailing_slash = True
    ErrorHandlers(services.metrics).add_to(app)
    for route in TABLE:
        app.add_route(route.path, found[route.resource])
    return PlainBundles(app, services.boot, log, TABLE)


def check_table(table: Iterable[Route], found: Mapping[str, object]) -> None:
    """Each method of a resource is an operation of its routes, HEAD where GET is; operators' have a rule.

    Raises ``ConfigurationError``.
    """
    for route in table:
        methods = {name.removeprefix("on_").upper() for name in dir(found[route.resource]) if name.startswith("on_")}
        expected = {*route.operations, *(["HEAD"] if "GET" in route.operations else [])}
        if methods != expected:
            raise ConfigurationError(f"route {route.path}: methods {sorted(methods)}, rows {sorted(route.operations)}")
        for method, operation in route.operations.items():
            if (operation.rule is not None) != (route.access is Access.OPERATOR):
                raise ConfigurationError(f"route {route.path}: {method} has a rule, or has none, against its access")
