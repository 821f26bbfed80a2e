"""Ironic behind a real Keystone: found in its catalogue, or by its address; refused; and not reached."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("openstack", reason="openstacksdk, the extra 'ironic', is not installed")

from dev import keystone as keystone_server
from dev.keystone import DOMAIN, REGION, KeystoneServer
from dev.peers.ironic_server import IronicServer
from dev.ports import LOOPBACK, free_port
from drydock.drivers.node.base import NodeState
from drydock.drivers.node.ironic.driver import IronicProvisioner
from drydock.drivers.node.ironic.settings import IronicSettings
from drydock.drivers.oob.base import BmcAccess
from drydock.drivers.progress import ProgressState
from drydock.errors import DriverRefused, DriverUnavailable
from tests.drivers.ironic_peer import HARDWARE, mac_of, running
from tests.drivers.provisioner_contract import ends
from tests.factories.provisioning import node_plan

pytestmark = [
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK50Warning"),
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK60Warning"),
]


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeystoneServer]:
    """One of its own: Ironic is registered in its catalogue."""
    with keystone_server.start(tmp_path_factory.mktemp("keystone") / "state") as server:
        yield server


@pytest.fixture(scope="module")
def ironic(tmp_path_factory: pytest.TempPathFactory, identity: KeystoneServer) -> Iterator[IronicServer]:
    guarded = {"DEFAULT": {"auth_strategy": "keystone"}, "keystone_authtoken": identity.middleware_options()}
    with running(tmp_path_factory.mktemp("ironic"), settings=guarded) as server:
        identity.register("baremetal", "ironic", server.url)
        yield server


def connected(identity: KeystoneServer, **more: object) -> IronicProvisioner:
    """For the whole system, as Ironic's rules want it of who enrolls machines."""
    account = identity.users["admin"]
    options = {
        "auth_type": "password",
        "auth_url": identity.auth_url,
        "username": account.name,
        "password": account.password,
        "user_domain_name": DOMAIN,
        "system_scope": "all",
        "hardware_types": HARDWARE,
        "timeout": 30.0,
    }
    return IronicProvisioner(IronicSettings.from_options({**options, **more}))


def test_it_is_found_in_the_catalogue_and_enrolls(ironic: IronicServer, identity: KeystoneServer) -> None:
    provisioner = connected(identity, region_name=REGION, valid_interfaces=["public"])
    provisioner.check()
    bmc = BmcAccess("k01", "fake", "192.0.2.1", "admin", "not-a-secret")
    node = node_plan("k01", bmc=bmc, boot_mac=mac_of("k01"))
    assert ends(lambda: provisioner.enroll([node])).state is ProgressState.SUCCEEDED
    assert provisioner.observe(["k01"])["k01"].state is not NodeState.UNKNOWN


def test_its_address_goes_before_the_catalogue(ironic: IronicServer, identity: KeystoneServer) -> None:
    connected(identity, endpoint_override=ironic.url, region_name="elsewhere").check()
    with pytest.raises(DriverRefused):
        connected(identity, region_name="elsewhere").check()


def test_what_keystone_and_ironic_refuse(ironic: IronicServer, identity: KeystoneServer) -> None:
    with pytest.raises(DriverRefused, match="Keystone does not accept the account") as refused:
        connected(identity, password="wrong-one").check()
    assert "wrong-one" not in str(refused.value)
    reader = identity.users["reader"]
    scoped = {
        "username": reader.name,
        "password": reader.password,
        "system_scope": None,
        "project_name": reader.project,
        "project_domain_name": DOMAIN,
    }
    bmc = BmcAccess("k02", "fake", "192.0.2.2", "admin", "not-a-secret")
    node = node_plan("k02", bmc=bmc, boot_mac=mac_of("k02"))
    ended = ends(lambda: connected(identity, **scoped).enroll([node]))
    assert (ended.state, "403" in ended.reason) == (ProgressState.FAILED, True), ended


def test_a_keystone_that_is_away_may_come_back(ironic: IronicServer, identity: KeystoneServer) -> None:
    with pytest.raises(DriverUnavailable):
        connected(identity, auth_url=f"http://{LOOPBACK}:{free_port()}/v3").check()


def test_a_token_that_was_revoked_is_replaced(ironic: IronicServer, identity: KeystoneServer) -> None:
    provisioner = connected(identity, endpoint_override=ironic.url)
    provisioner.check()
    identity.revoke(str(provisioner._connector._connection.session.get_token()))
    provisioner.check()


def test_images_need_an_image_service(ironic: IronicServer, identity: KeystoneServer, tmp_path: Path) -> None:
    provisioner = connected(identity, endpoint_override=ironic.url, glance=True)
    with pytest.raises((DriverRefused, DriverUnavailable), match=r"(?i)image|glance"):
        provisioner.list_images()
