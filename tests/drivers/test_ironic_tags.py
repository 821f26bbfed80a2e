"""Traits and the capability of a real Ironic's node, when the design changes: ours go, an operator's stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

pytest.importorskip("openstack", reason="openstacksdk, the extra 'ironic', is not installed")

from dev.peers.ironic_server import IronicServer
from drydock.drivers.node.ironic import access
from drydock.drivers.node.ironic.driver import IronicProvisioner
from drydock.drivers.node.records import ProvisionedNode
from drydock.drivers.oob.base import BmcAccess, BootMode
from drydock.drivers.progress import ProgressState
from tests.drivers.ironic_peer import CountedConnector, Killed, Operator, mac_of, provisioner
from tests.drivers.provisioner_contract import ends
from tests.factories.provisioning import node_plan

# openstacksdk uses itself what it deprecates, at each connection.
pytestmark = [
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK50Warning"),
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK60Warning"),
]


@pytest.fixture
def driver(ironic: IronicServer, tmp_path: Path) -> IronicProvisioner:
    return provisioner(ironic, tmp_path / "images.yaml")


@pytest.fixture
def node() -> ProvisionedNode:
    name = f"n{uuid4().hex[:12]}"
    bmc = BmcAccess(name, "fake", "192.0.2.1", "admin", "not-a-secret")
    return tagged(node_plan(name, bmc=bmc, boot_mac=mac_of(name)), "rack1", "gpu")


def tagged(node: ProvisionedNode, *tags: str) -> ProvisionedNode:
    return replace(node, tags=tags, hardware=replace(node.hardware, vendor=None, generation=None, hw_version=None))


def enrolled(driver: IronicProvisioner, node: ProvisionedNode) -> None:
    assert ends(lambda: driver.enroll([node])).state is ProgressState.SUCCEEDED


def traits(operator: Operator, node: ProvisionedNode) -> Sequence[str]:
    return sorted(operator.node(node.name)["traits"])


def recorded(operator: Operator, node: ProvisionedNode) -> Sequence[str]:
    return list(operator.node(node.name)["extra"][access.TRAITS])


def test_a_tag_that_the_design_has_no_more(
    driver: IronicProvisioner, node: ProvisionedNode, operator: Operator
) -> None:
    enrolled(driver, node)
    assert traits(operator, node) == recorded(operator, node) == ["CUSTOM_TAG_GPU", "CUSTOM_TAG_RACK1"]
    operator.connector.put(("nodes", node.name, "traits", "CUSTOM_BURNED_IN"), None)
    enrolled(driver, tagged(node, "rack1", "new"))
    assert traits(operator, node) == ["CUSTOM_BURNED_IN", "CUSTOM_TAG_NEW", "CUSTOM_TAG_RACK1"]
    enrolled(driver, tagged(node))
    assert traits(operator, node) == ["CUSTOM_BURNED_IN"]
    assert recorded(operator, node) == []


def test_a_trait_that_an_operator_set_is_not_ours(
    driver: IronicProvisioner, node: ProvisionedNode, operator: Operator
) -> None:
    enrolled(driver, tagged(node, "rack1"))
    operator.connector.put(("nodes", node.name, "traits", "CUSTOM_TAG_GPU"), None)
    enrolled(driver, node)
    assert recorded(operator, node) == ["CUSTOM_TAG_RACK1"]
    enrolled(driver, tagged(node))
    assert traits(operator, node) == ["CUSTOM_TAG_GPU"]


@pytest.mark.parametrize("after", ["PATCH", "PUT traits"])
def test_killed_in_between(driver: IronicProvisioner, node: ProvisionedNode, operator: Operator, after: str) -> None:
    """A trait that was added is never one that nobody removes."""
    enrolled(driver, tagged(node, "rack1"))
    connector = driver._connector
    assert isinstance(connector, CountedConnector)
    connector.cut = after if after != "PATCH" else f"PATCH {operator.node(node.name)['uuid']}"
    with pytest.raises(Killed):
        driver.enroll([node])
    enrolled(driver, tagged(node))
    assert (traits(operator, node), recorded(operator, node)) == ([], [])


def test_what_is_as_it_should_be_is_not_written(
    driver: IronicProvisioner, node: ProvisionedNode, operator: Operator
) -> None:
    enrolled(driver, node)
    connector = driver._connector
    assert isinstance(connector, CountedConnector)
    connector.requests.clear()
    enrolled(driver, node)
    assert set(connector.requests) == {"GET nodes"}


@pytest.mark.parametrize("given", ["secure_boot:true,boot_mode:bios", "boot_mode:bios,secure_boot:true"])
def test_a_boot_mode_that_the_design_has_no_more(
    driver: IronicProvisioner, node: ProvisionedNode, operator: Operator, given: str
) -> None:
    def with_mode(mode: BootMode | None) -> ProvisionedNode:
        return replace(node, hardware=replace(node.hardware, boot_mode=mode))

    def capabilities() -> str:
        return str(operator.node(node.name)["properties"].get("capabilities", ""))

    enrolled(driver, with_mode(BootMode.UEFI))
    assert capabilities() == "boot_mode:uefi"
    enrolled(driver, with_mode(None))
    assert capabilities() == ""
    change = {"op": "add", "path": "/properties/capabilities", "value": given}
    operator.connector.patch(("nodes", node.name), [change])
    enrolled(driver, with_mode(BootMode.BIOS))
    enrolled(driver, with_mode(None))
    assert capabilities() == given, "it was the operator's"
