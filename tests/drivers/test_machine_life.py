"""Machines of the simulated site, from a deployment to their last report, against a small server that plays Drydock."""

from __future__ import annotations

import hashlib
import stat
import tarfile
from collections.abc import Callable
from typing import Any

import pytest

from drydock.drivers.node.base import NodeState
from drydock.drivers.node.simulated import SimulatedProvisioner
from drydock.drivers.oob.base import BmcAccess, BootDevice
from drydock.drivers.oob.redfish import RedfishDriver
from drydock.drivers.progress import Progress, ProgressState
from tests.drivers.node_server import ACTION, KEY, OTHER_ACTION, NodeServer, tarball
from tests.drivers.oob_contract import ends
from tests.drivers.simulator_process import ACCOUNT, PASSWORD, Simulator
from tests.eventually import eventually
from tests.factories.drivers import redfish_driver
from tests.factories.provisioning import deployment, node_plan


@pytest.fixture
def deploy(simulator: Simulator, name: str) -> Callable[..., None]:
    provisioner = SimulatedProvisioner.from_options({"url": simulator.url})

    def deploy(user_data: str, *faults: str) -> None:
        simulator.add(name, *faults)
        provisioner.deploy([deployment(node_plan(name), f"d-{name}", user_data)])

    return deploy


def finals(machine: dict[str, Any]) -> list[tuple[str, str, int]]:
    return [(row["action_id"], row["status"], row["http_status"]) for row in machine["reported"] if row["status"]]


def failure(simulator: Simulator, name: str) -> str:
    return str(simulator.wait_for(name, lambda machine: machine["state"] == "failed")["detail"])


def test_the_whole_life(simulator: Simulator, name: str, node_server: NodeServer, deploy: Callable[..., None]) -> None:
    user_data = node_server.offer(name, (ACTION, OTHER_ACTION))
    deploy(user_data)
    machine = simulator.wait_for(name, lambda machine: len(finals(machine)) == 2)
    assert finals(machine) == [(ACTION, "success", 200), (OTHER_ACTION, "success", 200)]
    assert [row["status"] for row in machine["reported"]] == [None, "success"] * 2
    assert (machine["power"], machine["state"], machine["deployment_id"]) == ("on", "running", f"d-{name}")
    assert machine["user_data"] == user_data

    base = f"/api/v1.0/bootdata/{name}"
    assert [(row["url"], row["status"]) for row in machine["fetched"]] == [
        (f"{node_server.url}{base}/units", 200),
        (f"{node_server.url}{base}/files", 200),
    ]
    for row in machine["fetched"]:
        body = node_server.bundles[row["url"].removeprefix(node_server.url)]
        assert (row["bytes"], row["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())

    assert {key for _, _, key, _ in node_server.requests} == {KEY}
    (message, report, *_) = node_server.posted()
    assert message[0] == report[0] == f"/api/v1.0/bootaction/{ACTION}"
    assert "status" not in message[1]
    assert report[1] == {"status": "success", "details": [{"message": "the boot action is done", "error": False}]}

    script = simulator.directory / name / "opt" / "run-0.sh"
    assert stat.S_IMODE(script.stat().st_mode) == 0o750
    assert ACTION in script.read_text()
    shown = {key: value for key, value in machine.items() if key != "user_data"}
    assert KEY not in repr(shown)


def off_and_on(driver: RedfishDriver, bmc: BmcAccess) -> None:
    assert ends(lambda: driver.power_off(bmc)).state is ProgressState.SUCCEEDED
    driver.power_on(bmc)


def test_a_restart_does_not_report_again(
    simulator: Simulator, name: str, node_server: NodeServer, deploy: Callable[..., None]
) -> None:
    deploy(node_server.offer(name))
    simulator.wait_for(name, lambda machine: len(finals(machine)) == 1)
    driver = redfish_driver(endpoint=simulator.url, system="/redfish/v1/Systems/{node}")
    off_and_on(driver, BmcAccess(name, "redfish", None, ACCOUNT, PASSWORD))
    came_up = lambda machine: [event["event"] for event in machine["history"]].count("booted from disk") == 2  # noqa: E731
    machine = simulator.wait_for(name, came_up)
    assert len(node_server.posted()) == 2
    assert machine["state"] == "running"


def test_power_lost_during_installation_starts_it_anew(
    simulator: Simulator, name: str, node_server: NodeServer, deploy: Callable[..., None]
) -> None:
    deploy(node_server.offer(name), "never_returns")
    driver = redfish_driver(endpoint=simulator.url, system="/redfish/v1/Systems/{node}")
    bmc = BmcAccess(name, "redfish", None, ACCOUNT, PASSWORD)
    simulator.wait_for(name, lambda machine: machine["state"] == "silent")
    driver.power_off(bmc)
    simulator.wait_for(name, lambda machine: machine["state"] == "off")
    simulator.set_faults(name)
    driver.power_on(bmc)
    machine = simulator.wait_for(name, lambda machine: len(finals(machine)) == 1)
    assert machine["state"] == "running"


def test_destroy_wipes(simulator: Simulator, name: str, node_server: NodeServer, deploy: Callable[..., None]) -> None:
    deploy(node_server.offer(name))
    simulator.wait_for(name, lambda machine: len(finals(machine)) == 1)
    assert (simulator.directory / name).exists()
    provisioner = SimulatedProvisioner.from_options({"url": simulator.url})
    provisioner.destroy([name])
    machine = simulator.wait_for(name, lambda machine: machine["power"] == "off")
    assert not (simulator.directory / name).exists()
    assert (machine["user_data"], machine["deployment_id"], machine["reported"]) == (None, None, [])


def test_no_user_data_installs_and_reports_nothing(
    simulator: Simulator, name: str, deploy: Callable[..., None]
) -> None:
    deploy("")
    machine = simulator.wait_for(name, lambda machine: machine["state"] == "running")
    assert machine["fetched"] == machine["reported"] == []


def test_empty_bundles_are_fine(
    simulator: Simulator, name: str, node_server: NodeServer, deploy: Callable[..., None]
) -> None:
    deploy(node_server.offer(name, ()))
    machine = simulator.wait_for(name, lambda machine: machine["state"] == "running")
    assert [row["status"] for row in machine["fetched"]] == [200, 200]
    assert node_server.posted() == []


# -- faults


def test_never_returns(simulator: Simulator, name: str, node_server: NodeServer, deploy: Callable[..., None]) -> None:
    deploy(node_server.offer(name), "never_returns")
    machine = simulator.wait_for(name, lambda machine: machine["state"] == "silent")
    assert len(machine["fetched"]) == 2
    assert node_server.posted() == []
    observation = SimulatedProvisioner.from_options({"url": simulator.url}).observe([name])[name]
    assert observation.state is NodeState.DEPLOYING


def test_install_fails(simulator: Simulator, name: str, node_server: NodeServer, deploy: Callable[..., None]) -> None:
    deploy(node_server.offer(name), "install_fails")
    assert "could not write the image" in failure(simulator, name)
    assert node_server.requests == []


def test_action_fails(simulator: Simulator, name: str, node_server: NodeServer, deploy: Callable[..., None]) -> None:
    deploy(node_server.offer(name), "action_fails")
    machine = simulator.wait_for(name, lambda machine: len(finals(machine)) == 1)
    assert finals(machine) == [(ACTION, "failure", 200)]
    assert node_server.posted()[-1][1]["details"][0]["error"] is True


def test_reports_twice(simulator: Simulator, name: str, node_server: NodeServer, deploy: Callable[..., None]) -> None:
    deploy(node_server.offer(name, (ACTION, OTHER_ACTION)), "reports_twice")
    machine = simulator.wait_for(name, lambda machine: len(finals(machine)) == 4)
    assert [status for _, _, status in finals(machine)] == [200, 409, 200, 409]


def test_goes_silent(simulator: Simulator, name: str, node_server: NodeServer, deploy: Callable[..., None]) -> None:
    deploy(node_server.offer(name, (ACTION, OTHER_ACTION)), "goes_silent")
    simulator.wait_for(name, lambda machine: machine["state"] == "silent")
    assert ["status" in body for _, body in node_server.posted()] == [False]
    observation = SimulatedProvisioner.from_options({"url": simulator.url}).observe([name])[name]
    assert observation.state is NodeState.DEPLOYED


# -- a server that is not as it should be


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
@pytest.mark.parametrize("kind", ["units", "files"])
def test_one_bad_answer_fails_an_impatient_installation(
    simulator: Simulator, name: str, node_server: NodeServer, deploy: Callable[..., None], kind: str, status: int
) -> None:
    user_data = node_server.offer(name)
    node_server.refuse[f"/api/v1.0/bootdata/{name}/{kind}"] = [status]
    deploy(user_data, "impatient")
    assert f"/{kind}: status {status}" in failure(simulator, name)
    assert [path for _, path, _, _ in node_server.requests if path.endswith(kind)] != []
    assert node_server.posted() == []


@pytest.mark.parametrize("kind", ["units", "files"])
def test_a_server_that_is_away_for_a_moment_is_asked_again(
    simulator: Simulator, name: str, node_server: NodeServer, deploy: Callable[..., None], kind: str
) -> None:
    user_data = node_server.offer(name)
    node_server.refuse[f"/api/v1.0/bootdata/{name}/{kind}"] = [503, 500]
    deploy(user_data)
    machine = simulator.wait_for(name, lambda machine: machine["state"] == "running")
    assert [row["status"] for row in machine["fetched"] if row["url"].endswith(kind)] == [503, 500, 200]


def test_a_refused_connection_fails_an_impatient_installation(
    simulator: Simulator, name: str, node_server: NodeServer, deploy: Callable[..., None]
) -> None:
    user_data = node_server.offer(name).replace(node_server.url, "http://127.0.0.1:1")
    deploy(user_data, "impatient")
    assert "connection failed" in failure(simulator, name)


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"Content-Type": "application/x-gzip"}, "Content-Type"),
        ({"Content-Encoding": "gzip"}, "Content-Encoding"),
    ],
)
def test_headers_are_checked(
    simulator: Simulator, name: str, node_server: NodeServer, deploy: Callable[..., None],
    headers: dict[str, str], reason: str,
) -> None:  # fmt: skip
    node_server.headers.update(headers)
    deploy(node_server.offer(name))
    assert reason in failure(simulator, name)


def test_a_tarball_in_another_format_fails_the_installation(
    simulator: Simulator, name: str, node_server: NodeServer, deploy: Callable[..., None]
) -> None:
    user_data = node_server.offer(name)
    odd = tarball({"/opt/a": ("a", 0o600)}, tar_format=tarfile.PAX_FORMAT)
    node_server.bundles[f"/api/v1.0/bootdata/{name}/files"] = odd
    deploy(user_data)
    assert "not in GNU tar format" in failure(simulator, name)


def test_user_data_of_another_machine_fails_the_installation(
    simulator: Simulator, name: str, node_server: NodeServer, deploy: Callable[..., None]
) -> None:
    deploy(node_server.offer("somebody-else"))
    assert "user data is for somebody-else" in failure(simulator, name)
    assert node_server.requests == []


def test_reports_are_repeated_while_the_server_is_away(
    simulator: Simulator, name: str, node_server: NodeServer, deploy: Callable[..., None]
) -> None:
    user_data = node_server.offer(name)
    node_server.refuse[f"/api/v1.0/bootaction/{ACTION}"] = [503]
    deploy(user_data)
    machine = simulator.wait_for(name, lambda machine: len(finals(machine)) == 1)
    assert [row["http_status"] for row in machine["reported"]] == [503, 200, 200]


# -- many at once


def test_a_rack_at_once(simulator: Simulator, name: str, node_server: NodeServer) -> None:
    """More machines than threads, each its own deployment and its own boot device."""
    names = [f"{name}-{number:03}" for number in range(120)]
    provisioner = SimulatedProvisioner.from_options({"url": simulator.url})
    started = provisioner.deploy([deployment(node_plan(node), f"d-{node}", node_server.offer(node)) for node in names])
    assert started == dict.fromkeys(names, Progress(ProgressState.SUCCEEDED))
    eventually(
        lambda: {row.state for row in provisioner.observe(names).values()},
        lambda states: states == {NodeState.DEPLOYED},
    )
    for node in names:
        simulator.wait_for(node, lambda machine: bool(finals(machine)))


def test_the_boot_device_decides(simulator: Simulator, name: str) -> None:
    """A provisioner never sees a machine that was told to boot from an empty disk."""
    driver = redfish_driver(endpoint=simulator.url, system="/redfish/v1/Systems/{node}")
    bmc = BmcAccess(name, "redfish", None, ACCOUNT, PASSWORD)
    driver.set_boot_device(bmc, BootDevice.DISK, None)
    driver.power_on(bmc)
    simulator.wait_for(name, lambda machine: machine["state"] == "stuck")
    assert SimulatedProvisioner.from_options({"url": simulator.url}).observe([name])[name].state is NodeState.UNKNOWN
    off_and_on(driver, bmc)
    simulator.wait_for(name, lambda machine: machine["state"] == "discovered")
