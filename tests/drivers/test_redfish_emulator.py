"""The redfish driver against BMCs that others wrote: sushy-tools' emulator with fake systems, accounts and TLS."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dev.peers.certificates import Authority
from dev.peers.sushy_emulator import SushyEmulator, mac, system_id
from drydock.drivers.oob.base import BmcAccess, BootDevice, BootMode, OobDriver, PowerState
from drydock.drivers.oob.redfish import RedfishDriver
from drydock.drivers.oob.redfish_connector import RedfishConnector, RedfishOptions
from drydock.drivers.progress import ProgressState
from drydock.errors import ConfigurationError, DriverBusy, DriverRefused, DriverUnavailable
from tests.drivers.http_relay import Fault, HttpRelay
from tests.drivers.oob_contract import Meet, OobDriverContract, Trouble, ends
from tests.factories.drivers import redfish_driver

pytest.importorskip("sushy_tools", reason="sushy-tools is not installed")

SYSTEMS = 600
#: Seconds for an answer, where a test is not about time: a login takes the emulator long while others have the cores.
PATIENCE = 30.0
CERTIFICATES: dict[Trouble, dict[str, Any]] = {
    Trouble.WRONG_NAME: {"addresses": ("127.0.0.9",)},
    Trouble.EXPIRED: {"expired": True},
}
FAULTS = {
    Trouble.SILENT: Fault.SILENT,
    Trouble.SLOW: Fault.SLOW,
    Trouble.BUSY: Fault.BUSY,
    Trouble.LIES: Fault.LIES,
    Trouble.RESET: Fault.RESET,
}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SushyEmulator]:
    names = [f"e{number:03}" for number in range(SYSTEMS)]
    with SushyEmulator.fake(tmp_path_factory.mktemp("emulator"), names=names) as running:
        yield running


@pytest.fixture(scope="module")
def unused() -> Iterator[int]:
    return iter(range(SYSTEMS))


@pytest.fixture
def driver(emulator: SushyEmulator) -> RedfishDriver:
    return redfish_driver(endpoint=emulator.url, ca_file=str(emulator.authority), timeout=PATIENCE)


@pytest.fixture
def bmc(emulator: SushyEmulator, unused: Iterator[int]) -> BmcAccess:
    return access(emulator, f"e{next(unused):03}")


def access(emulator: SushyEmulator, name: str) -> BmcAccess:
    return BmcAccess(name, "redfish", None, *emulator.auth, parameters={"system": system_id(name)})


class Relays:
    """Relays in front of the emulator, with certificates of an authority of their own."""

    def __init__(self, emulator: SushyEmulator, directory: Path, stack: ExitStack) -> None:
        self._emulator, self._directory, self._stack = emulator, directory, stack
        self.authority = Authority(directory)

    def start(self, *, sessions: int = 0, **certificate: Any) -> HttpRelay:
        pair = self.authority.issue("relay", **certificate)
        upstream = str(self._emulator.authority)
        made = HttpRelay(self._emulator.url, verify=upstream, certificate=pair, sessions=sessions)
        return self._stack.enter_context(made)

    def driver(self, relay: HttpRelay, timeout: float = PATIENCE) -> RedfishDriver:
        return redfish_driver(endpoint=relay.url, ca_file=str(self.authority.certificate), timeout=timeout)


@pytest.fixture
def relays(emulator: SushyEmulator, tmp_path: Path) -> Iterator[Relays]:
    with ExitStack() as stack:
        yield Relays(emulator, tmp_path, stack)


class TestContract(OobDriverContract):
    member = "redfish, sushy-tools"

    @pytest.fixture
    def meet(self, relays: Relays, emulator: SushyEmulator, bmc: BmcAccess, driver: RedfishDriver) -> Meet:
        def met(trouble: Trouble) -> tuple[OobDriver, BmcAccess]:
            if trouble is Trouble.WRONG_PASSWORD:
                return driver, replace(bmc, credential="battery-staple")
            if trouble is Trouble.UNKNOWN_SYSTEM:
                return driver, replace(bmc, parameters={"system": "e-none"})
            if trouble is Trouble.REFUSED:
                with socket.create_server(("127.0.0.1", 0)) as free:
                    port = free.getsockname()[1]
                return redfish_driver(endpoint=f"https://127.0.0.1:{port}", timeout=1), bmc
            relay = relays.start(**CERTIFICATES.get(trouble, {}))
            relay.fault = FAULTS.get(trouble, Fault.NONE)
            if trouble is Trouble.UNKNOWN_CA:
                return redfish_driver(endpoint=relay.url, ca_file=str(emulator.authority)), bmc
            return relays.driver(relay, timeout=0.4 if trouble is Trouble.SILENT else PATIENCE), bmc

        return met


def test_reads_what_the_emulator_shows(driver: RedfishDriver, bmc: BmcAccess) -> None:
    driver.set_boot_device(bmc, BootDevice.NETWORK, None)
    facts = driver.facts(bmc)
    assert facts.vendor == "Sushy Emulator"
    assert facts.nics is not None
    assert [nic.mac for nic in facts.nics] == [mac(int(bmc.node[1:]))]


def test_a_certificate_that_public_authorities_do_not_know(emulator: SushyEmulator, bmc: BmcAccess) -> None:
    with pytest.raises(DriverRefused, match="authority that is not known here: name the authority's file in ca_file"):
        redfish_driver(endpoint=emulator.url).power_state(bmc)
    assert redfish_driver(endpoint=emulator.url, verify_tls=False).power_state(bmc) is PowerState.OFF


def test_a_file_of_authorities_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("no certificate")
    for file in ("empty.pem", "missing.pem"):
        with pytest.raises(ConfigurationError, match="ca_file"):
            redfish_driver(ca_file=str(tmp_path / file))


def test_a_session_is_kept_and_renewed(relays: Relays, bmc: BmcAccess) -> None:
    relay = relays.start(sessions=4)
    driver = relays.driver(relay)
    for _ in range(5):
        assert driver.power_state(bmc) is PowerState.OFF
    relay.fault = Fault.BUSY
    with pytest.raises(DriverBusy):
        driver.power_state(bmc)
    relay.fault = Fault.NONE
    assert driver.power_state(bmc) is PowerState.OFF
    assert (relay.logins, len(relay.tokens)) == (1, 1), "one session, also across a busy answer"
    relay.tokens.clear()
    assert driver.power_state(bmc) is PowerState.OFF
    assert (relay.logins, len(relay.tokens)) == (2, 1), "the BMC had forgotten it"


def test_what_the_account_may_not_read_is_not_known(relays: Relays, bmc: BmcAccess) -> None:
    """And costs none of the sessions that the BMC has."""
    relay = relays.start(sessions=3)
    driver = relays.driver(relay)
    relay.forbidden = "/EthernetInterfaces"
    for _ in range(4):
        facts = driver.facts(bmc)
        assert (facts.vendor, facts.nics) == ("Sushy Emulator", None)
        assert len(relay.tokens) == 1
    relay.forbidden = f"/Systems/{bmc.parameters['system']}"
    for _ in range(4):
        with pytest.raises(DriverRefused, match="status 403"):
            driver.power_state(bmc)
    assert relay.tokens == {}


def test_a_wrong_password_is_tried_once(relays: Relays, bmc: BmcAccess) -> None:
    """A second login, with basic authentication, would lock the account sooner."""
    relay = relays.start(sessions=4)
    with pytest.raises(DriverRefused, match="credentials"):
        relays.driver(relay).power_state(replace(bmc, credential="battery-staple"))
    assert relay.logins == 1
    assert relay.count("GET", "Systems") == 0


def test_no_session_is_left_is_busy(relays: Relays, emulator: SushyEmulator, bmc: BmcAccess) -> None:
    relay = relays.start(sessions=1)
    driver = relays.driver(relay)
    driver.power_state(bmc)
    relay.tokens["another's"] = ""
    with pytest.raises(DriverBusy):
        relays.driver(relay).power_state(bmc)
    relay.tokens.pop("another's")
    assert driver.power_state(bmc) is PowerState.OFF


@pytest.mark.parametrize("status", [408, 409, 412, 425, 429])
def test_statuses_of_a_busy_bmc(relays: Relays, bmc: BmcAccess, status: int) -> None:
    relay = relays.start()
    relay.fault, relay.status = Fault.BUSY, status
    with pytest.raises(DriverBusy):
        relays.driver(relay).power_on(bmc)


@pytest.mark.parametrize(
    ("status", "message"), [(500, "SYS518: iDRAC is not ready"), (400, "iLO.2.14.InvalidOperationForSystemState")]
)
def test_vendors_words_for_busy(relays: Relays, bmc: BmcAccess, status: int, message: str) -> None:
    relay = relays.start()
    relay.fault, relay.status, relay.message = Fault.BUSY, status, message
    with pytest.raises(DriverBusy):
        relays.driver(relay).power_on(bmc)


def test_an_answer_that_trickles_ends_in_time(relays: Relays, bmc: BmcAccess) -> None:
    relay = relays.start()
    relay.fault = Fault.TRICKLE
    with pytest.raises(DriverUnavailable, match="did not answer in time"):
        relays.driver(relay, timeout=0.5).power_state(bmc)


def test_one_conversation_at_a_time(relays: Relays, bmc: BmcAccess) -> None:
    relay = relays.start()
    driver = relays.driver(relay)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: driver.power_state(bmc), range(16))) == {PowerState.OFF}
    assert relay.most_at_once == 1


def test_a_conversation_that_does_not_end_is_busy(relays: Relays, bmc: BmcAccess) -> None:
    relay = relays.start()
    relay.fault = Fault.SILENT
    driver = relays.driver(relay, timeout=1)
    with ThreadPoolExecutor(3) as pool:
        errors = [each.exception() for each in [pool.submit(driver.power_state, bmc) for _ in range(3)]]
    assert {type(error) for error in errors} <= {DriverBusy, DriverUnavailable}


def test_a_reset_is_sent_once(relays: Relays, bmc: BmcAccess) -> None:
    relay = relays.start()
    relay.fault = Fault.LIES
    driver = relays.driver(relay)
    for _ in range(4):
        assert driver.power_on(bmc).state is ProgressState.PENDING
    assert relay.count("POST", "ComputerSystem.Reset") == 1
    relay.fault = Fault.NONE
    assert driver.power_off(bmc).state is ProgressState.SUCCEEDED
    assert ends(lambda: driver.power_on(bmc)).state is ProgressState.SUCCEEDED


def test_500_bmcs_in_one_process(emulator: SushyEmulator, driver: RedfishDriver) -> None:
    machines = [access(emulator, f"e{number:03}") for number in range(100, 600)]
    with ThreadPoolExecutor(16) as pool:
        states = list(pool.map(driver.power_state, machines))
    assert states == [PowerState.OFF] * 500


def test_a_connection_too_many_ends_the_oldest_session(relays: Relays, emulator: SushyEmulator) -> None:
    relay = relays.start(sessions=9)
    options = RedfishOptions(relay.url, "", True, str(relays.authority.certificate), PATIENCE)
    connector = RedfishConnector(options, kept=2)
    for number in range(50, 56):
        with connector.system(access(emulator, f"e{number:03}"), "power_state"):
            pass
    assert (relay.logins, len(relay.tokens)) == (6, 2)


def test_the_boot_mode_is_chosen_with_the_device(driver: RedfishDriver, bmc: BmcAccess) -> None:
    for mode in (BootMode.BIOS, BootMode.UEFI):
        assert driver.set_boot_device(bmc, BootDevice.DISK, mode).state is ProgressState.SUCCEEDED
