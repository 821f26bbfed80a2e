"""Bodies that are broken, cut short, or not wanted: the client's mistake, on every route that takes one."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from dev import processes
from dev.ports import LOOPBACK, free_port
from tests.api.seeds import BootedNode, Seeds
from tests.api.test_serve import API, environment

V1 = "/api/v1.0"
BROKEN = {
    "no size": b"zz\r\n{}\r\n0\r\n\r\n",
    "negative": b"-2\r\n{}\r\n0\r\n\r\n",
    "too long": b"2\r\n{}}\r\n0\r\n\r\n",
    "bare line ends": b"2\n{}\n0\n\n",
    "huge size": b"f" * 17 + b"\r\n",
    "endless size": b"2;" + b"x" * 9000,
    "cut in a size": b"2",
    "cut in a chunk": b"ff\r\n{",
    "cut behind a chunk": b"2\r\n{}\r\n",
    "cut in a trailer": b"2\r\n{}\r\n0\r\nX: y",
}


@pytest.fixture(scope="module")
def server(api_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Where it listens, and its log."""
    home = tmp_path_factory.mktemp("broken")
    port = free_port()
    with processes.Processes(home, environment(api_database, port, home, OS_API__WORKERS="1")) as children:
        children.start("api", API, ready=processes.http_ready(f"http://{LOOPBACK}:{port}/versions"))
        yield f"http://{LOOPBACK}:{port}", home / "api.log"


def exchange(url: str, sent: bytes, *, end: bool = False) -> bytes:
    """What comes back until the server closes, or is silent; ``end``: the client sends no more and says so."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=1) as connection:
        connection.sendall(sent)
        if end:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        try:
            while part := connection.recv(65536):
                received += part
        except TimeoutError:
            received += b"<open>"
        return received


def routes(node: BootedNode, task_id: object) -> list[tuple[str, str]]:
    """Path and headers of each that takes a body."""
    admin = "X-Auth-Token: admin\r\nContent-Type: application/json\r\n"
    machine = f"X-Bootaction-Key: {node.key}\r\nContent-Type: application/json\r\n"
    return [
        ("/tasks", admin),
        ("/nodefilter", admin),
        ("/validatedesign", admin),
        ("/designs", admin.replace("json", "x-yaml")),
        (f"/bootaction/{node.actions['greet']}", machine),
        (f"/bootactions/{node.actions['greet']}", machine),
        ("/bootdata/n01/events", machine),
        ("/bootdata/n01/builddata", machine),
        ("/bootactions/nodes/n01/builddata", machine),
    ]


@pytest.mark.parametrize("name", BROKEN)
def test_chunks_that_are_none(server: tuple[str, Path], seeds: Seeds, name: str) -> None:
    url, log = server
    for path, headers in routes(seeds.booted_node(), seeds.task().id):
        head = f"POST {V1}{path} HTTP/1.1\r\nHost: x\r\n{headers}Transfer-Encoding: chunked\r\n\r\n"
        answer = exchange(url, head.encode() + BROKEN[name], end=True)
        assert answer.startswith(b"HTTP/1.1 400 "), (path, answer)
        assert b"Connection: close\r\n" in answer
        assert b'"message": "body: is broken or cut short"' in answer
        assert b"x-drydock-req: " in answer.lower()
    assert "Traceback" not in log.read_text()
    assert "unforeseen" not in log.read_text()
    numbers = requests.get(f"{url}{V1}/metrics", timeout=10).text
    assert not re.search(r"^drydock_unforeseen_errors_total\S* [1-9]", numbers, re.MULTILINE)


def test_a_body_that_is_cut_short(server: tuple[str, Path], seeds: Seeds) -> None:
    url, log = server
    for path, headers in routes(seeds.booted_node(), seeds.task().id):
        head = f"POST {V1}{path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: 100\r\n\r\n"
        answer = exchange(url, head.encode() + b'{"a', end=True)
        assert answer.startswith(b"HTTP/1.1 400 "), (path, answer)
        assert b"Connection: close\r\n" in answer
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("size", [10, 70_000, 1_500_000])
def test_the_next_request_finds_its_answer(server: tuple[str, Path], size: int) -> None:
    """A proxy uses a connection again unless it is told not to: also behind a body that nobody read."""
    url, _ = server
    body = b" " * size
    following = b"GET /versions HTTP/1.1\r\nHost: x\r\n\r\n"
    for token, statuses in (("nobody", [b"401", b"200"]), ("admin", [b"413" if size > 1 << 20 else b"400", b"200"])):
        head = f"POST {V1}/tasks HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {token}\r\nContent-Type: application/json\r\n"
        for sent in (
            f"Content-Length: {size}\r\n\r\n".encode() + body,
            f"Transfer-Encoding: chunked\r\n\r\n{size:x}\r\n".encode() + body + b"\r\n0\r\n\r\n",
        ):
            answers = exchange(url, head.encode() + sent + following)
            assert re.findall(rb"HTTP/1.1 (\d+) ", answers) == statuses
            assert answers.count(b"Connection: keep-alive") == 2


def test_a_body_too_large_for_any_route_ends_the_connection(server: tuple[str, Path]) -> None:
    url, _ = server
    head = f"POST {V1}/tasks HTTP/1.1\r\nHost: x\r\nX-Auth-Token: admin\r\nContent-Type: application/json\r\n"
    for length in (
        "Content-Length: 99999999\r\nExpect: 100-continue",
        "Content-Length: 99999999",
        "Content-Length: " + "9" * 40,
    ):
        answer = exchange(url, f"{head}{length}\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 413 "), answer
        assert b"Connection: close\r\n" in answer
        assert not answer.endswith(b"<open>")
    sent = f"{head}Content-Length: {80 << 20}\r\n\r\n".encode() + b" " * (80 << 20)
    assert exchange(url, sent).startswith(b"HTTP/1.1 413 "), "the answer is not lost to what was still being sent"


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /versions HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", b"400"),
        (b"GET /versions\r\n\r\n", b"400"),
        (b"GET /versions HTTP/1.1\nHost: x\n\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", b"400"),
        (b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", b"400"),
        (b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\na", b"400"),
        (b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\na", b"400"),
        (b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: magic\r\n\r\na", b"501"),
        (b"POST /x HTTP/1.1\r\nHost: x\r\nExpect: magic\r\n\r\n", b"417"),
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * 100_000, b"431"),
    ],
)
def test_heads_that_are_none(server: tuple[str, Path], head: bytes, status: bytes) -> None:
    answer = exchange(server[0], head)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"Connection: close\r\n" in answer
    assert b"X-Drydock-Req: " in answer
    assert b'"type": "error"' in answer


@pytest.mark.parametrize(
    "head",
    [
        "GET /versions HTTP/1.1\r\nX-Bootaction-Key {secret}\r\n\r\n",
        "GET /versions HTTP/1.1\r\n{secret}\r\n\r\n",
        "GET /{secret}\r\n\r\n",
        "{secret}\r\n\r\n",
        "GET /api/v1.0/bootdata/{secret}/nothing HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /api/v1.0/tasks/{secret}?{secret}={secret} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: admin\r\n\r\n",
        "GET /versions HTTP/1.1\r\nHost: x\r\nX-Context-Marker: {secret}\r\nX-End-User: {secret}\r\n\r\n",
        "GET /versions HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {secret}\r\nUser-Agent: {secret}\r\n\r\n",
        "{secret} /versions HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /api/v1.0/bootaction/{secret} HTTP/1.1\r\nHost: x\r\nExpect: {secret}\r\n\r\n",
    ],
)
def test_no_log_line_shows_a_secret(server: tuple[str, Path], head: str) -> None:
    url, log = server
    for secret in ("0123456789abcdef" * 4, "ABCDEF0123456789" * 2 + "01234567", "gAAAAABm" + "aB3-_" * 30):
        exchange(url, head.format(secret=secret).encode(), end=True)
    shown = log.read_text()
    assert not re.search(r"[0-9A-Fa-f]{40}|gAAAAA\w", shown)
