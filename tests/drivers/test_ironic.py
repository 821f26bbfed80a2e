"""Ironic as a provisioner, against a real one: the contract, the life of a node, what ends in the middle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

pytest.importorskip("openstack", reason="openstacksdk, the extra 'ironic', is not installed")

from dev.peers.ironic_server import IronicServer
from drydock.drivers.node.base import NodeState
from drydock.drivers.node.ironic.driver import IronicProvisioner
from drydock.drivers.node.records import HardwareHints, ProvisionedNode
from drydock.drivers.oob.base import BmcAccess, BootMode
from drydock.drivers.progress import Progress, ProgressState
from drydock.errors import DriverBusy, DriverRefused, DriverUnavailable
from drydock.model.cleaning import Cleaning
from tests.drivers.ironic_peer import (
    CountedConnector,
    Killed,
    Operator,
    mac_of,
    passed_on,
    running,
)
from tests.drivers.ironic_peer import (
    provisioner as made_provisioner,
)
from tests.drivers.node_server import NodeServer
from tests.drivers.provisioner_contract import (
    BootFromNetwork,
    NodeProvisionerContract,
    ends,
    only,
    reaches,
)
from tests.eventually import eventually
from tests.factories.provisioning import deployment, node_plan
from tests.http_peer import Answer, Request, serving

# openstacksdk uses itself what it deprecates, at each connection.
pytestmark = [
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK50Warning"),
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK60Warning"),
]
SUCCEEDED, FAILED, PENDING = ProgressState.SUCCEEDED, ProgressState.FAILED, ProgressState.PENDING


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


def counted(provisioner: IronicProvisioner) -> CountedConnector:
    connector = provisioner._connector
    assert isinstance(connector, CountedConnector)
    return connector


def prepared(provisioner: IronicProvisioner, node: ProvisionedNode) -> None:
    assert ends(lambda: provisioner.enroll([node])).state is SUCCEEDED
    assert ends(lambda: provisioner.configure_hardware([node])).state is SUCCEEDED


def test_what_goes_into_the_config_drive_and_the_hints(
    provisioner: IronicProvisioner, node: ProvisionedNode, operator: Operator
) -> None:
    prepared(provisioner, node)
    wanted = deployment(node, str(uuid4()), "#cloud-config\n{users: []}\n")
    assert only(provisioner.deploy([wanted])).state is SUCCEEDED
    reaches(provisioner, node, NodeState.DEPLOYED)
    drive = operator.config_drive(node.name)
    assert drive["user_data"] == wanted.user_data
    assert drive["meta_data"]["hostname"] == f"{node.name}.example.org"
    assert drive["meta_data"]["uuid"] == wanted.id
    assert [link["id"] for link in drive["network_data"]["links"]] == ["e1", "e2", "bond0", "bond0.101"]
    seen = operator.node(node.name)
    assert seen["instance_uuid"] == wanted.id
    assert seen["instance_info"]["root_device"] == {"hctl": "s== 0:0:0:0"}
    assert seen["instance_info"]["image_source"] == "http://127.0.0.1/jammy.qcow2"
    assert "CUSTOM_TAG_RACK1" in seen["traits"]
    reaches(provisioner, node, NodeState.DEPLOYED)


def test_a_machine_that_ironic_has_by_its_mac_is_adopted(
    provisioner: IronicProvisioner, node: ProvisionedNode, operator: Operator
) -> None:
    assert node.boot_mac is not None
    uuid = operator.enroll(None, node.boot_mac)
    prepared(provisioner, node)
    assert [row["uuid"] for row in operator.named(node.name)] == [uuid]


def test_two_nodes_of_a_design_with_one_nic(provisioner: IronicProvisioner, node: ProvisionedNode) -> None:
    prepared(provisioner, node)
    refused = only(provisioner.enroll([replace(node, name=f"{node.name}-twin")]))
    assert refused.state is FAILED
    assert f"enrolled as {node.name}" in refused.reason


def test_a_nic_that_ironic_has_on_another_node(
    provisioner: IronicProvisioner, node: ProvisionedNode, operator: Operator
) -> None:
    assert node.boot_mac is not None
    operator.enroll(node.name, mac_of(f"{node.name}-old-nic"))
    other = operator.enroll(f"{node.name}-other", node.boot_mac)
    ended = ends(lambda: provisioner.enroll([node]))
    assert (ended.state, other in ended.reason) == (FAILED, True), ended


def test_a_machine_with_somebody_elses_installation_is_left_alone(
    provisioner: IronicProvisioner, node: ProvisionedNode, operator: Operator
) -> None:
    assert node.boot_mac is not None
    operator.enroll(f"{node.name}-theirs", node.boot_mac, instance_uuid=str(uuid4()))
    refused = only(provisioner.enroll([node]))
    assert refused.state is FAILED
    assert "release it there first" in refused.reason


def test_capabilities_of_the_hardware_profile(
    provisioner: IronicProvisioner, node: ProvisionedNode, operator: Operator
) -> None:
    hints = HardwareHints("HPE", "10", "3", None, BootMode.UEFI, None, None, None)
    prepared(provisioner, replace(node, hardware=hints))
    seen = operator.node(node.name)
    assert seen["properties"]["capabilities"] == "boot_mode:uefi"
    assert {"CUSTOM_VENDOR_HPE", "CUSTOM_GENERATION_10", "CUSTOM_HW_VERSION_3"} <= set(seen["traits"])


def test_maintenance_is_respected_and_shown(
    provisioner: IronicProvisioner, node: ProvisionedNode, operator: Operator
) -> None:
    prepared(provisioner, node)
    operator.maintenance(node.name, "new memory")
    seen = provisioner.observe([node.name])[node.name]
    assert (seen.state, "new memory" in seen.detail) == (NodeState.MAINTENANCE, True)
    wanted = deployment(node, str(uuid4()))
    for answer in (
        provisioner.configure_hardware([node]),
        provisioner.deploy([wanted]),
        provisioner.stop([node.name]),
    ):
        progress = only(answer)
        assert (progress.state, "new memory" in progress.reason) == (PENDING, True)
    assert operator.node(node.name)["instance_uuid"] is None
    operator.maintenance(node.name, None)
    assert only(provisioner.deploy([wanted])).state is SUCCEEDED


Verb = Callable[[IronicProvisioner, ProvisionedNode, str], Mapping[str, Progress]]
STEPS: Mapping[str, Verb] = {
    "enroll": lambda provisioner, node, _: provisioner.enroll([node]),
    "configure": lambda provisioner, node, _: provisioner.configure_hardware([node]),
    "deploy": lambda provisioner, node, identity: provisioner.deploy([deployment(node, identity)]),
    "stop": lambda provisioner, node, _: provisioner.stop([node.name]),
    "destroy": lambda provisioner, node, _: provisioner.destroy([node.name]),
}
#: The request after which the worker dies, by verb.
CUTS = [
    ("enroll", "POST nodes"), ("enroll", "POST ports"), ("enroll", "PUT traits"), ("enroll", "PUT provision"),
    ("configure", "PUT provision"),
    ("deploy", "PATCH node"), ("deploy", "PUT provision"),
    ("stop", "PUT power"), ("destroy", "PUT provision"),
]  # fmt: skip


@pytest.mark.parametrize(("verb", "after"), CUTS)
def test_killed_after_a_request_and_repeated_by_another_worker(
    ironic: IronicServer, tmp_path: Path, node: ProvisionedNode, operator: Operator, verb: str, after: str
) -> None:
    """One node, one installation: each step is cut off once where ``verb`` is, and then done by another worker."""
    identity = str(uuid4())
    worker = made_provisioner(ironic, tmp_path / "images.yaml")
    other = made_provisioner(ironic, tmp_path / "images.yaml")
    for name, step in STEPS.items():
        if name == verb:
            cut = after if after != "PATCH node" else f"PATCH {operator.node(node.name)['uuid']}"
            counted(worker).cut = cut
            with pytest.raises(Killed):
                ends(lambda step=step: step(worker, node, identity))  # type: ignore[misc]
        for again in (other, worker):
            ended = ends(lambda step=step, again=again: step(again, node, identity))  # type: ignore[misc]
            assert ended.state is SUCCEEDED, (name, ended)
        if name == "deploy":
            reaches(other, node, NodeState.DEPLOYED)
            assert other.observe([node.name])[node.name].deployment_id == identity
    assert len(operator.named(node.name)) == 1
    both = counted(worker).requests + counted(other).requests
    assert both["PUT nodes/states/provision"] == 5  # manage, inspect, provide, active, deleted
    assert operator.node(node.name)["provision_state"] == "available"


@pytest.mark.parametrize("after", ["GET nodes", "PATCH node", "PUT provision"])
@pytest.mark.parametrize("prepared_before", [True, False])
def test_a_node_is_inspected_again_once_for_a_task(
    ironic: IronicServer, tmp_path: Path, node: ProvisionedNode, operator: Operator, after: str, prepared_before: bool
) -> None:
    """Also where the worker dies after each request of one kind in turn, and others go on."""
    worker = made_provisioner(ironic, tmp_path / "images.yaml")
    assert ends(lambda: worker.enroll([node])).state is SUCCEEDED
    if prepared_before:
        prepared(worker, node)
    seen = operator.node(node.name)
    again = {node.name: "task 1"}
    counted(worker).requests.clear()

    def call() -> Mapping[str, Progress]:
        counted(worker).cut = {"GET nodes": f"GET {node.name}", "PATCH node": f"PATCH {seen['uuid']}"}.get(after, after)
        with suppress(Killed):
            return worker.configure_hardware([node], again)
        return {node.name: Progress(PENDING, "killed")}

    if after == "GET nodes":
        assert only(call()).reason == "killed"
        assert ends(lambda: worker.configure_hardware([node], again)).state is SUCCEEDED
    else:
        assert ends(call).state is SUCCEEDED
    made = counted(worker).requests
    steps = ["manage", "inspect", "provide"] if prepared_before else ["inspect", "provide"]
    assert (made["PUT nodes/states/provision"], made["PATCH nodes"]) == (len(steps), 1)
    ended = operator.node(node.name)["inspection_finished_at"]
    assert ended not in (None, seen["inspection_finished_at"])
    counted(worker).cut = None
    assert only(worker.configure_hardware([node], again)).state is SUCCEEDED
    assert only(worker.configure_hardware([node])).state is SUCCEEDED
    assert operator.node(node.name)["inspection_finished_at"] == ended


def test_a_deployment_is_begun_once(provisioner: IronicProvisioner, node: ProvisionedNode, operator: Operator) -> None:
    prepared(provisioner, node)
    counted(provisioner).requests.clear()
    wanted = deployment(node, str(uuid4()))
    for _ in range(3):
        assert only(provisioner.deploy([wanted])).state is SUCCEEDED
    reaches(provisioner, node, NodeState.DEPLOYED)
    assert only(provisioner.deploy([wanted])).state is SUCCEEDED
    assert counted(provisioner).requests["PUT nodes/states/provision"] == 1


def test_many_nodes_take_one_list(ironic: IronicServer, provisioner: IronicProvisioner, name: str) -> None:
    names = [f"{name}-{number}" for number in range(6)]
    nodes = [node_plan(one, bmc=BmcAccess(one, "fake", "192.0.2.1"), boot_mac=mac_of(one)) for one in names]
    eventually(
        lambda: {progress.state for progress in provisioner.enroll(nodes).values()}, lambda seen: seen == {SUCCEEDED}
    )
    counted(provisioner).requests.clear()
    provisioner.observe(names)
    assert counted(provisioner).requests == {"GET nodes": 1}
    counted(provisioner).requests.clear()
    provisioner.configure_hardware(nodes)
    assert counted(provisioner).requests == {"GET nodes": 1, "PUT nodes/states/provision": 6}


def test_traits_that_ironic_fails_to_write_are_sent_again(
    ironic: IronicServer, tmp_path: Path, node: ProvisionedNode, operator: Operator
) -> None:
    """And nothing else is: as where its database is SQLite, which refuses writes side by side."""
    fails = [2]

    def answer(request: Request) -> Answer:
        if request.path.endswith("/traits") and fails[0]:
            fails[0] -= 1
            return Answer(500, b'{"error_message": {"faultstring": "database is locked"}}')
        return passed_on(request, ironic.url)

    with serving(answer) as peer:
        provisioner = made_provisioner(ironic, tmp_path / "images.yaml", endpoint_override=peer.url())
        assert only(provisioner.enroll([node])).state is PENDING
        assert [len(peer.paths(method)) for method in ("POST", "PUT")] == [2, 4]
    assert "CUSTOM_TAG_RACK1" in operator.node(node.name)["traits"]


def test_a_locked_node_is_not_yet(provisioner: IronicProvisioner, node: ProvisionedNode, operator: Operator) -> None:
    prepared(provisioner, node)
    wanted = deployment(node, str(uuid4()))
    provisioner.deploy([wanted])
    waiting = only(provisioner.destroy([node.name]))
    assert waiting.state is PENDING
    assert ends(lambda: provisioner.destroy([node.name])).state is SUCCEEDED
    assert operator.node(node.name)["provision_state"] == "available"


def test_what_is_destroyed_is_off(provisioner: IronicProvisioner, node: ProvisionedNode, operator: Operator) -> None:
    """As with fast track, which leaves the agent running."""
    prepared(provisioner, node)
    operator.power(node.name, "power on")
    eventually(lambda: operator.node(node.name)["power_state"], lambda state: state == "power on")
    assert ends(lambda: provisioner.destroy([node.name])).state is SUCCEEDED
    assert operator.node(node.name)["power_state"] == "power off"


@pytest.mark.parametrize(("state", "power"), [("manageable", "power off"), ("available", "power on")])
def test_what_is_in_maintenance_is_not_called_destroyed(
    provisioner: IronicProvisioner, node: ProvisionedNode, operator: Operator, state: str, power: str
) -> None:
    """As after a failed cleaning from which an operator took it back to manageable: its disks are as they were."""
    prepared(provisioner, node)
    if state == "manageable":
        operator.provision(node.name, "manage", state)
    operator.power(node.name, power)
    eventually(lambda: operator.node(node.name)["power_state"], lambda seen: seen == power)
    operator.maintenance(node.name, "its cleaning failed")
    waiting = only(provisioner.destroy([node.name]))
    assert (waiting.state, "its cleaning failed" in waiting.reason) == (PENDING, True), waiting
    operator.maintenance(node.name, None)
    assert ends(lambda: provisioner.destroy([node.name])).state is SUCCEEDED
    seen = operator.node(node.name)
    assert (seen["provision_state"], seen["power_state"]) == ("available", "power off")
    operator.maintenance(node.name, "new memory")
    assert only(provisioner.destroy([node.name])).state is SUCCEEDED


def test_a_retired_node_is_destroyed(provisioner: IronicProvisioner, node: ProvisionedNode, operator: Operator) -> None:
    """Ironic leaves it manageable when it has cleaned it, and makes it available no more."""
    prepared(provisioner, node)
    provisioner.deploy([deployment(node, str(uuid4()))])
    reaches(provisioner, node, NodeState.DEPLOYED)
    changes = [{"op": "add", "path": path, "value": True} for path in ("/retired", "/automated_clean")]
    operator.connector.patch(("nodes", node.name), changes)
    for _ in range(2):
        ended = ends(lambda: provisioner.destroy([node.name]))
        assert (ended.state, "retired" in ended.reason) == (SUCCEEDED, True), ended
        seen = operator.node(node.name)
        assert (seen["provision_state"], seen["power_state"] == "power on") == ("manageable", False)


def test_what_failed_to_be_inspected_is_cleaned(
    provisioner: IronicProvisioner, node: ProvisionedNode, operator: Operator
) -> None:
    """As a machine of which an inspection was asked for again: its disks are as they were."""
    prepared(provisioner, node)
    operator.provision(node.name, "manage", "manageable")

    def becomes(driver: str, **info: str) -> None:
        changes = [{"op": "replace", "path": "/driver", "value": driver}]
        changes += [{"op": "add", "path": f"/driver_info/{name}", "value": value} for name, value in info.items()]
        operator.connector.request("PATCH", ("nodes", node.name), changes, {"reset_interfaces": "true"})

    with serving(lambda _: Answer(404)) as bmc:
        becomes("redfish", redfish_address=bmc.url(), redfish_system_id="/redfish/v1/Systems/1")
        operator.provision(node.name, "inspect", "inspect failed")
        waiting = only(provisioner.destroy([node.name]))
        assert (waiting.state, waiting.reason) == (PENDING, f"{node.name}: is to be cleaned")
        eventually(lambda: operator.node(node.name)["provision_state"], lambda state: state == "manageable")
    becomes("fake-hardware")
    assert ends(lambda: provisioner.destroy([node.name])).state is SUCCEEDED
    assert operator.node(node.name)["provision_state"] == "available"


def test_the_proof_of_a_cleaning(provisioner: IronicProvisioner, node: ProvisionedNode, operator: Operator) -> None:
    """From Ironic's history, after the installation; by another worker too."""
    prepared(provisioner, node)
    change = {"op": "add", "path": "/automated_clean", "value": True}
    operator.connector.patch(("nodes", node.name), [change])
    provisioner.deploy([deployment(node, str(uuid4()))])
    reaches(provisioner, node, NodeState.DEPLOYED)
    begun = datetime.now(UTC).replace(microsecond=0)
    assert ends(lambda: provisioner.destroy([node.name])).state is SUCCEEDED
    found = provisioner.cleaned([node.name])[node.name]
    assert (found.automated, found.state, found.steps) == (True, "available", ("vendor.log_passthrough",))
    assert found.began is not None
    assert found.ended is not None
    assert begun <= found.began <= found.ended <= datetime.now(UTC)
    assert [(event.kind, event.failed) for event in found.events] == [
        ("automated_cleaning_start", False), ("automated_cleaning_end", False),
    ]  # fmt: skip


def test_what_was_not_cleaned_has_no_proof_of_it(
    provisioner: IronicProvisioner, node: ProvisionedNode, operator: Operator
) -> None:
    """Though it was cleaned before its installation."""
    assert ends(lambda: provisioner.enroll([node])).state is SUCCEEDED
    for clean in (True, False):
        change = {"op": "add", "path": "/automated_clean", "value": clean}
        operator.connector.patch(("nodes", node.name), [change])
        assert ends(lambda: provisioner.configure_hardware([node])).state is SUCCEEDED
    assert "Automated Cleaning completed" in " ".join(operator.story(node.name))
    provisioner.deploy([deployment(node, str(uuid4()))])
    reaches(provisioner, node, NodeState.DEPLOYED)
    ended = ends(lambda: provisioner.destroy([node.name]))
    assert "not cleaned: automated_clean of the node is false" in ended.reason
    found = provisioner.cleaned([node.name])[node.name]
    assert found == Cleaning(automated=False, steps=(), began=None, ended=None, state="available", events=())


def test_a_protected_node_is_left_alone_with_its_reason(
    provisioner: IronicProvisioner, node: ProvisionedNode, operator: Operator
) -> None:
    prepared(provisioner, node)
    wanted = deployment(node, str(uuid4()))
    provisioner.deploy([wanted])
    reaches(provisioner, node, NodeState.DEPLOYED)
    changes = {"/protected": True, "/protected_reason": "the only database"}
    patch = [{"op": "add", "path": path, "value": value} for path, value in changes.items()]
    operator.connector.patch(("nodes", node.name), patch)
    for refused in (
        only(provisioner.destroy([node.name])),
        only(provisioner.deploy([deployment(node, str(uuid4()))])),
    ):
        assert refused.state is FAILED
        assert f"{node.name} is protected in Ironic: the only database" in refused.reason
    assert only(provisioner.deploy([wanted])).state is SUCCEEDED
    assert operator.node(node.name)["instance_uuid"] == wanted.id


def test_what_ironic_refuses_fails_that_node_only(provisioner: IronicProvisioner, node: ProvisionedNode) -> None:
    bad = replace(node, name="no_host_name!", boot_mac=None)
    answer = provisioner.enroll([bad, replace(node, boot_mac=None)])
    assert answer[bad.name].state is FAILED
    assert "no_host_name!" in answer[bad.name].reason
    assert answer[node.name].state is PENDING


def test_no_credential_in_an_answer(
    provisioner: IronicProvisioner, node: ProvisionedNode, node_server: NodeServer
) -> None:
    """What answers is no BMC."""
    bmc = BmcAccess(node.name, "redfish", "127.0.0.1", "admin", "not-a-secret", {"endpoint": node_server.url})
    wanted = replace(node, bmc=bmc)
    ended = eventually(lambda: only(provisioner.enroll([wanted])), lambda seen: seen.state is not PENDING, seconds=60)
    assert ended.state is FAILED
    assert "Ironic" in ended.reason
    assert "not-a-secret" not in repr(ended)


def test_what_the_operator_of_ironic_rescues_is_taken_down(
    provisioner: IronicProvisioner, node: ProvisionedNode, operator: Operator
) -> None:
    """And not called destroyed, with all that is on its disks."""
    prepared(provisioner, node)
    provisioner.deploy([deployment(node, str(uuid4()))])
    reaches(provisioner, node, NodeState.DEPLOYED)
    operator.connector.patch(("nodes", node.name), [{"op": "add", "path": "/rescue_interface", "value": "fake"}])
    rescue = {"target": "rescue", "rescue_password": "not-a-secret"}
    operator.connector.put(("nodes", node.name, "states", "provision"), rescue)
    eventually(lambda: operator.node(node.name)["provision_state"], lambda seen: seen == "rescue")
    assert only(provisioner.destroy([node.name])).state is PENDING
    assert ends(lambda: provisioner.destroy([node.name])).state is SUCCEEDED
    assert operator.node(node.name)["provision_state"] == "available"


def test_a_patch_that_ironic_quotes(provisioner: IronicProvisioner, node: ProvisionedNode, operator: Operator) -> None:
    prepared(provisioner, node)
    info = {"redfish_password": "not-a-secret", "fake": 1}
    for path, value in (("of_nobody", info), ("redfish_password", "not-a-secret")):
        with pytest.raises(DriverRefused, match="Couldn't apply patch") as refused:
            operator.connector.patch(
                ("nodes", node.name), [{"op": "replace", "path": f"/driver_info/{path}", "value": value}]
            )
        assert "not-a-secret" not in str(refused.value)


def test_http_basic_and_a_wrong_password(tmp_path: Path) -> None:
    with running(tmp_path, basic=True) as ironic:
        made_provisioner(ironic, tmp_path / "images.yaml").check()
        wrong = made_provisioner(ironic, tmp_path / "images.yaml", password="wrong-one")
        with pytest.raises(DriverRefused, match="401") as refused:
            wrong.check()
        assert "wrong-one" not in str(refused.value) + repr(wrong._settings)
        ironic.stop()
        with pytest.raises(DriverUnavailable, match="cannot be reached"):
            wrong.observe(["n01"])
        assert not issubclass(DriverUnavailable, DriverBusy)
