"""/bootdata/{hostname}/script: the shell script that puts a machine's boot actions in place."""

from __future__ import annotations

import hashlib

import falcon

from drydock.api.head import WithHead
from drydock.api.text import check_line
from drydock.orchestrator.services.machines import MachineService


class BootScriptResource(WithHead):
    def __init__(self, machines: MachineService) -> None:
        self._machines = machines

    def on_get(self, req: falcon.Request, resp: falcon.Response, hostname: str) -> None:
        script = self._machines.script(check_line(hostname, field="hostname"), req.context.node_key).encode()
        resp.data = script
        resp.content_type = "text/x-shellscript; charset=utf-8"
        resp.etag = hashlib.sha256(script).hexdigest()
