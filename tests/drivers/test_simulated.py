"""The simulated provisioner: the contract, its errors, its options."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from drydock.drivers.node.base import NodeState
from drydock.drivers.node.records import ProvisionedNode
from drydock.drivers.node.simulated import SimulatedProvisioner
from drydock.drivers.oob.base import BmcAccess, BootDevice
from drydock.drivers.progress import Progress, ProgressState
from drydock.errors import ConfigurationError, DriverRefused, DriverUnavailable
from tests.drivers.node_server import NodeServer, running_node_server
from tests.drivers.provisioner_contract import BootFromNetwork, NodeProvisionerContract, ends, only, reaches
from tests.drivers.simulator_process import ACCOUNT, PASSWORD, Simulator, running_simulator
from tests.factories.drivers import redfish_driver
from tests.factories.provisioning import deployment, node_plan


@pytest.fixture
def provisioner(simulator: Simulator) -> SimulatedProvisioner:
    return SimulatedProvisioner.from_options({"url": simulator.url})


@pytest.fixture
def node(simulator: Simulator, name: str) -> ProvisionedNode:
    return node_plan(simulator.add(name))


@pytest.fixture
def boot_from_network(simulator: Simulator) -> BootFromNetwork:
    driver = redfish_driver(endpoint=simulator.url, system="/redfish/v1/Systems/{node}")

    def boot(node: ProvisionedNode) -> None:
        bmc = BmcAccess(node.name, "redfish", None, ACCOUNT, PASSWORD)
        driver.set_boot_device(bmc, BootDevice.NETWORK, None)
        driver.power_on(bmc)

    return boot


@pytest.fixture
def user_data(node_server: NodeServer, node: ProvisionedNode) -> str:
    return node_server.offer(node.name)


class TestContract(NodeProvisionerContract):
    member = "simulated"


def test_settings_arrive(provisioner: SimulatedProvisioner, node: ProvisionedNode, simulator: Simulator) -> None:
    provisioner.apply_networking([node])
    provisioner.apply_storage([node])
    provisioner.apply_platform([node])
    settings = simulator.machine(node.name)["settings"]
    (bond,) = settings["networking"]["interfaces"]
    assert (bond["name"], bond["bond"]["mode"], [port["name"] for port in bond["ports"]]) == (
        "bond0",
        "802.3ad",
        ["e1", "e2"],
    )
    assert bond["networks"][0]["addresses"] == [{"kind": "static", "address": "10.3.0.11"}]
    (disk,) = settings["storage"]["disks"]
    assert disk["partitions"][0]["size"] == {"text": ">30g", "bytes": 30 * 10**9, "at_least": True}
    assert settings["platform"]["kernel_params"] == "console=ttyS0"
    assert settings["platform"]["tags"] == ["rack1"]


def test_no_credential_of_a_bmc_leaves(
    provisioner: SimulatedProvisioner, node: ProvisionedNode, simulator: Simulator
) -> None:
    for verb in (provisioner.apply_networking, provisioner.apply_storage, provisioner.apply_platform):
        verb([node])
    provisioner.deploy([deployment(node, "d-whole")])
    assert node.bmc is not None
    assert node.bmc.credential not in repr(simulator.machine(node.name)) + repr(node)


def test_meta_data_arrives(provisioner: SimulatedProvisioner, node: ProvisionedNode, simulator: Simulator) -> None:
    provisioner.deploy([deployment(node, "d-meta")])
    given = simulator.machine(node.name)["meta_data"]
    assert (given["instance_id"], given["hostname"]) == ("d-meta", f"{node.name}.example.org")


def test_what_was_found_in_a_machine(provisioner: SimulatedProvisioner, node: ProvisionedNode) -> None:
    ends(lambda: provisioner.configure_hardware([node]))
    facts = provisioner.facts([node.name])[node.name]
    assert (facts.cpu_count, facts.memory_mib, facts.bios_version) == (16, 64 * 1024, "1.0")
    assert facts.disks is not None
    assert (facts.disks[0].name, facts.disks[0].rotational) == ("sda", False)
    assert facts.nics is not None
    assert [(nic.name, nic.bus_address) for nic in facts.nics] == [
        ("eno1", "0000:01:00.0"),
        ("ens1f0", "0000:18:00.0"),
        ("ens1f1", "0000:18:00.1"),
    ]


def test_a_node_never_powered_on_is_commissioned_all_the_same(
    provisioner: SimulatedProvisioner, node: ProvisionedNode
) -> None:
    assert ends(lambda: provisioner.configure_hardware([node])).state is ProgressState.SUCCEEDED


def test_a_deployed_node_is_not_commissioned(
    provisioner: SimulatedProvisioner, node: ProvisionedNode, user_data: str
) -> None:
    provisioner.deploy([deployment(node, "d-busy", user_data)])
    progress = only(provisioner.configure_hardware([node]))
    assert progress == Progress(ProgressState.FAILED, f"{node.name} is deploying: destroy it first")


def test_a_failed_node_is_commissioned_anew(
    provisioner: SimulatedProvisioner, node: ProvisionedNode, simulator: Simulator
) -> None:
    simulator.set_faults(node.name, "install_fails")
    provisioner.deploy([deployment(node, "d-fails", "#cloud-config\n{}")])
    reaches(provisioner, node, NodeState.FAILED)
    assert "could not write the image" in provisioner.observe([node.name])[node.name].detail
    assert ends(lambda: provisioner.configure_hardware([node])).state is ProgressState.SUCCEEDED
    reaches(provisioner, node, NodeState.READY)


def test_a_deployment_id_of_another_node_is_refused(
    provisioner: SimulatedProvisioner, node: ProvisionedNode, user_data: str
) -> None:
    provisioner.deploy([deployment(node, "d-mine", user_data)])
    refused = only(provisioner.deploy([deployment(node_plan(f"{node.name}-other"), "d-mine", user_data)]))
    assert refused == Progress(ProgressState.FAILED, f"deployment d-mine belongs to {node.name}")


@pytest.mark.parametrize("name", ["..", "../../machines", ".hidden", "a b", "", "n01?x=1", "x" * 300, "n\x00"])
def test_a_name_that_could_not_be_a_directory_is_refused(provisioner: SimulatedProvisioner, name: str) -> None:
    assert only(provisioner.enroll([node_plan(name)])).state is ProgressState.FAILED


@pytest.fixture(scope="module")
def fixed_rack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("rack"), "--machine=known") as simulator:
        yield simulator


def test_a_node_that_is_not_in_the_rack_is_refused(fixed_rack: Simulator) -> None:
    provisioner = SimulatedProvisioner.from_options({"url": fixed_rack.url + "/"})
    answer = provisioner.enroll([node_plan("stranger"), node_plan("known")])
    assert answer["known"].state is ProgressState.PENDING
    unknown = Progress(ProgressState.FAILED, "there is no machine 'stranger'")
    assert answer["stranger"] == unknown
    assert only(provisioner.deploy([deployment(node_plan("stranger"), "d")])) == unknown
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
            provisioner.enroll([node_plan("n01")])


@pytest.mark.parametrize(
    "options",
    [{}, {"url": None}, {"url": 9}, {"url": "localhost:9100"}, {"url": "http://h", "timeout": "x"}, {"uri": "http://h"},
     {"url": "http://h", "timeout": 0}],
)  # fmt: skip
def test_bad_options_stop_the_start(options: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="simulated"):
        SimulatedProvisioner.from_options(options)
