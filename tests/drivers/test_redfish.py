"""The redfish driver against the simulator's BMCs: the contract, and everything a BMC can do to its caller."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from dev.peers.certificates import Authority
from drydock.drivers.oob.base import BmcAccess, BootDevice, BootMode, PowerState
from drydock.drivers.oob.redfish import RedfishDriver
from drydock.drivers.progress import ProgressState, pending
from drydock.errors import ConfigurationError, DriverBusy, DriverError, DriverRefused, DriverUnavailable
from tests.drivers.oob_contract import OobDriverContract, ends, wait_for_power
from tests.drivers.simulator_process import ACCOUNT, PASSWORD, Simulator, running_simulator
from tests.factories.drivers import redfish_driver
from tests.http_peer import Answer, serving

SYSTEM = "/redfish/v1/Systems/{node}"


@pytest.fixture
def driver(simulator: Simulator) -> RedfishDriver:
    return redfish_driver(endpoint=simulator.url, system=SYSTEM, timeout=5)


@pytest.fixture
def bmc(name: str) -> BmcAccess:
    return BmcAccess(node=name, type="redfish", address=None, account=ACCOUNT, credential=PASSWORD)


class TestContract(OobDriverContract):
    member = "redfish, simulator"


def test_repeated_verbs_change_nothing(driver: RedfishDriver, bmc: BmcAccess, simulator: Simulator) -> None:
    # Before the start, which uses the boot device up.
    driver.set_boot_device(bmc, BootDevice.DISK, BootMode.BIOS)
    driver.set_boot_device(bmc, BootDevice.DISK, BootMode.BIOS)
    driver.power_on(bmc)
    driver.power_on(bmc)
    wait_for_power(driver, bmc, PowerState.ON)
    driver.power_on(bmc)
    events = [event["event"] for event in simulator.machine(bmc.node)["history"]]
    assert events.count("power on") == 1
    assert events.count("boot device Hdd, once") == 1


def test_once_holds_for_one_boot(driver: RedfishDriver, bmc: BmcAccess, simulator: Simulator) -> None:
    driver.set_boot_device(bmc, BootDevice.NETWORK, None)
    assert simulator.machine(bmc.node)["boot_device"] == {"target": "Pxe", "enabled": "Once"}
    driver.power_on(bmc)
    machine = simulator.wait_for(bmc.node, lambda machine: machine["state"] == "discovered")
    assert machine["boot_device"] == {"target": "None", "enabled": "Disabled"}


def test_a_change_of_power_is_pending_until_it_is_seen(driver: RedfishDriver, bmc: BmcAccess) -> None:
    began = driver.power_on(bmc)
    assert (began.state, began.reason) == (ProgressState.PENDING, "waiting for the BMC to switch the power on")
    assert began.look_in is not None
    assert ends(lambda: driver.power_on(bmc)).state is ProgressState.SUCCEEDED


def test_the_boot_mode_is_changed_only_if_it_is_another(
    driver: RedfishDriver, bmc: BmcAccess, simulator: Simulator
) -> None:
    def mode() -> str:
        url = f"{simulator.url}/redfish/v1/Systems/{bmc.node}"
        boot = requests.get(url, auth=(ACCOUNT, PASSWORD), timeout=10).json()["Boot"]
        return str(boot["BootSourceOverrideMode"])

    driver.set_boot_device(bmc, BootDevice.NETWORK, None)
    assert mode() == "UEFI"
    for _ in range(2):
        driver.set_boot_device(bmc, BootDevice.NETWORK, BootMode.BIOS)
        assert mode() == "Legacy"
    events = [event["event"] for event in simulator.machine(bmc.node)["history"]]
    assert events.count("boot device Pxe, once") == 2


def test_nothing_is_switched_while_the_power_is_unknown(talkative: Callable[[bytes], str], bmc: BmcAccess) -> None:
    """What answers every request with this knows no power state, and has no reset either."""
    body = json.dumps(
        {"Id": "1", "Name": "x", "RedfishVersion": "1.6.0", "Systems": {"@odata.id": "/redfish/v1/Systems"}}
    )
    silent = replace(bmc, address=talkative(http("200 OK", body)))
    driver = redfish_driver(endpoint="http://{address}", system="{node}", timeout=2)
    assert driver.power_state(silent) is PowerState.UNKNOWN
    for verb in (driver.power_on, driver.power_off):
        assert verb(silent) == pending("the BMC does not know whether the power is on")


def test_facts(driver: RedfishDriver, bmc: BmcAccess) -> None:
    facts = driver.facts(bmc)
    assert (facts.product, facts.memory_mib, facts.cpu_count) == ("Simulated machine", 64 * 1024, 16)
    assert (facts.bios_version, facts.arch, facts.disks) == ("1.0", None, None)
    assert facts.nics is not None
    assert len({nic.mac for nic in facts.nics}) == 3
    assert {nic.speed_mbit for nic in facts.nics} == {10_000}


VERBS: list[Callable[[RedfishDriver, BmcAccess], object]] = [
    RedfishDriver.power_state,
    RedfishDriver.power_on,
    RedfishDriver.power_off,
    lambda driver, bmc: driver.set_boot_device(bmc, BootDevice.NETWORK, None),
    RedfishDriver.facts,
]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("fault", ["bmc_hangs", "bmc_refuses", "bmc_unavailable"])
def test_passing_faults_are_unavailable(
    simulator: Simulator, bmc: BmcAccess, fault: str, verb: Callable[[RedfishDriver, BmcAccess], object]
) -> None:
    driver = redfish_driver(endpoint=simulator.url, system=SYSTEM, timeout=0.3)
    simulator.add(bmc.node, fault)
    began = time.monotonic()
    with pytest.raises(DriverUnavailable) as caught:
        verb(driver, bmc)
    assert time.monotonic() - began < 3
    assert_fit_to_show(caught.value, bmc)


def test_the_bmc_comes_back(simulator: Simulator, bmc: BmcAccess) -> None:
    driver = redfish_driver(endpoint=simulator.url, system=SYSTEM, timeout=0.3)
    simulator.add(bmc.node, "bmc_hangs:1")
    with pytest.raises(DriverUnavailable, match="did not answer in time"):
        driver.power_on(bmc)
    driver.power_on(bmc)
    wait_for_power(driver, bmc, PowerState.ON)


def test_a_bmc_that_fails_does_not_hold_up_others(simulator: Simulator, bmc: BmcAccess, name: str) -> None:
    driver = redfish_driver(endpoint=simulator.url, system=SYSTEM, timeout=1)
    simulator.add(bmc.node, "bmc_hangs")
    other = BmcAccess(f"{name}-other", "redfish", None, ACCOUNT, PASSWORD)
    failed = threading.Event()

    def hang() -> None:
        with pytest.raises(DriverUnavailable):
            driver.power_state(bmc)
        failed.set()

    thread = threading.Thread(target=hang)
    thread.start()
    assert driver.power_state(other) is PowerState.OFF
    assert not failed.is_set()
    thread.join()
    assert failed.is_set()


def test_wrong_credentials_are_refused(driver: RedfishDriver, bmc: BmcAccess) -> None:
    wrong = BmcAccess(bmc.node, "redfish", None, ACCOUNT, "battery-staple")
    with pytest.raises(DriverRefused, match="credentials") as caught:
        driver.power_on(wrong)
    assert_fit_to_show(caught.value, wrong)
    assert driver.power_state(bmc) is PowerState.OFF


def test_no_credentials_are_refused(driver: RedfishDriver, bmc: BmcAccess) -> None:
    with pytest.raises(DriverRefused, match="credentials"):
        driver.power_state(BmcAccess(bmc.node, "redfish", None))


def test_no_such_system_is_refused(simulator: Simulator, bmc: BmcAccess) -> None:
    driver = redfish_driver(endpoint=simulator.url, system="/redfish/v1/Systems/-{node}-")
    with pytest.raises(DriverRefused) as caught:
        driver.power_state(bmc)
    assert_fit_to_show(caught.value, bmc)


def test_the_only_system_is_found_when_none_is_named(tmp_path: Path, bmc: BmcAccess) -> None:
    with running_simulator(tmp_path) as simulator:
        driver = redfish_driver(endpoint=simulator.url)
        with pytest.raises(DriverRefused, match="not exactly one"):
            driver.power_state(bmc)
        simulator.add(bmc.node)
        assert driver.power_state(bmc) is PowerState.OFF
        simulator.add(f"{bmc.node}-second")
        with pytest.raises(DriverRefused, match="not exactly one"):
            redfish_driver(endpoint=simulator.url).power_state(bmc)


def test_a_system_may_be_named_without_its_path(simulator: Simulator, bmc: BmcAccess) -> None:
    driver = redfish_driver(endpoint=simulator.url, system="{node}")
    assert driver.power_state(bmc) is PowerState.OFF
    assert simulator.machine(bmc.node)["name"] == bmc.node


def test_nobody_listens(bmc: BmcAccess) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    driver = redfish_driver(endpoint="http://{address}", timeout=2)
    began = time.monotonic()
    with pytest.raises(DriverUnavailable, match="cannot be reached") as caught:
        driver.power_off(BmcAccess(bmc.node, "redfish", f"127.0.0.1:{port}", ACCOUNT, PASSWORD))
    assert time.monotonic() - began < 2
    assert_fit_to_show(caught.value, bmc)


def test_no_address_is_refused(bmc: BmcAccess) -> None:
    with pytest.raises(DriverRefused, match="no address"):
        redfish_driver().power_state(bmc)


@pytest.fixture
def talkative() -> Iterator[Callable[[bytes], str]]:
    """A server that answers every connection with the same bytes."""
    listener = socket.create_server(("127.0.0.1", 0))
    answers: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(answers[0])

    thread = threading.Thread(target=serve)

    def start(answer: bytes) -> str:
        answers.append(answer)
        thread.start()
        return f"127.0.0.1:{listener.getsockname()[1]}"

    yield start
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def http(status: str, body: str) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close"
    return f"{head}\r\n\r\n{body}".encode()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (http("200 OK", "<html>hello</html>"), DriverUnavailable),
        (http("200 OK", "{}"), DriverRefused),
        (http("404 Not Found", "{}"), DriverRefused),
        (http("401 Unauthorized", "{}"), DriverRefused),
        (http("403 Forbidden", "{}"), DriverRefused),
        (http("405 Method Not Allowed", "{}"), DriverRefused),
        (http("429 Too Many Requests", "{}"), DriverBusy),
        (http("409 Conflict", "{}"), DriverBusy),
        (http("500 Internal Server Error", "oops"), DriverUnavailable),
        (http("501 Not Implemented", "{}"), DriverRefused),
        (http("400 Bad Request", '{"error": {"message": "what is correct-horse?"}}'), DriverRefused),
        (b"SSH-2.0-OpenSSH_9.2\r\n", DriverUnavailable),
    ],
)
def test_answers_that_are_not_what_was_hoped_for(
    talkative: Callable[[bytes], str], bmc: BmcAccess, answer: bytes, error: type[DriverError]
) -> None:
    driver = redfish_driver(endpoint="http://{address}", timeout=2)
    with pytest.raises(error) as caught:
        driver.power_state(BmcAccess(bmc.node, "redfish", talkative(answer), ACCOUNT, PASSWORD))
    assert_fit_to_show(caught.value, bmc)


def test_an_unencrypted_bmc_behind_https_is_refused(simulator: Simulator, bmc: BmcAccess) -> None:
    driver = redfish_driver(timeout=2)
    with pytest.raises(DriverError) as caught:
        driver.power_state(BmcAccess(bmc.node, "redfish", simulator.url.removeprefix("http://"), ACCOUNT, PASSWORD))
    assert_fit_to_show(caught.value, bmc)


def assert_fit_to_show(error: DriverError, bmc: BmcAccess) -> None:
    """Names the node, and no credential."""
    assert str(error).startswith(f"{bmc.node}: ")
    assert bmc.credential not in str(error)
    assert PASSWORD not in str(error)


@pytest.mark.parametrize(
    "options",
    [
        {"endpiont": "http://{address}"},
        {"endpoint": "http://{host}"},
        {"endpoint": "http://{address"},
        {"endpoint": 5},
        {"system": "{0}"},
        {"timeout": 0},
        {"timeout": "soon"},
        {"timeout": True, "verify_tls": "no"},
    ],
)
def test_bad_options_stop_the_start(options: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="redfish"):
        redfish_driver(**options)


def test_options_have_no_defaults_here() -> None:
    """They are of ``drydock.conf`` alone."""
    with pytest.raises(ConfigurationError, match="the options endpoint, system, verify_tls, ca_file are needed"):
        RedfishDriver.from_options({"timeout": 3.0})


@pytest.fixture
def untrusted_server(tmp_path: Path) -> Iterator[str]:
    """Of https, with a certificate of an authority that no machine knows."""
    pair = Authority(tmp_path).issue("bmc", addresses=("127.0.0.1",))
    with serving(lambda _: Answer(404), certificate=pair) as peer:
        yield peer.url()


def test_a_node_may_have_an_endpoint_and_a_system_of_its_own(simulator: Simulator, bmc: BmcAccess) -> None:
    own = {"endpoint": simulator.url, "system": "{node}", "timeout": "5"}
    away = redfish_driver(endpoint="http://127.0.0.1:1", system="nothing", timeout=1)
    assert away.power_state(replace(bmc, parameters=own)) is PowerState.OFF
    address = simulator.url.removeprefix("http://")
    named = {"endpoint": "http://{address}", "system": f"/redfish/v1/Systems/{bmc.node}"}
    assert away.power_state(replace(bmc, address=address, parameters=named)) is PowerState.OFF
    with pytest.raises(DriverUnavailable):
        away.power_state(replace(bmc, parameters={"network": "oob"}))


@pytest.mark.parametrize(("said", "verified"), [("False", False), ("no", False), ("True", True), (None, True)])
def test_a_node_may_have_a_certificate_that_nobody_signed(
    untrusted_server: str, bmc: BmcAccess, said: str | None, verified: bool
) -> None:
    parameters = {"endpoint": untrusted_server, **({} if said is None else {"verify_tls": said})}
    with pytest.raises(DriverError) as caught:
        redfish_driver(timeout=5).power_state(replace(bmc, parameters=parameters))
    assert ("certificate" in str(caught.value).lower()) is verified, str(caught.value)


@pytest.mark.parametrize("said", [{"verify_tls": "maybe"}, {"timeout": "soon"}, {"endpoint": "x"}, {"system": "{x}"}])
def test_what_a_node_says_and_cannot_work_is_refused(bmc: BmcAccess, said: dict[str, str]) -> None:
    with pytest.raises(DriverRefused, match=f"oob.{next(iter(said))}") as caught:
        redfish_driver().power_state(replace(bmc, address="127.0.0.1", parameters=said))
    assert_fit_to_show(caught.value, bmc)
