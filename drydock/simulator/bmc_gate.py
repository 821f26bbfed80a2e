"""What stands before a BMC: its credentials, and its faults."""

from __future__ import annotations

import base64
import binascii
import hmac
import select
import socket
import struct
import time

import falcon

from drydock.simulator.bmc import ROOT
from drydock.simulator.faults import Fault
from drydock.simulator.site import Site

SYSTEMS = f"{ROOT}/Systems/"
LONGEST_HANG = 120.0
"""Seconds after which even a client that does not give up gets a 503, so that the thread is free again."""


class BmcGate:
    """Falcon middleware. ``credentials``: account and password of all BMCs; None lets everybody in."""

    def __init__(self, site: Site, credentials: tuple[str, str] | None) -> None:
        self._site = site
        self._credentials = credentials

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        if not req.path.startswith(f"{ROOT}/"):
            return
        if req.path.startswith(SYSTEMS):
            self._meet_fault(req, req.path.removeprefix(SYSTEMS).partition("/")[0])
        if self._credentials is not None and not _authorized(req.auth, self._credentials):
            raise falcon.HTTPUnauthorized(description="wrong credentials", challenges=['Basic realm="BMC"'])

    def _meet_fault(self, req: falcon.Request, identity: str) -> None:
        machine = self._site.asked_for(identity)
        with machine.lock:
            fault = machine.faults.take_bmc_fault()
        if fault is None:
            return
        connection = req.env.get("gunicorn.socket")
        if isinstance(connection, socket.socket):
            if fault is Fault.BMC_HANGS:
                _wait_for_the_client_to_leave(connection)
            elif fault is Fault.BMC_REFUSES:
                _reset(connection)
        raise falcon.HTTPServiceUnavailable(description="the BMC is busy")


def _authorized(header: str | None, credentials: tuple[str, str]) -> bool:
    scheme, _, encoded = (header or "").partition(" ")
    try:
        given = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return False
    return scheme.lower() == "basic" and hmac.compare_digest(given, ":".join(credentials).encode())


def _wait_for_the_client_to_leave(connection: socket.socket) -> None:
    deadline = time.monotonic() + LONGEST_HANG
    while (left := deadline - time.monotonic()) > 0:
        readable, _, _ = select.select([connection], [], [], left)
        if readable and not _peek(connection):
            return
        if readable:
            # More of the request: it does not wake the BMC, and must not keep this loop busy.
            time.sleep(min(0.5, left))


def _peek(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1, socket.MSG_PEEK)
    except OSError:
        return b""


def _reset(connection: socket.socket) -> None:
    """Close with a reset. The answer that follows goes nowhere."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the client was faster
