"""The ipmi driver against BMCs that others wrote: OpenIPMI's simulator in C, and pyghmi's own BMCs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from dev.peers.ipmi_sim import IpmiSim, free_udp_ports
from dev.peers.pyghmi_bmc import PyghmiBmcs
from drydock.drivers.oob.base import BmcAccess, BootDevice, BootMode, OobDriver, PowerState
from drydock.drivers.progress import ProgressState
from drydock.errors import ConfigurationError, DriverBusy, DriverRefused, DriverUnavailable
from tests.drivers.oob_contract import Meet, OobDriverContract, Trouble, ends
from tests.drivers.udp_relay import UdpRelay

pytest.importorskip("pyghmi", reason="pyghmi, the extra 'ipmi', is not installed")

from drydock.drivers.oob.ipmi import IpmiDriver
from tests.factories.drivers import ipmi_driver
from tests.real_peers import ipmi_sim

SIMULATED = 48
SERVED = 160
RELAYS: dict[Trouble, dict[str, float]] = {
    Trouble.SILENT: {"after": 0},
    Trouble.SLOW: {"delay": 0.15},
    #: In the middle of the login.
    Trouble.RESET: {"after": 2},
}


@pytest.fixture(scope="module")
def sim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IpmiSim]:
    with ipmi_sim(tmp_path_factory.mktemp("ipmi"), count=SIMULATED) as running:
        yield running


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PyghmiBmcs]:
    with PyghmiBmcs(tmp_path_factory.mktemp("pyghmi"), count=SERVED) as running:
        yield running


@pytest.fixture(scope="module")
def unused() -> Iterator[int]:
    return iter(range(SIMULATED))


@pytest.fixture(scope="module")
def unserved() -> Iterator[int]:
    return iter(range(SERVED))


@pytest.fixture
def driver() -> IpmiDriver:
    return ipmi_driver(timeout=10)


def access(name: str, port: int, user: str, password: str) -> BmcAccess:
    return BmcAccess(name, "ipmi", "127.0.0.1", user, password, {"port": str(port)})


Spoil = Callable[[BmcAccess, Trouble], None]


class IpmiContract(OobDriverContract):
    @pytest.fixture
    def spoil(self) -> Spoil:
        """Bring the peer itself into a trouble."""
        raise NotImplementedError

    @pytest.fixture
    def meet(self, driver: IpmiDriver, bmc: BmcAccess, spoil: Spoil) -> Iterator[Meet]:
        with ExitStack() as stack:

            def met(trouble: Trouble) -> tuple[OobDriver, BmcAccess]:
                port = int(bmc.parameters["port"])
                if trouble is Trouble.WRONG_PASSWORD:
                    return driver, replace(bmc, credential="battery-staple")
                if trouble is Trouble.REFUSED:
                    (port,) = free_udp_ports(1)
                    return ipmi_driver(timeout=0.25), replace(bmc, parameters={"port": str(port)})
                if trouble in RELAYS:
                    relay = stack.enter_context(UdpRelay(port, **RELAYS[trouble]))  # type: ignore[arg-type]
                    quick = ipmi_driver(timeout=10 if trouble is Trouble.SLOW else 0.25)
                    return quick, replace(bmc, parameters={"port": str(relay.port)})
                spoil(bmc, trouble)
                return driver, bmc

            yield met


class TestOpenIpmi(IpmiContract):
    member = "ipmi, ipmi_sim"

    @pytest.fixture
    def bmc(self, sim: IpmiSim, unused: Iterator[int]) -> BmcAccess:
        number = next(unused)
        bmc = sim.bmcs[number]
        return access(f"i{number:03}", bmc.port, bmc.user, bmc.password)

    @pytest.fixture
    def spoil(self, sim: IpmiSim) -> Spoil:
        def spoiled(bmc: BmcAccess, trouble: Trouble) -> None:
            if trouble is not Trouble.LIES:
                pytest.skip(f"IPMI has no {trouble}, or ipmi_sim does not show it")
            peer = next(each for each in sim.bmcs if str(each.port) == bmc.parameters["port"])
            (peer.directory / "stuck").touch()

        return spoiled

    def test_the_chassis_is_switched(self, sim: IpmiSim, driver: IpmiDriver, bmc: BmcAccess) -> None:
        peer = next(each for each in sim.bmcs if str(each.port) == bmc.parameters["port"])
        ends(lambda: driver.power_on(bmc))
        assert peer.power == "on"
        driver.set_boot_device(bmc, BootDevice.NETWORK, BootMode.UEFI)
        assert peer.boot_device == "pxe"
        driver.set_boot_device(bmc, BootDevice.VIRTUAL_CD, None)
        assert peer.boot_device == "cdrom"
        ends(lambda: driver.power_off(bmc))
        assert peer.power == "off"

    def test_an_account_that_does_not_exist(self, driver: IpmiDriver, bmc: BmcAccess) -> None:
        with pytest.raises(DriverRefused, match="credentials"):
            driver.power_state(replace(bmc, account="stranger"))


class TestPyghmi(IpmiContract):
    member = "ipmi, pyghmi's BMC"

    @pytest.fixture
    def bmc(self, served: PyghmiBmcs, unserved: Iterator[int]) -> BmcAccess:
        number = next(unserved)
        return access(f"p{number:03}", served.ports[number], served.user, served.password)

    @pytest.fixture
    def spoil(self, served: PyghmiBmcs) -> Spoil:
        def spoiled(bmc: BmcAccess, trouble: Trouble) -> None:
            if trouble not in (Trouble.LIES, Trouble.BUSY):
                pytest.skip(f"IPMI has no {trouble}")
            served.spoil(int(bmc.parameters["port"]), "stuck" if trouble is Trouble.LIES else "busy")

        return spoiled


def test_many_bmcs_at_once(served: PyghmiBmcs, driver: IpmiDriver) -> None:
    machines = [
        access(f"p{number:03}", served.ports[number], served.user, served.password) for number in range(60, 160)
    ]
    began = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(driver.power_state, machines)) == [PowerState.OFF] * 100
    assert time.monotonic() - began < 60


def test_one_conversation_at_a_time(served: PyghmiBmcs, driver: IpmiDriver) -> None:
    """While a BMC is silent, another verb waits and is busy; other BMCs answer."""
    with UdpRelay(served.ports[59], after=0) as relay, ThreadPoolExecutor(2) as pool:
        silent = access("p059", relay.port, served.user, served.password)
        impatient = ipmi_driver(timeout=0.5)
        first = pool.submit(impatient.power_state, silent)
        second = pool.submit(impatient.power_state, silent)
        other = access("p058", served.ports[58], served.user, served.password)
        assert driver.power_state(other) is PowerState.OFF
        kinds = {type(each.exception()) for each in (first, second)}
    assert kinds <= {DriverBusy, DriverUnavailable}


@pytest.mark.parametrize("number", [1, 4, 6, 7, 9, 12])
def test_a_lost_packet_is_sent_again(served: PyghmiBmcs, number: int) -> None:
    """Of the login, of the commands, of either side."""
    with UdpRelay(served.ports[57], lost=number) as relay:
        bmc = access("p057", relay.port, served.user, served.password)
        assert ends(lambda: ipmi_driver(timeout=10).power_on(bmc)).state is ProgressState.SUCCEEDED
    assert served.power(served.ports[57]) == "on"


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"account": "a" * 17}, "up to 16 bytes"),
        ({"credential": "correct-horse-battery-staple"}, "up to 20 bytes"),
        ({"address": None}, "no address"),
        ({"parameters": {"port": "many"}}, "oob.port must be a port"),
        ({"parameters": {"timeout": "soon"}}, "oob.timeout must be"),
    ],
)
def test_what_a_design_says_and_cannot_work(driver: IpmiDriver, wrong: dict[str, object], reason: str) -> None:
    bmc = replace(access("n01", 623, "admin", "secret-horse"), **wrong)  # type: ignore[arg-type]
    with pytest.raises(DriverRefused, match=reason) as caught:
        driver.power_on(bmc)
    assert str(caught.value).startswith("n01: power_on: ")
    assert bmc.credential not in str(caught.value)


@pytest.mark.parametrize("options", [{"port": 0}, {"timeout": 0}, {"speed": 1}, {"port": "623"}])
def test_bad_options_stop_the_start(options: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="ipmi"):
        ipmi_driver(**options)


def test_answers_without_data_are_not_understood(served: PyghmiBmcs, driver: IpmiDriver) -> None:
    bmc = access("p056", served.ports[56], served.user, served.password)
    served.spoil(served.ports[56], "short")
    for ask in (
        driver.power_state,
        driver.power_on,
        lambda bmc: driver.set_boot_device(bmc, BootDevice.NETWORK, None),
        driver.facts,
    ):
        with pytest.raises(DriverUnavailable, match=r"p056: .*the BMC's answer is not understood"):
            ask(bmc)


def test_sockets_are_closed(served: PyghmiBmcs, driver: IpmiDriver) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        driver.power_state(access("p055", served.ports[55], served.user, served.password))
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
