"""/bootdata/{hostname}/builddata: what a machine found out about itself."""

from __future__ import annotations

import falcon

from drydock.api.reply import reply_json
from drydock.api.requests import read_json
from drydock.api.text import check_line
from drydock.model.machine import NewBuildData
from drydock.orchestrator.services.machines import MachineService


class MachineBuildDataResource:
    def __init__(self, machines: MachineService) -> None:
        self._machines = machines

    def on_post(self, req: falcon.Request, resp: falcon.Response, hostname: str) -> None:
        node = check_line(hostname, field="hostname")
        self._machines.admit(node, req.context.node_key)
        body = read_json(req)
        data = NewBuildData(generator=body["generator"], data_format=body["format"], data_element=body["element"])
        self._machines.add_build_data(node, req.context.node_key, data)
        reply_json(resp, {}, status=201)
