"""/bootdata/{hostname}/builddata: what a machine found out about itself."""

from __future__ import annotations

import falcon

from drydock.api.body import JsonBody
from drydock.api.doors import Machines
from drydock.api.limits import Limits
from drydock.api.reply import reply_json
from drydock.api.schemas.node_build_data import BUILD_DATA
from drydock.api.text import check_line
from drydock.model.machine import NewBuildData


class MachineBuildDataResource:
    def __init__(self, machines: Machines, limits: Limits) -> None:
        self._machines = machines
        self._body = JsonBody(BUILD_DATA, limits.max_body_bytes)

    def on_post(self, req: falcon.Request, resp: falcon.Response, hostname: str) -> None:
        node = check_line(hostname, field="hostname")
        self._machines.admit(node, req.context.node_key)
        body = self._body.read(req)
        data = NewBuildData(generator=body["generator"], data_format=body["format"], data_element=body["element"])
        self._machines.add_build_data(node, req.context.node_key, data)
        reply_json(resp, {}, status=201)
