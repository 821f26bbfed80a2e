"""Drydock as a machine sees it: tarballs for a key, reports for a key. Small, strict, and it remembers what came."""

from __future__ import annotations

import contextlib
import gzip
import io
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.http_peer import Answer, Request, serving

KEY = "ab" * 32
ACTION = "01J9ZQ4T8X0000000000000001"
OTHER_ACTION = "01J9ZQ4T8X0000000000000002"


def tarball(members: dict[str, tuple[str, int]], *, tar_format: int = tarfile.GNU_FORMAT, uid: int = 0) -> bytes:
    """``members``: name to text and mode."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tar_format) as tar:
        for name, (text, mode) in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.uid = len(text), mode, uid
            tar.addfile(member, io.BytesIO(text.encode()))
    return gzip.compress(stream.getvalue(), mtime=0)


@dataclass
class NodeServer:
    """``bundles`` by path, ``refuse`` a status by path; ``requests`` are (method, path, key, body)."""

    url: str = ""
    bundles: dict[str, bytes] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    refuse: dict[str, list[int]] = field(default_factory=dict)
    requests: list[tuple[str, str, str | None, Any]] = field(default_factory=list)
    final: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def offer(self, name: str, actions: tuple[str, ...] = (ACTION,)) -> str:
        """Bundles with one unit and script for each action; returns the node's user data."""
        units, files = {}, {}
        for number, action in enumerate(actions):
            unit = f"[Service]\nType=oneshot\nExecStart=/opt/run-{number}.sh\n"
            units[f"/etc/systemd/system/run-{number}.service"] = (unit, 0o644)
            script = f"#!/bin/sh\ncurl -H 'X-Bootaction-Key: {KEY}' -d @- {self.url}/api/v1.0/bootaction/{action}\n"
            files[f"/opt/run-{number}.sh"] = (script, 0o750)
        self.bundles[f"/api/v1.0/bootdata/{name}/units"] = tarball(units)
        self.bundles[f"/api/v1.0/bootdata/{name}/files"] = tarball(files)
        return self.user_data(name)

    def user_data(self, name: str) -> str:
        return (
            "#cloud-config\nwrite_files:\n- path: /etc/drydock/boot.env\n  permissions: '0600'\n  content: |\n"
            f"    DRYDOCK_NODE='{name}'\n"
            f"    DRYDOCK_BOOTDATA_URL={self.url}/api/v1.0/bootdata/{name}\n"
            f"    DRYDOCK_REPORT_URL={self.url}/api/v1.0/bootaction\n"
            f"    DRYDOCK_BOOTACTION_KEY={KEY}\n"
        )

    def posted(self) -> list[tuple[str, Any]]:
        with self.lock:
            return [(path, body) for method, path, _, body in self.requests if method == "POST"]

    def answer(self, request: Request) -> Answer:
        key = request.headers.get("X-Bootaction-Key")
        body = request.json if request.method == "POST" and request.body else None
        with self.lock:
            self.requests.append((request.method, request.path, key, body))
            status, content = self._decided(request.method, request.path, key, body)
        kind = "application/gzip" if status == 200 and request.method == "GET" else "application/json"
        return Answer(status, content, {"Content-Type": kind} | self.headers)

    def _decided(self, method: str, path: str, key: str | None, body: Any) -> tuple[int, bytes]:
        if self.refuse.get(path):
            return self.refuse[path].pop(0), b"{}"
        if key != KEY:
            return 403, b"{}"
        if method == "GET":
            return (200, self.bundles[path]) if path in self.bundles else (404, b"{}")
        if path in self.final:
            return 409, b"{}"
        if "status" in body:
            self.final.add(path)
        return 200, b"{}"


@contextlib.contextmanager
def running_node_server() -> Iterator[NodeServer]:
    state = NodeServer()
    with serving(state.answer, keep_alive=True) as peer:
        state.url = peer.url()
        yield state
