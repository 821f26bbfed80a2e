"""Answers that a healthy API server does not give on request: busy, broken, slow; a server of ours gives them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from drydock.drivers.labels.base import NodeLabels
from drydock.drivers.registry import load_labels
from drydock.errors import ConfigurationError, DriverBusy, DriverRefused, DriverUnavailable

pytest.importorskip("kubernetes", reason="kubernetes, the extra 'kubernetes', is not installed")

TOKEN = "a-token-that-nobody-sees"
NODE = {"kind": "Node", "metadata": {"name": "n1", "uid": "5b7f6a0e-0000-0000-0000-000000000001"}}


@dataclass
class Answers:
    """Each request gets the next answer: a status and a body."""

    url: str = ""
    next: list[tuple[int, object]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    delay: float = 0
    headers: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def peer() -> Iterator[Answers]:
    answers = Answers()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answers.asked.append(f"{self.command} {self.path}")
            time.sleep(answers.delay)
            status, body = answers.next.pop(0)
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/elsewhere")
            for name, value in answers.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self) -> None:
            self.answer()

        def do_PATCH(self) -> None:
            self.answer()

        def log_message(self, *args: Any) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    answers.url = f"http://127.0.0.1:{server.server_port}"
    yield answers
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def labels(peer: Answers, tmp_path: Path) -> Iterator[NodeLabels]:
    file = tmp_path / "kubeconfig"
    file.write_text(
        yaml.safe_dump(
            {
                "current-context": "site",
                "clusters": [{"name": "site", "cluster": {"server": peer.url}}],
                "users": [{"name": "drydock", "user": {"token": TOKEN}}],
                "contexts": [{"name": "site", "context": {"cluster": "site", "user": "drydock"}}],
            }
        )
    )
    driver = made(file, timeout=1.0)
    yield driver
    driver.close()  # type: ignore[attr-defined]


def made(file: Path | None, timeout: float = 30.0) -> NodeLabels:
    options = {"kubeconfig": file and str(file), "context": None, "field_manager": "drydock", "force": False}
    return load_labels("kubernetes", {**options, "timeout": timeout}, lambda: pytest.fail("no session is needed"))


def status(code: int, message: str = "what it says", **more: object) -> tuple[int, object]:
    return code, {"kind": "Status", "status": "Failure", "message": message, "code": code, **more}


@pytest.mark.parametrize("code", [409, 429, 503])
@pytest.mark.parametrize("before", [[], [(200, NODE)]], ids=["read", "apply"])
def test_a_busy_server_is_waited_for(labels: NodeLabels, peer: Answers, code: int, before: list[Any]) -> None:
    peer.next = [*before, status(code)]
    with pytest.raises(DriverBusy, match=rf"labels of n1: the API server is busy \(status {code}\): what it says"):
        labels.put("n1", {"a": "b"})
    assert len(peer.asked) == len(before) + 1


def test_as_long_as_it_asks_for(labels: NodeLabels, peer: Answers) -> None:
    peer.next, peer.headers = [status(429)], {"Retry-After": "40"}
    with pytest.raises(DriverBusy) as raised:
        labels.put("n1", {})
    assert raised.value.look_in == 40


@pytest.mark.parametrize("code", [500, 502, 504])
def test_a_fault_of_the_server_is_to_be_tried_again(labels: NodeLabels, peer: Answers, code: int) -> None:
    peer.next = [(code, b"<html>")]
    with pytest.raises(DriverUnavailable, match=f"the API server answered {code}$") as raised:
        labels.put("n1", {})
    assert not isinstance(raised.value, DriverBusy)


def test_a_404_of_something_else_than_the_api_is_no_unknown_node(labels: NodeLabels, peer: Answers) -> None:
    peer.next = [(404, b"404 page not found")]
    with pytest.raises(DriverRefused, match=r"refuses \(status 404\)$"):
        labels.put("n1", {})


def test_nobody_is_followed_elsewhere(labels: NodeLabels, peer: Answers) -> None:
    peer.next = [(302, b"")]
    with pytest.raises(DriverRefused, match="status 302"):
        labels.put("n1", {})
    assert peer.asked == ["GET /api/v1/nodes/n1"]


def test_a_slow_server_is_not_waited_for(labels: NodeLabels, peer: Answers) -> None:
    peer.delay, peer.next = 1.5, [(200, NODE)]
    with pytest.raises(DriverUnavailable, match="did not answer in time"):
        labels.put("n1", {})


@pytest.mark.parametrize("body", [b"", b"[]", b"{", {"metadata": None}, {"metadata": {"uid": 3}}])
def test_what_is_no_node_is_not_written_to(labels: NodeLabels, peer: Answers, body: object) -> None:
    peer.next = [(200, body)]
    with pytest.raises(DriverUnavailable, match="the answer is no node"):
        labels.put("n1", {})
    assert len(peer.asked) == 1


def test_many_conflicts_are_counted(labels: NodeLabels, peer: Answers) -> None:
    causes = [
        {"reason": "FieldManagerConflict", "message": 'conflict with "kubectl"', "field": f".metadata.labels.l{number}"}
        for number in range(9)
    ]
    peer.next = [(200, NODE), status(409, details={"causes": causes})]
    with pytest.raises(DriverRefused, match=r'l0 \(conflict with "kubectl"\), .* and 4 more$'):
        labels.put("n1", {"a": "b"})


def test_an_answer_that_quotes_the_token_is_not_shown(labels: NodeLabels, peer: Answers) -> None:
    peer.next = [(502, f"upstream refused Bearer {TOKEN}".encode()), (400, {"message": TOKEN})]
    for _ in range(2):
        with pytest.raises((DriverUnavailable, DriverRefused)) as raised:
            labels.put("n1", {})
        assert TOKEN not in str(raised.value)
    assert TOKEN not in repr(labels)


def test_nobody_listening_is_to_be_tried_again(
    labels: NodeLabels, peer: Answers, tmp_path: Path, free_port: int
) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(file.read_text().replace(peer.url, f"http://127.0.0.1:{free_port}"))
    with pytest.raises(DriverUnavailable, match="the API server cannot be reached"):
        made(file).put("n1", {})


def test_names_of_nodes_are_quoted(labels: NodeLabels, peer: Answers) -> None:
    peer.next = [status(404)]
    with pytest.raises(DriverRefused):
        labels.put("../pods", {})
    assert peer.asked == ["GET /api/v1/nodes/..%2Fpods"]


def test_names_are_in_lower_case_there(labels: NodeLabels, peer: Answers) -> None:
    peer.next = [(200, NODE), (200, NODE)]
    labels.put("N1", {"zone": "a"})
    assert [asked.partition("?")[0] for asked in peer.asked] == ["GET /api/v1/nodes/n1", "PATCH /api/v1/nodes/n1"]


@pytest.mark.parametrize("text", ["", "{", f"token: [{TOKEN}", "a: b"])
def test_a_file_that_cannot_be_used_stops_the_start(tmp_path: Path, text: str) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=r"\[kubernetes\] kubeconfig: cannot be used") as refused:
        made(file)
    assert TOKEN not in str(refused.value)


def test_without_a_file_a_pod_is_needed() -> None:
    with pytest.raises(ConfigurationError, match="no service account of a pod"):
        made(None)
