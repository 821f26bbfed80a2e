"""A BMC of Acme's on loopback, with any number of machines, and what may be wrong with it."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

ACCOUNT, PASSWORD = "root", "hunter2-of-acme"
LINGER_NONE = struct.pack("ii", 1, 0)


class Bmc(ThreadingTCPServer):
    """``wrong``: silent, slow, busy, lies, reset; empty: nothing. A machine switches after it was looked at."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, wrong: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.wrong = wrong
        self.ended = threading.Event()
        self._lock = threading.Lock()
        self._power: dict[str, str] = {}
        self._wanted: dict[str, str] = {}

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        machine = request["machine"]
        if (request["account"], request["password"]) != (ACCOUNT, PASSWORD):
            return {"error": "password"}
        if machine.startswith("no-"):
            return {"error": "machine"}
        if self.wrong == "busy":
            return {"error": "busy"}
        with self._lock:
            if request.get("set") == "power" and self.wrong != "lies":
                self._wanted[machine] = request["to"]
            if request.get("get") == "power":
                power = self._power.get(machine, "off")
                self._power[machine] = self._wanted.get(machine, power)
                return {"is": power}
        return {"is": {"serial": f"acme-{machine}", "macs": ["02:AC:3E:00:00:01"]}}


class _Handler(StreamRequestHandler):
    server: Bmc

    def handle(self) -> None:
        line = self.rfile.readline()
        if not line or self.server.wrong == "silent":
            self.server.ended.wait(30)
            return
        if self.server.wrong == "slow":
            self.server.ended.wait(0.5)
        answer = json.dumps(self.server.answer(json.loads(line))).encode() + b"\n"
        if self.server.wrong == "reset":
            self.connection.sendall(answer[:3])
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NONE)
            self.connection.close()
            return
        self.wfile.write(answer)


@contextmanager
def running(wrong: str = "") -> Iterator[Bmc]:
    with Bmc(wrong) as bmc:
        thread = threading.Thread(target=bmc.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield bmc
        finally:
            bmc.ended.set()
            bmc.shutdown()
            thread.join()
