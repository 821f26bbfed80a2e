"""The site as a WSGI application: control endpoint, BMCs and provisioner on one port."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType

import falcon

from drydock.simulator import bmc, control, provisioner
from drydock.simulator.bmc_gate import BmcGate
from drydock.simulator.errors import BadRequest, MachineNotFound, SimulatorError
from drydock.simulator.life import Life
from drydock.simulator.site import Site

STATUSES: Mapping[type[SimulatorError], str] = MappingProxyType(
    {
        BadRequest: falcon.HTTP_400,
        MachineNotFound: falcon.HTTP_404,
    }
)


def create_app(
    site: Site, life: Life, *, bmc_credentials: tuple[str, str] | None = None
) -> falcon.App[falcon.Request, falcon.Response]:
    app = falcon.App(middleware=[BmcGate(site, bmc_credentials)])
    app.req_options.strip_url_path_trailing_slash = True
    app.req_options.auto_parse_qs_csv = True
    app.add_error_handler(SimulatorError, _answer_error)
    app.set_error_serializer(_write_error)
    control.add_routes(app, site)
    provisioner.add_routes(app, site, life)
    bmc.add_routes(app, site, life)
    return app


def _answer_error(req: falcon.Request, resp: falcon.Response, ex: SimulatorError, params: object) -> None:
    raise falcon.HTTPError(STATUSES[type(ex)], description=str(ex))


def _write_error(req: falcon.Request, resp: falcon.Response, exception: falcon.HTTPError) -> None:
    """Redfish has its own error shape; all other routes use ours."""
    message = exception.description or exception.title or ""
    resp.content_type = falcon.MEDIA_JSON
    if req.path.startswith(bmc.ROOT):
        document = {"error": {"code": "Base.1.0.GeneralError", "message": message}}
    else:
        document = {"error": {"status": str(exception.status), "message": message}}
    resp.text = json.dumps(document)
