"""Ironic as a provisioner, against a real one: the contract, the life of a node, what ends in the middle."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

pytest.importorskip("openstack", reason="openstacksdk, the extra 'ironic', is not installed")

from dev.peers.ironic_server import IronicServer  # noqa: E402
from drydock.drivers.node.base import NodeState  # noqa: E402
from drydock.drivers.node.ironic.driver import IronicProvisioner  # noqa: E402
from drydock.drivers.node.records import HardwareHints, ProvisionedNode  # noqa: E402
from drydock.drivers.oob.base import BmcAccess, BootMode  # noqa: E402
from drydock.drivers.progress import Progress, ProgressState  # noqa: E402
from drydock.errors import DriverBusy, DriverRefused, DriverUnavailable  # noqa: E402
from tests.drivers.ironic_peer import (  # noqa: E402
    CountedConnector,
    Killed,
    Operator,
    mac_of,
    provisioner as made_provisioner,
    running,
)
from tests.drivers.plans import deployment, node_plan  # noqa: E402
from tests.drivers.provisioner_contract import (  # noqa: E402
    BootFromNetwork,
    NodeProvisionerContract,
    ends,
    only,
    reaches,
)
from tests.eventually import eventually  # noqa: E402

# openstacksdk uses itself what it deprecates, at each connection.
pytestmark = [
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK50Warning"),
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK60Warning"),
]
SUCCEEDED, FAILED, PENDING = ProgressState.SUCCEEDED, ProgressState.FAILED, ProgressState.PENDING


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ironic")


@pytest.fixture(scope="module")
def ironic(directory: Path) -> Iterator[IronicServer]:
    with running(directory) as server:
        yield server


@pytest.fixture(scope="module")
def operator(ironic: IronicServer, directory: Path) -> Operator:
    return Operator(ironic, directory)


@pytest.fixture
def provisioner(ironic: IronicServer, tmp_path: Path) -> IronicProvisioner:
    return made_provisioner(ironic, tmp_path / "images.yaml")


@pytest.fixture
def node(name: str) -> ProvisionedNode:
    bmc = BmcAccess(name, "fake", "192.0.2.1", "admin", "not-a-secret")
    return node_plan(name, bmc=bmc, boot_mac=mac_of(name))


@pytest.fixture
def boot_from_network(operator: Operator) -> BootFromNetwork:
    """Its BMC does nothing that Ironic would not: an operator has put it in, on and with what is in it."""

    def boot(node: ProvisionedNode) -> None:
        assert node.boot_mac is not None
        operator.enroll(node.name, node.boot_mac)
        operator.power(node.name, "power on")

    return boot


@pytest.fixture
def user_data() -> str:
    return "#cloud-config\n{}\n"


class TestContract(NodeProvisionerContract):
    member = "ironic, 39.0.0"
