"""The Falcon application, put together from what it is given. No globals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import falcon

from drydock.api.access import Access, AccessControl, Authorizer
from drydock.api.addresses import Addresses
from drydock.api.doors import Boot, Designs, Health, Machines, Operations
from drydock.api.errors import ErrorHandlers
from drydock.api.limits import Limits
from drydock.api.middleware import RequestLog
from drydock.api.plain_bundles import PlainBundles
from drydock.api.routes import Route, Services, routes
from drydock.errors import ConfigurationError
from drydock.metrics import ApiMetrics

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def create_app(
    *,
    orchestrator: Operations,
    designs: Designs,
    boot: Boot,
    machines: Machines,
    health: Health,
    policy: Authorizer,
    limits: Limits,
    metrics: ApiMetrics,
    addresses: Addresses,
) -> WSGIApplication:
    """The application, to be wrapped in ``drydock.auth.wrap``.

    By itself it believes the identity headers of a request: that layer is what removes forged ones.
    """
    table = routes(
        Services(
            orchestrator=orchestrator,
            designs=designs,
            boot=boot,
            machines=machines,
            health=health,
            policy=policy,
            limits=limits,
            metrics=metrics,
            addresses=addresses,
        )
    )
    check_rules(table)
    access = AccessControl({route.path: route for route in table}, policy)
    # Each sees the request in this order and the reply in reverse: the log wants to see every reply.
    log = RequestLog(metrics)
    app = falcon.App(middleware=(log, access))
    app.req_options.strip_url_path_trailing_slash = True
    ErrorHandlers(metrics).add_to(app)
    for route in table:
        app.add_route(route.path, route.resource)
    return PlainBundles(app, boot, log)


def check_rules(table: Sequence[Route]) -> None:
    """Each method of an operator's route but HEAD has a rule, and each rule a method. Raises ``ConfigurationError``."""
    for route in table:
        methods = {name.removeprefix("on_").upper() for name in dir(route.resource) if name.startswith("on_")}
        expected = methods - {"HEAD"} if route.access is Access.OPERATOR else set()
        if set(route.rules) != expected:
            raise ConfigurationError(f"route {route.path}: methods {sorted(methods)}, rules {sorted(route.rules)}")
