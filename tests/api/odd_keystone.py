"""A server that gives Drydock a token as a Keystone does, and then answers about others' tokens as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LATER = "2999-01-01T00:00:00.000000Z"


class OddKeystone(ThreadingHTTPServer):
    """``answer``: status, media type and body for who asks about a token; ``hangs``: nothing is answered at all."""

    daemon_threads = True
    answer: tuple[int, str, bytes] = (200, "application/json", b"{}")

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.auth_url = f"http://127.0.0.1:{self.server_port}/v3"
        self.hangs = False
        self.asked = 0
        self.over = threading.Event()

    def answer_reader(self) -> None:
        """Take each token for a reader's."""
        project = {"id": "p", "name": "project", "domain": {"id": "default", "name": "Default"}}
        token = self.token(roles=[{"id": "r", "name": "reader"}], project=project)
        self.answer = (200, "application/json", json.dumps(token).encode())

    def token(self, **more: Any) -> dict[str, Any]:
        endpoint = {"interface": "internal", "url": self.auth_url, "region_id": "R", "region": "R", "id": "e"}
        return {
            "token": {
                "methods": ["password"],
                "expires_at": LATER,
                "issued_at": LATER.replace("2999", "2020"),
                "user": {"id": "u", "name": "drydock", "domain": {"id": "default", "name": "Default"}},
                "catalog": [{"type": "identity", "name": "keystone", "id": "s", "endpoints": [endpoint]}],
                **more,
            }
        }


class _Handler(BaseHTTPRequestHandler):
    server: OddKeystone

    def do_GET(self) -> None:
        if self.server.hangs:
            self.server.over.wait()
        elif self.path.partition("?")[0].endswith("/auth/tokens"):
            self.server.asked += 1
            self._send(*self.server.answer)
        else:
            links = [{"rel": "self", "href": self.server.auth_url + "/"}]
            version = {"id": "v3.14", "status": "stable", "links": links}
            self._send(200, "application/json", json.dumps({"version": version}).encode())

    def do_POST(self) -> None:
        if self.server.hangs:
            self.server.over.wait()
            return
        self.rfile.read(int(self.headers["Content-Length"]))
        self._send(201, "application/json", json.dumps(self.server.token()).encode())

    def _send(self, status: int, media_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("X-Subject-Token", "service-token")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        return


@contextmanager
def odd_keystone() -> Iterator[OddKeystone]:
    with OddKeystone() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()
