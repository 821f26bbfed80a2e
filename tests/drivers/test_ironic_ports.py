"""The port of the NIC that a machine boots from, in a real Ironic, when the NIC is replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

pytest.importorskip("openstack", reason="openstacksdk, the extra 'ironic', is not installed")

from dev.peers.ironic_server import IronicServer
from drydock.drivers.node.ironic.driver import IronicProvisioner
from drydock.drivers.node.records import ProvisionedNode
from drydock.drivers.oob.base import BmcAccess
from drydock.drivers.progress import ProgressState
from tests.drivers.ironic_peer import CountedConnector, Killed, Operator, mac_of, provisioner
from tests.drivers.provisioner_contract import ends, only
from tests.factories.provisioning import node_plan

# openstacksdk uses itself what it deprecates, at each connection.
pytestmark = [
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK50Warning"),
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK60Warning"),
]
SUCCEEDED = ProgressState.SUCCEEDED


@pytest.fixture
def driver(ironic: IronicServer, tmp_path: Path) -> IronicProvisioner:
    return provisioner(ironic, tmp_path / "images.yaml")


@pytest.fixture
def node() -> ProvisionedNode:
    name = f"n{uuid4().hex[:12]}"
    return node_plan(name, bmc=BmcAccess(name, "fake", "192.0.2.1"), boot_mac=mac_of(name))


@pytest.fixture
def repaired(node: ProvisionedNode) -> ProvisionedNode:
    """With another NIC, and otherwise as it was; in capitals, which Ironic does not keep."""
    return replace(node, boot_mac=mac_of(f"{node.name}-new").upper())


def enrolled(driver: IronicProvisioner, node: ProvisionedNode) -> None:
    assert ends(lambda: driver.enroll([node])).state is SUCCEEDED


def counted(driver: IronicProvisioner) -> CountedConnector:
    connector = driver._connector
    assert isinstance(connector, CountedConnector)
    return connector


def requests(driver: IronicProvisioner) -> Mapping[str, int]:
    """What was made since the last call."""
    made = dict(counted(driver).requests)
    counted(driver).requests.clear()
    return made


def test_a_new_node_takes_no_more_requests(driver: IronicProvisioner, node: ProvisionedNode) -> None:
    assert only(driver.enroll([node])).state is ProgressState.PENDING
    assert requests(driver) == {
        "GET nodes": 1, "GET ports": 1, "POST nodes": 1, "POST ports": 1, "PUT nodes/traits": 1,
        "PUT nodes/states/provision": 1,
    }  # fmt: skip


@pytest.mark.parametrize("ready", [True, False])
def test_the_port_of_another_nic(
    driver: IronicProvisioner, node: ProvisionedNode, repaired: ProvisionedNode, operator: Operator, ready: bool
) -> None:
    """Ours goes, an operator's stays; what is as it should be is not written."""
    enrolled(driver, node)
    if ready:
        assert ends(lambda: driver.configure_hardware([node])).state is SUCCEEDED
    theirs = mac_of(f"{node.name}-theirs")
    operator.connector.post(("ports",), {"node_uuid": operator.node(node.name)["uuid"], "address": theirs})
    requests(driver)
    enrolled(driver, repaired)
    assert operator.macs(node.name) == {mac_of(f"{node.name}-new"), theirs}
    assert requests(driver) == {"GET nodes": 1, "POST ports": 1, "GET ports": 1, "DELETE ports": 1, "PATCH nodes": 1}
    enrolled(driver, repaired)
    assert requests(driver) == {"GET nodes": 1}


def test_a_port_that_we_did_not_add_stays(
    driver: IronicProvisioner, node: ProvisionedNode, repaired: ProvisionedNode, operator: Operator
) -> None:
    """Though the design named its MAC."""
    assert node.boot_mac is not None
    operator.enroll(node.name, node.boot_mac)
    enrolled(driver, node)
    enrolled(driver, repaired)
    assert operator.macs(node.name) == {node.boot_mac, mac_of(f"{node.name}-new")}


def test_a_node_with_traits_of_its_own_where_the_design_has_none(
    driver: IronicProvisioner, node: ProvisionedNode, operator: Operator
) -> None:
    hardware = replace(node.hardware, vendor=None, generation=None, hw_version=None)
    operator.enroll(node.name, mac_of(f"{node.name}-theirs"))
    operator.connector.put(("nodes", node.name, "traits", "CUSTOM_BURNED_IN"), None)
    enrolled(driver, replace(node, tags=(), hardware=hardware))
    assert operator.macs(node.name) == {node.boot_mac, mac_of(f"{node.name}-theirs")}


@pytest.mark.parametrize("after", ["POST ports", "DELETE port", "PATCH node"])
def test_killed_while_the_port_is_replaced(
    ironic: IronicServer, tmp_path: Path, node: ProvisionedNode, repaired: ProvisionedNode, operator: Operator,
    after: str,
) -> None:  # fmt: skip
    worker, other = (provisioner(ironic, tmp_path / "images.yaml") for _ in range(2))
    enrolled(worker, node)
    uuid = operator.node(node.name)["uuid"]
    (port,) = operator.connector.members("ports", node=uuid)
    counted(worker).cut = {"DELETE port": f"DELETE {port['uuid']}", "PATCH node": f"PATCH {uuid}"}.get(after, after)
    with pytest.raises(Killed):
        worker.enroll([repaired])
    enrolled(other, repaired)
    assert operator.macs(node.name) == {mac_of(f"{node.name}-new")}
    requests(other)
    enrolled(other, repaired)
    assert requests(other) == {"GET nodes": 1}
