"""What a real Ironic is sent of a BMC when the design changes: address, account, password, hardware type."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

pytest.importorskip("openstack", reason="openstacksdk, the extra 'ironic', is not installed")

from dev.peers.ironic_server import IronicServer
from dev.peers.sushy_emulator import SushyEmulator, system_id
from drydock import conf
from drydock.bootstrap.shared import build_shared
from drydock.drivers.node.base import NodeState
from drydock.drivers.node.ironic import access
from drydock.drivers.node.ironic.driver import IronicProvisioner
from drydock.drivers.node.records import ProvisionedNode
from drydock.drivers.oob.base import BmcAccess
from drydock.drivers.progress import ProgressState
from tests.drivers.ironic_peer import CountedConnector, Operator, mac_of, provisioner, running
from tests.drivers.provisioner_contract import ends, only, reaches
from tests.eventually import eventually
from tests.factories.provisioning import deployment, node_plan

# openstacksdk uses itself what it deprecates, at each connection.
pytestmark = [
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK50Warning"),
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK60Warning"),
]
SUCCEEDED, FAILED, PENDING = ProgressState.SUCCEEDED, ProgressState.FAILED, ProgressState.PENDING
#: A BMC that does not answer is noticed at once, and one that answers again too.
IMPATIENT = {
    "sync_power_state_interval": 1, "power_state_sync_max_retries": 1, "power_failure_recovery_interval": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def ironic(ironic_directory: Path) -> Iterator[IronicServer]:
    with running(ironic_directory, settings={"conductor": IMPATIENT}) as server:
        yield server


@pytest.fixture
def node() -> ProvisionedNode:
    name = f"n{uuid4().hex[:12]}"
    return node_plan(name, bmc=BmcAccess(name, "fake", "192.0.2.1"), boot_mac=mac_of(name))


@pytest.fixture
def emulator(tmp_path: Path, node: ProvisionedNode) -> Iterator[SushyEmulator]:
    with SushyEmulator.fake(tmp_path / "bmc", names=[node.name]) as bmc:
        yield bmc


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return tmp_path / "images.yaml"


def with_password(ironic: IronicServer, images: Path, password: str, **more: Any) -> IronicProvisioner:
    """Its machines have no BMC: what is kept of one is in the options, beside that of an operator of Ironic."""
    return provisioner(ironic, images, driver_info={"bmc_password": password, **more})


def by_redfish(node: ProvisionedNode, emulator: SushyEmulator) -> ProvisionedNode:
    parameters = {"endpoint": emulator.url, "system": system_id(node.name)}
    return replace(node, bmc=BmcAccess(node.name, "redfish", None, *emulator.auth, parameters=parameters))


def redfish(ironic: IronicServer, images: Path, emulator: SushyEmulator, **more: Any) -> IronicProvisioner:
    options = {"redfish_verify_ca": str(emulator.authority), "redfish_auth_type": "basic"}
    return provisioner(ironic, images, driver_info=options, **more)


def enrolled(driver: IronicProvisioner, node: ProvisionedNode) -> None:
    ended = ends(lambda: driver.enroll([node]))
    assert ended.state is SUCCEEDED, ended


def requests(driver: IronicProvisioner) -> dict[str, int]:
    """Of now on, what was made until now."""
    connector = driver._connector
    assert isinstance(connector, CountedConnector)
    made = dict(connector.requests)
    connector.requests.clear()
    return made


@pytest.mark.parametrize("state", ["manageable", "available", "active"])
def test_a_new_password_is_sent_once(
    ironic: IronicServer, images: Path, node: ProvisionedNode, operator: Operator, state: str
) -> None:
    """Though Ironic shows none; also of a node that is deployed, so that it can be taken down."""
    old = with_password(ironic, images, "first-one")
    enrolled(old, node)
    theirs = {"op": "add", "path": "/driver_info/their_password", "value": "theirs"}
    operator.connector.patch(("nodes", node.name), [theirs])
    if state != "manageable":
        assert ends(lambda: old.configure_hardware([node])).state is SUCCEEDED
    if state == "active":
        assert only(old.deploy([deployment(node, str(uuid4()))])).state is SUCCEEDED
        reaches(old, node, NodeState.DEPLOYED)
    assert operator.node(node.name)["provision_state"] == state
    new = with_password(ironic, images, "second-one")
    enrolled(new, node)
    assert operator.driver_info(node.name) == {"bmc_password": "second-one", "their_password": "theirs"}
    assert requests(new) == {"GET nodes": 1, "PATCH nodes": 1}
    enrolled(new, node)
    assert requests(new) == {"GET nodes": 1}
    shown = operator.node(node.name)
    assert "one" not in repr((shown["extra"], shown["driver_info"]))


def test_processes_of_one_configuration_make_one_digest(
    ironic: IronicServer, tmp_path: Path, node: ProvisionedNode, operator: Operator
) -> None:
    """What one worker has sent, another does not send again; under another secret it does."""

    def process(secret: str) -> IronicProvisioner:
        file = tmp_path / "drydock.conf"
        file.write_text(
            f"[database]\nurl = postgresql://127.0.0.1:1/none\n[bootaction]\nsecrets = {secret}\n"
            f"[drivers]\nnode = ironic\n[ironic]\nendpoint_override = {ironic.url}\n"
            "hardware_types = fake:fake-hardware\n"
        )
        loaded = conf.load(["--config-file", str(file)], env={})
        made = build_shared(loaded, pool_size=1, application_name="test").provisioner
        assert isinstance(made, IronicProvisioner)
        return made

    def recorded() -> object:
        return operator.node(node.name)["extra"][access.BMC]["digest"]

    enrolled(process("ab" * 32), node)
    first = recorded()
    enrolled(process("ab" * 32), node)
    assert recorded() == first
    enrolled(process("cd" * 32), node)
    assert recorded() != first


def test_what_the_design_has_no_more_goes(
    ironic: IronicServer, images: Path, node: ProvisionedNode, operator: Operator
) -> None:
    enrolled(with_password(ironic, images, "first-one", bmc_port="6230"), node)
    enrolled(with_password(ironic, images, "first-one"), node)
    assert operator.driver_info(node.name) == {"bmc_password": "first-one"}


def test_what_is_installed_and_not_ours_is_not_changed(
    ironic: IronicServer, images: Path, node: ProvisionedNode, operator: Operator
) -> None:
    operator.enroll(node.name, mac_of(node.name), instance_uuid=str(uuid4()))
    eventually(lambda: operator.node(node.name)["reservation"], lambda lock: lock is None)
    enrolled(with_password(ironic, images, "first-one"), node)
    assert operator.driver_info(node.name) == {}


def test_a_node_in_maintenance_is_sent_its_password_first(
    ironic: IronicServer, images: Path, node: ProvisionedNode, operator: Operator, emulator: SushyEmulator
) -> None:
    """Ironic put it there as its BMC took the old one no more, and ends that itself with the new one."""
    driver = redfish(ironic, images, emulator)
    enrolled(driver, by_redfish(node, emulator))
    emulator.change_password()
    eventually(lambda: operator.node(node.name)["fault"], lambda fault: fault == "power failure", seconds=60)
    waiting = only(driver.enroll([by_redfish(node, emulator)]))
    assert waiting.state is PENDING
    assert "in maintenance" in waiting.reason
    assert "it was sent the access to its BMC" in waiting.reason
    assert "Ironic ends that itself when the BMC answers" in waiting.reason
    assert emulator.password not in waiting.reason
    enrolled(driver, by_redfish(node, emulator))
    assert operator.node(node.name)["maintenance"] is False


def test_a_password_that_is_corrected_is_tried_at_once(
    ironic: IronicServer, images: Path, node: ProvisionedNode, emulator: SushyEmulator
) -> None:
    """However little time has passed since Ironic failed with the wrong one."""
    driver, right = redfish(ironic, images, emulator), by_redfish(node, emulator)
    assert right.bmc is not None
    wrong = replace(right, bmc=replace(right.bmc, credential="battery-staple"))
    assert ends(lambda: driver.enroll([wrong])).state is FAILED
    enrolled(driver, right)


def test_another_hardware_type(
    ironic: IronicServer, images: Path, node: ProvisionedNode, operator: Operator, emulator: SushyEmulator
) -> None:
    """Its interfaces are those of the new type, and its power is switched by the new BMC."""
    driver = redfish(ironic, images, emulator)
    enrolled(driver, node)
    enrolled(driver, by_redfish(node, emulator))
    seen = operator.node(node.name)
    assert (seen["driver"], seen["power_interface"]) == ("redfish", "redfish")
    operator.power(node.name, "power on")
    eventually(lambda: operator.node(node.name)["power_state"], lambda state: state == "power on")
    enrolled(driver, node)
    seen = operator.node(node.name)
    assert (seen["driver"], seen["power_interface"]) == ("fake-hardware", "fake")


def test_another_hardware_type_with_interfaces_of_a_deployed_node(
    ironic: IronicServer, images: Path, node: ProvisionedNode, operator: Operator, emulator: SushyEmulator
) -> None:
    driver = redfish(ironic, images, emulator, interfaces={"inspect": "no-inspect"}, inspect=False)
    enrolled(driver, node)
    assert ends(lambda: driver.configure_hardware([node])).state is SUCCEEDED
    driver.deploy([deployment(node, str(uuid4()))])
    reaches(driver, node, NodeState.DEPLOYED)
    refused = only(driver.enroll([by_redfish(node, emulator)]))
    assert refused.state is FAILED
    assert "hardware type fake-hardware" in refused.reason
    assert "it is active" in refused.reason
    assert operator.node(node.name)["driver"] == "fake-hardware"


def test_a_hardware_type_that_ironic_has_not(
    ironic: IronicServer, images: Path, node: ProvisionedNode, operator: Operator
) -> None:
    enrolled(with_password(ironic, images, "first-one"), node)
    other = provisioner(ironic, images, hardware_types={"fake": "ipmi"}, driver_info={"bmc_password": "second-one"})
    refused = only(other.enroll([replace(node, bmc=replace(node.bmc, credential="third-one"))]))  # type: ignore[type-var]
    assert refused.state is FAILED
    assert "Ironic does not take the hardware type ipmi in place of fake-hardware" in refused.reason
    assert "-one" not in refused.reason
    assert operator.driver_info(node.name) == {"bmc_password": "first-one"}
