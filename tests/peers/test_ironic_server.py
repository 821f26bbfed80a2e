"""A standalone Ironic, used with openstacksdk."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dev.peers import packages
from dev.peers.ironic_server import IronicServer
from dev.peers.sushy_emulator import SushyEmulator

openstack = pytest.importorskip("openstack", reason="openstacksdk, the extra 'ironic', is not installed")
from openstack.baremetal.v1.node import Node  # noqa: E402
from openstack.connection import Connection  # noqa: E402

# openstacksdk uses itself what it deprecates, at each connection and each resource.
pytestmark = [
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK50Warning"),
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK60Warning"),
]


def made(directory: Path, *, basic: bool) -> IronicServer:
    try:
        return IronicServer(directory, basic=basic)
    except packages.Unavailable as error:
        pytest.skip(f"Ironic cannot be installed: {error}")


@pytest.fixture(scope="module")
def ironic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IronicServer]:
    with made(tmp_path_factory.mktemp("ironic"), basic=False) as running:
        yield running


@pytest.fixture
def client(ironic: IronicServer) -> Iterator[Connection]:
    with Connection(**ironic.connection()) as connection:
        yield connection


def go(client: Connection, node: Node, target: str, expected: str) -> None:
    client.baremetal.set_node_provision_state(node, target)
    client.baremetal.wait_for_nodes_provision_state([node], expected, timeout=60)
    assert client.baremetal.get_node(node).last_error is None


def test_three_fake_nodes_live_a_whole_life(client: Connection) -> None:
    def life(name: str) -> None:
        node = client.baremetal.create_node(name=name, driver="fake-hardware")
        for target, expected in (
            ("manage", "manageable"), ("inspect", "manageable"), ("provide", "available"), ("active", "active"),
            ("deleted", "available"),
        ):  # fmt: skip
            go(client, node, target, expected)
        client.baremetal.delete_node(node)

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(life, ["f1", "f2", "f3"]))
    assert list(client.baremetal.nodes()) == []


def test_it_speaks_redfish(client: Connection, tmp_path: Path) -> None:
    with SushyEmulator.fake(tmp_path, names=["r1"]) as bmc:
        access = {
            "redfish_address": bmc.url, "redfish_system_id": bmc.path("r1"), "redfish_username": bmc.user,
            "redfish_password": bmc.password, "redfish_verify_ca": str(bmc.authority), "redfish_auth_type": "basic",
        }  # fmt: skip
        node = client.baremetal.create_node(name="r1", driver="redfish", driver_info=access)
        go(client, node, "manage", "manageable")
        client.baremetal.set_node_power_state(node, "power on", wait=True, timeout=30)
        assert client.baremetal.get_node(node).power_state == "power on"
        client.baremetal.delete_node(node)


def test_http_basic_and_a_restart(tmp_path: Path) -> None:
    with made(tmp_path, basic=True) as ironic:
        with Connection(**ironic.connection()) as client:
            client.baremetal.create_node(name="kept", driver="fake-hardware")
        wrong = {**ironic.connection(), "auth": {**ironic.connection()["auth"], "password": "wrong"}}
        with Connection(**wrong) as stranger, pytest.raises(openstack.exceptions.HttpException, match="401"):
            list(stranger.baremetal.nodes())
        ironic.stop()
        ironic.start()
        with Connection(**ironic.connection()) as client:
            assert [node.name for node in client.baremetal.nodes()] == ["kept"]
