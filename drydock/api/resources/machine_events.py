"""/bootdata/{hostname}/events: how far a machine's installer has come."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import falcon

from drydock.api.reply import reply_json
from drydock.api.requests import read_json
from drydock.api.schemas.machine_events import MAX_PATH_BYTES
from drydock.api.text import check_line
from drydock.errors import InvalidInput
from drydock.model.machine import LogFile, MachineEvent
from drydock.orchestrator.services.machines import MachineService

_EXTRA = ("result", "timestamp", "duration")


class MachineEventsResource:
    def __init__(self, machines: MachineService) -> None:
        self._machines = machines

    def on_post(self, req: falcon.Request, resp: falcon.Response, hostname: str, token: str = "") -> None:
        """``token`` was looked at on the way in."""
        node = check_line(hostname, field="hostname")
        self._machines.admit(node, req.context.node_key, events=True)
        self._machines.event(node, req.context.node_key, read_event(read_json(req)))
        reply_json(resp, {})


def read_event(body: Mapping[str, Any]) -> MachineEvent:
    """Raises ``InvalidInput`` for a file that is not what its encoding says."""
    return MachineEvent(
        name=body["name"],
        description=body.get("description", ""),
        event_type=body["event_type"],
        origin=body.get("origin") or "installer",
        result=body.get("result") or "",
        extra={key: body[key] for key in _EXTRA if body.get(key) is not None},
        files=tuple(_file(file, f"files[{index}]") for index, file in enumerate(body.get("files") or ())),
    )


def _file(file: Mapping[str, str], field: str) -> LogFile:
    if len(file["path"].encode()) > MAX_PATH_BYTES:
        raise InvalidInput(f"is longer than {MAX_PATH_BYTES} bytes", field=f"{field}.path")
    try:
        return LogFile(file["path"], base64.b64decode("".join(file["content"].split()), validate=True))
    except (binascii.Error, ValueError):
        raise InvalidInput("is not base64", field=f"{field}.content") from None
