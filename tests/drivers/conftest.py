"""One simulator for all tests here, with machines of its own for each test; a real Ironic for each module that asks."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.drivers.node_server import NodeServer, running_node_server
from tests.drivers.simulator_process import ACCOUNT, Simulator, running_simulator

if TYPE_CHECKING:
    from dev.peers.ironic_server import IronicServer
    from tests.drivers.ironic_peer import Operator

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


@pytest.fixture(scope="module")
def ironic_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ironic")


@pytest.fixture(scope="module")
def ironic(ironic_directory: Path) -> Iterator[IronicServer]:
    """A real one of the module's own. Needs openstacksdk, without which the modules that ask for it are skipped."""
    from tests.drivers.ironic_peer import running

    with running(ironic_directory) as server:
        yield server


@pytest.fixture(scope="module")
def operator(ironic: IronicServer, ironic_directory: Path) -> Operator:
    from tests.drivers.ironic_peer import Operator

    return Operator(ironic, ironic_directory)
