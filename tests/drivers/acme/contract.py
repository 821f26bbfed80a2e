"""Acme's own tests: the contract of out-of-band drivers, run from outside of the tree."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
from acme_drydock.bmc import ACCOUNT, PASSWORD, running
from acme_drydock.driver import Acme

from drydock.drivers.oob.base import BmcAccess, OobDriver
from tests.drivers.oob_contract import Meet, OobDriverContract, Trouble

NUMBERS = itertools.count(1)
WRONG = {
    Trouble.SILENT: "silent",
    Trouble.SLOW: "slow",
    Trouble.BUSY: "busy",
    Trouble.LIES: "lies",
    Trouble.RESET: "reset",
}


def made(timeout: float = 10.0) -> Acme:
    return Acme.from_options({"password": "x", "timeout": timeout})


class TestContract(OobDriverContract):
    member = "acme"

    @pytest.fixture
    def driver(self) -> Acme:
        return made()

    @pytest.fixture
    def bmc(self) -> Iterator[BmcAccess]:
        with running() as peer:
            yield BmcAccess(f"a{next(NUMBERS)}", "acme", peer.address, ACCOUNT, PASSWORD)

    @pytest.fixture
    def meet(self, bmc: BmcAccess) -> Iterator[Meet]:
        with ExitStack() as stack:

            def met(trouble: Trouble) -> tuple[OobDriver, BmcAccess]:
                match trouble:
                    case Trouble.WRONG_PASSWORD:
                        return made(), replace(bmc, credential="battery-staple")
                    case Trouble.UNKNOWN_SYSTEM:
                        return made(), replace(bmc, node="no-machine")
                    case Trouble.REFUSED:
                        with socket.create_server(("127.0.0.1", 0)) as free:
                            port = free.getsockname()[1]
                        return made(), replace(bmc, address=f"127.0.0.1:{port}")
                    case _ if trouble not in WRONG:
                        pytest.skip("Acme's protocol has no TLS")
                address = stack.enter_context(running(WRONG[trouble])).address
                return made(0.4 if trouble is Trouble.SILENT else 10.0), replace(bmc, address=address)

            yield met
