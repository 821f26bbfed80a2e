"""Clients that are slow, silent or gone: they cost nobody else anything, and their time ends."""

from __future__ import annotations

import hashlib
import http.client
import select
import socket
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from dev import processes
from dev.ports import LOOPBACK, free_port
from drydock.bootaction.sealing import seal
from drydock.db.tables import boot_bundles
from tests.api.seeds import BootedNode, Seeds
from tests.api.test_serve import API, ROOT, environment
from tests.eventually import eventually

V1 = "/api/v1.0"
MIB = 1024 * 1024
MANY = 300
HEAD = "Host: x\r\nContent-Type: application/json\r\n"


def ask(port: int, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=20)
    connection.request("GET", path, headers=headers or {})
    with closing(connection), connection.getresponse() as answer:
        return answer.status, answer.read()


@contextmanager
def connected(ports: list[int], number: int, says: Callable[[int], bytes]) -> Iterator[list[socket.socket]]:
    """So many connections to the ports in turn; each says its part and then waits."""
    with ExitStack() as stack:
        opened = []
        for index in range(number):
            sock = stack.enter_context(socket.create_connection((LOOPBACK, ports[index % len(ports)]), timeout=20))
            sock.sendall(says(index))
            opened.append(sock)
        yield opened


def ended(sock: socket.socket, *, within: float) -> bool:
    """Whether the server ends the connection, whatever it says before."""
    sock.settimeout(within)
    try:
        while sock.recv(65536):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    return True


def dropped(sock: socket.socket, *, within: float) -> bool:
    """Whether the server resets the connection although nothing is read from it."""
    poll = select.poll()
    poll.register(sock, 0)
    return bool(poll.poll(within * 1000))


# The service as it is, with its two processes and both listeners.


@pytest.fixture(scope="module")
def ports(api_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[int]]:
    home = tmp_path_factory.mktemp("slow")
    operators, nodes = free_port(), free_port()
    variables = environment(api_database, operators, home, OS_API__NODE_LISTEN=f"{LOOPBACK}:{nodes}")
    with processes.Processes(home, variables) as children:
        children.start("api", API, ready=processes.http_ready(f"http://{LOOPBACK}:{operators}/versions"))
        yield [operators, nodes]


@pytest.fixture
def node(seeds: Seeds) -> BootedNode:
    """One whose files are 12 MiB."""
    node = seeds.booted_node()
    content = b"x" * 12 * MIB
    with seeds.database.unit_of_work() as uow:
        context_id = uow.boot_contexts.live_context(node.name)
        assert context_id is not None
        sealed = seal(bytes.fromhex(node.key), context_id=context_id, node=node.name, kind="file", content=content)
        uow._connection.execute(
            boot_bundles.update()
            .where(boot_bundles.c.context_id == context_id, boot_bundles.c.kind == "file")
            .values(sealed=sealed, etag=hashlib.sha256(content).hexdigest(), size=len(content))
        )
        uow.commit()
    return node


def slow_words(node: BootedNode) -> list[bytes]:
    """Half of a request, in several ways."""
    key = f"X-Bootaction-Key: {node.key}\r\n"
    return [
        b"",
        b"G",
        b"GET /api/v1.0/hea",
        b"GET /versions HTTP/1.1\r\nHost: x\r\nX-Half: ",
        f"POST {V1}/tasks HTTP/1.1\r\nX-Auth-Token: admin\r\n{HEAD}Content-Length: 100\r\n\r\n{{".encode(),
        f"POST {V1}/tasks HTTP/1.1\r\nX-Auth-Token: admin\r\n{HEAD}Transfer-Encoding: chunked\r\n\r\nff\r\n{{".encode(),
        f"POST {V1}/bootdata/n01/events HTTP/1.1\r\n{key}{HEAD}Content-Length: 4000000\r\n\r\n{{".encode(),
        f"POST {V1}/bootaction/{node.actions['greet']} HTTP/1.1\r\n{key}{HEAD}Content-Length: 9\r\n\r\n{{".encode(),
    ]


def longest_of(ports: list[int], node: BootedNode, seconds: float) -> float:
    """How long anybody else has to wait meanwhile."""
    longest, until = 0.0, time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.monotonic()
        assert ask(ports[0], f"{V1}/health")[0] == 204
        assert ask(ports[0], f"{V1}/tasks?limit=1", {"X-Auth-Token": "admin"})[0] == 200
        for port in ports:
            assert ask(port, f"{V1}/bootdata/n01/units", node.header)[0] == 200
        longest = max(longest, time.monotonic() - began)
    return longest


def test_many_that_say_half_of_a_request(ports: list[int], node: BootedNode) -> None:
    words = slow_words(node)
    with connected(ports, MANY, lambda index: words[index // len(ports) % len(words)]):
        assert longest_of(ports, node, 2) < 2


def test_many_that_read_nothing_of_a_large_answer(ports: list[int], node: BootedNode) -> None:
    request = f"GET {V1}/bootdata/n01/files HTTP/1.1\r\nHost: x\r\nX-Bootaction-Key: {node.key}\r\n\r\n".encode()
    with connected(ports, MANY, lambda _: request):
        assert longest_of(ports, node, 3) < 5
    status, content = ask(ports[1], f"{V1}/bootdata/n01/files", node.header)
    assert (status, len(content)) == (200, 12 * MIB)


# The same server with limits that end within a test.


@contextmanager
def short_server(home: Path) -> Iterator[tuple[int, processes.Child]]:
    port = free_port()
    child = processes.start(
        "short",
        [
            *(sys.executable, "-m", "gunicorn", "-c", "python:tests.api.short_server"),
            *("-b", f"{LOOPBACK}:{port}", "tests.api.short_server"),
        ],
        log=home / "short.log",
        environment={**processes.neutral_environment(), "PYTHONPATH": str(ROOT)},
        directory=home,
    )
    try:
        child.wait_ready(processes.http_ready(f"http://{LOOPBACK}:{port}/versions"))
        yield port, child
    finally:
        child.kill()


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, processes.Child]]:
    with short_server(tmp_path_factory.mktemp("short")) as found:
        yield found


HALVES = {
    "nothing": b"",
    "line": b"GET /half",
    "header": b"GET / HTTP/1.1\r\nHost: x\r\nX",
    "body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc",
    "chunk": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc",
    "idle": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("name", HALVES)
def test_its_time_ends(short: tuple[int, processes.Child], name: str) -> None:
    with connected([short[0]], 1, lambda _: HALVES[name]) as (sock,):
        began = time.monotonic()
        assert ended(sock, within=5)
        assert time.monotonic() - began > 0.5


def test_a_little_now_and_then_is_not_enough(short: tuple[int, processes.Child]) -> None:
    starts = [b"GET /", b"GET / HTTP/1.1\r\nX: ", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n"]
    with connected([short[0]], 3, lambda index: starts[index]) as socks:
        until, alive = time.monotonic() + 5, set(socks)
        for sock in socks:
            sock.settimeout(0.1)
        while alive and time.monotonic() < until:
            for sock in list(alive):
                try:
                    sock.send(b"x")
                    if sock.recv(1000):  # 408
                        alive.discard(sock)
                except TimeoutError:
                    pass
                except ConnectionError:
                    alive.discard(sock)
        assert not alive


@pytest.mark.parametrize("path", ["/large", "/list"])
def test_who_does_not_take_an_answer_is_dropped(short: tuple[int, processes.Child], path: str) -> None:
    """Nobody waits meanwhile, and what made the answer is closed."""
    port = short[0]
    with connected([port], 8, lambda _: f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()) as socks:
        for sock in socks:
            assert ask(port, "/")[0] == 200
            # Those that were answered first go first; the last has its turn then.
            assert dropped(sock, within=12)
        assert ask(port, "/")[0] == 200
    eventually(lambda: ask(port, "/open")[1], lambda left: left == b"0")


def test_who_takes_it_has_all_of_it(short: tuple[int, processes.Child]) -> None:
    assert len(ask(short[0], "/large")[1]) == 12 * MIB
    assert len(ask(short[0], "/list")[1]) == 200 * MIB


def test_when_there_are_too_many_the_idlest_goes(short: tuple[int, processes.Child]) -> None:
    with connected([short[0]], 59, lambda _: b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na") as bodies:
        for _ in range(20):
            with connected([short[0]], 3, lambda _: b"GET"):
                assert ask(short[0], "/")[0] == 200
        for sock in bodies[-10:]:
            sock.sendall(b"b")
            assert sock.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_bodies_have_so_much_room_together(short: tuple[int, processes.Child]) -> None:
    head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {4 * MIB}\r\n\r\n".encode()
    with connected([short[0]], 4, lambda _: head + b"x" * (3 * MIB)) as socks:
        assert socks[0].recv(1000).startswith(b"HTTP/1.1 503 ")
        # Its room is free once its connection has ended.
        while socks[0].recv(1000):
            continue
        socks[3].sendall(b"x" * MIB)
        assert socks[3].recv(1000).startswith(b"HTTP/1.1 200 ")


def test_what_nobody_foresaw_is_500(short: tuple[int, processes.Child]) -> None:
    status, content = ask(short[0], "/broken")
    assert status == 500
    assert b"foresaw" not in content
    assert "nobody foresaw this" in short[1].log.read_text()


SPOKEN = [
    (b"GET / HTTP/1.0\r\n\r\n", [b"HTTP/1.0 200", b"Connection: close"]),
    (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", [b"Connection: close"]),  # its length is not known
    (b"HEAD /large HTTP/1.1\r\n\r\n", [b"HTTP/1.1 200", b"Connection: keep-alive"]),
    (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", [b"Connection: close", b"Transfer-Encoding: chunked"]),
    (b"\r\nGET / HTTP/1.1\r\n\r\n", [b"HTTP/1.1 200"]),
    (b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n\r\n", [b"3\r\nabc", b"0\r\n\r\nHTTP/1.1 200"]),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nT: u\r\n\r\n", [b"3\r\nabc"]),
    (b"POST / HTTP/1.1\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n", [b"HTTP/1.1 100 Continue\r\n\r\n"]),
    (b"GET /a HTTP/1.1\r\n\r\n" * 50, [b"HTTP/1.1 200"] * 50),
]


@pytest.mark.parametrize(("sent", "expected"), SPOKEN)
@pytest.mark.parametrize("size", [1, 1000])
def test_what_is_spoken(short: tuple[int, processes.Child], sent: bytes, expected: list[bytes], size: int) -> None:
    with connected([short[0]], 1, lambda _: b"") as (sock,):
        for start in range(0, len(sent), size):
            sock.sendall(sent[start : start + size])
        sock.settimeout(0.3)
        received = b""
        try:
            while part := sock.recv(65536):
                received += part
        except TimeoutError:
            pass
    for each in expected:
        before, found, received = received.partition(each)
        assert found, before


def test_without_a_thread_for_it_a_request_waits_for_another_ones(tmp_path: Path) -> None:
    with short_server(tmp_path) as (port, _), ThreadPoolExecutor(3) as threads:
        ask(port, "/no-more-threads")
        answers = [threads.submit(ask, port, "/slow", {}) for _ in range(3)]
        assert [answer.result()[0] for answer in answers] == [200, 200, 200]


def test_it_stops_in_time_and_answers_what_is_complete(tmp_path: Path) -> None:
    with ExitStack() as stack:
        port, child = stack.enter_context(short_server(tmp_path))
        words = [*HALVES.values(), b"GET /large HTTP/1.1\r\n\r\n", b"GET /list HTTP/1.1\r\n\r\n"]
        stack.enter_context(connected([port], 40, lambda index: words[index % len(words)]))
        slow = stack.enter_context(connected([port], 1, lambda _: b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"))
        eventually(lambda: ask(port, "/open")[1], lambda open_: open_ != b"")
        began = time.monotonic()
        assert child.stop() == 0
        assert time.monotonic() - began < 10
        assert slow[0].recv(1000).startswith(b"HTTP/1.1 200 ")
        assert slow[0].recv(1000) == b"", "and that was all"
