"""One simulator for all tests here; each test has machines of its own, by a name nobody else uses."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.drivers.node_server import NodeServer, running_node_server
from tests.drivers.simulator_process import ACCOUNT, Simulator, running_simulator

NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    directory = tmp_path_factory.mktemp("machines")
    with running_simulator(directory, "--rack-on-demand", f"--bmc-account={ACCOUNT}") as simulator:
        yield simulator


@pytest.fixture
def name() -> str:
    return f"n{next(NUMBERS):04}"


@pytest.fixture
def node_server() -> Iterator[NodeServer]:
    with running_node_server() as server:
        yield server
