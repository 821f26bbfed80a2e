"""The simulated provisioner: the contract, its errors, its options."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from drydock.drivers.node.base import Deployment, NodeState, Progress, ProgressState, ProvisionedNode
from drydock.drivers.node.simulated import SimulatedProvisioner
from drydock.drivers.oob.base import Bmc, BootDevice
from drydock.drivers.oob.redfish import RedfishDriver
from drydock.errors import ConfigurationError, DriverRefused, DriverUnavailable
from tests.drivers.node_server import NodeServer, running_node_server
from tests.drivers.provisioner_contract import BootFromNetwork, NodeProvisionerContract, ends, only, reaches
from tests.drivers.simulator_process import ACCOUNT, PASSWORD, Simulator, running_simulator


@pytest.fixture
def provisioner(simulator: Simulator) -> SimulatedProvisioner:
    return SimulatedProvisioner.from_options({"url": simulator.url})


@pytest.fixture
def node(simulator: Simulator, name: str) -> ProvisionedNode:
    return named(simulator.add(name))


def named(name: str) -> ProvisionedNode:
    return ProvisionedNode(
        name=name,
        domain="example.org",
        boot_mac=None,
        image="jammy",
        kernel="hwe-22.04",
        kernel_params="console=ttyS0",
        tags=("rack1",),
        networking={"interfaces": {"bond0": {"mtu": 9000, "slaves": ["e1", "e2"]}}},
        storage={"disks": {"sda": {"partitions": []}}, "volume_groups": {}},
    )


@pytest.fixture
def boot_from_network(simulator: Simulator) -> BootFromNetwork:
    driver = RedfishDriver(endpoint=simulator.url, system="/redfish/v1/Systems/{node}")

    def boot(node: ProvisionedNode) -> None:
        bmc = Bmc(node.name, None, ACCOUNT, PASSWORD)
        driver.set_boot_device(bmc, BootDevice.PXE)
        driver.power_on(bmc)

    return boot


@pytest.fixture
def user_data(node_server: NodeServer, node: ProvisionedNode) -> str:
    return node_server.offer(node.name)


class TestContract(NodeProvisionerContract):
    pass


def test_settings_arrive(provisioner: SimulatedProvisioner, node: ProvisionedNode, simulator: Simulator) -> None:
    provisioner.apply_networking([node])
    provisioner.apply_storage([node])
    provisioner.apply_platform([node])
    settings = simulator.machine(node.name)["settings"]
    assert settings["networking"] == node.networking
    assert settings["storage"] == node.storage
    assert settings["platform"]["kernel_params"] == "console=ttyS0"
    assert settings["platform"]["tags"] == ["rack1"]


def test_a_node_never_powered_on_is_commissioned_all_the_same(
    provisioner: SimulatedProvisioner, node: ProvisionedNode
) -> None:
    assert ends(lambda: provisioner.configure_hardware([node])).state is ProgressState.SUCCEEDED


def test_a_deployed_node_is_not_commissioned(
    provisioner: SimulatedProvisioner, node: ProvisionedNode, user_data: str
) -> None:
    provisioner.deploy([Deployment("d-busy", node.name, user_data)])
    progress = only(provisioner.configure_hardware([node]))
    assert progress == Progress(ProgressState.FAILED, f"{node.name} is deploying: destroy it first")


def test_a_failed_node_is_commissioned_anew(
    provisioner: SimulatedProvisioner, node: ProvisionedNode, simulator: Simulator
) -> None:
    simulator.set_faults(node.name, "install_fails")
    provisioner.deploy([Deployment("d-fails", node.name, "#cloud-config\n{}")])
    reaches(provisioner, node, NodeState.FAILED)
    assert "could not write the image" in provisioner.observe([node.name])[node.name].detail
    assert ends(lambda: provisioner.configure_hardware([node])).state is ProgressState.SUCCEEDED
    reaches(provisioner, node, NodeState.READY)


def test_a_deployment_id_of_another_node_is_refused(
    provisioner: SimulatedProvisioner, node: ProvisionedNode, user_data: str
) -> None:
    provisioner.deploy([Deployment("d-mine", node.name, user_data)])
    refused = only(provisioner.deploy([Deployment("d-mine", f"{node.name}-other", user_data)]))
    assert refused == Progress(ProgressState.FAILED, f"deployment d-mine is of {node.name}")


@pytest.mark.parametrize("name", ["..", "../../machines", ".hidden", "a b", "", "n01?x=1", "x" * 300, "n\x00"])
def test_a_name_that_could_not_be_a_directory_is_refused(provisioner: SimulatedProvisioner, name: str) -> None:
    assert only(provisioner.identify([named(name)])).state is ProgressState.FAILED


@pytest.fixture(scope="module")
def fixed_rack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("rack"), "--machine=known") as simulator:
        yield simulator


def test_a_node_that_is_not_in_the_rack_is_refused(fixed_rack: Simulator) -> None:
    provisioner = SimulatedProvisioner(url=fixed_rack.url + "/")
    answer = provisioner.identify([named("stranger"), named("known")])
    assert answer["known"].state is ProgressState.PENDING
    unknown = Progress(ProgressState.FAILED, "there is no machine 'stranger'")
    assert answer["stranger"] == unknown
    assert only(provisioner.deploy([Deployment("d", "stranger", "")])) == unknown
    assert provisioner.observe(["stranger"])["stranger"].state is NodeState.UNKNOWN
    assert [row.hostname for row in provisioner.list_nodes()] == ["known"]


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    provisioner = SimulatedProvisioner(url=f"http://127.0.0.1:{port}", timeout=1)
    with pytest.raises(DriverUnavailable, match="cannot be reached"):
        provisioner.check()


def test_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        provisioner = SimulatedProvisioner(url=f"http://127.0.0.1:{mute.getsockname()[1]}", timeout=0.05)
        with pytest.raises(DriverUnavailable):
            provisioner.observe(["n01"])


def test_somebody_else_answers() -> None:
    with running_node_server() as server:
        provisioner = SimulatedProvisioner(url=server.url, timeout=1)
        with pytest.raises(DriverRefused, match="403"):
            provisioner.check()
        with pytest.raises(DriverRefused, match="403"):
            provisioner.identify([named("n01")])


@pytest.mark.parametrize(
    "options",
    [{}, {"url": None}, {"url": 9}, {"url": "localhost:9100"}, {"url": "http://h", "timeout": "x"}, {"uri": "http://h"},
     {"url": "http://h", "timeout": 0}],
)  # fmt: skip
def test_bad_options_stop_the_start(options: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="simulated"):
        SimulatedProvisioner.from_options(options)
