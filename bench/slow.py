"""Clients that keep connections open and say half of a request, a byte now and then; closed ones come again."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_HEAD = b"POST /api/v1.0/tasks HTTP/1.1\r\nHost: bench\r\nX-Auth-Token: admin\r\nContent-Type: application/json\r\n"
_WORDS = (
    b"",
    b"GET /api/v1.0/he",
    b"GET /api/v1.0/health HTTP/1.1\r\nX: ",
    _HEAD + b"Content-Length: 100000\r\n\r\n",
    _HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffff\r\n",
)
#: Seconds between two bytes.
PAUSE = 1.0


@contextmanager
def slow_clients(address: tuple[str, int], number: int) -> Iterator[None]:
    """So many of them, as long as this lasts."""
    done = threading.Event()
    thread = threading.Thread(target=_annoy, args=(address, number, done))
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _annoy(address: tuple[str, int], number: int, done: threading.Event) -> None:
    clients: list[socket.socket] = []
    words = itertools.cycle(_WORDS)
    while not done.wait(PAUSE if clients else 0):
        clients = [each for each in clients if _goes_on(each)]
        while len(clients) < number and not done.is_set():
            try:
                sock = socket.create_connection(address, timeout=5)
                sock.sendall(next(words))
            except OSError:
                break
            sock.setblocking(False)
            clients.append(sock)
    for sock in clients:
        sock.close()


def _goes_on(sock: socket.socket) -> bool:
    try:
        sock.send(b"x")
        if sock.recv(4096):
            return True
    except BlockingIOError:
        return True
    except OSError:
        pass
    sock.close()
    return False
