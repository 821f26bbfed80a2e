"""What every out-of-band driver promises. A member provides ``driver`` and ``bmc``, a machine that is off; and
``meet``, which gives a driver and a machine in a given trouble, if its peer can be brought into it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum

import pytest

from drydock.drivers.oob.base import BmcAccess, BootDevice, BootMode, OobDriver, PowerState
from drydock.drivers.progress import Progress, ProgressState
from drydock.errors import DriverBusy, DriverError, DriverRefused, DriverUnavailable
from drydock.model.hardware_facts import DiskFacts, HardwareFacts, NicFacts
from tests.contract_matrix import Contract
from tests.eventually import eventually

#: A BIOS has no boot over HTTP.
BOOTS = [
    (device, mode)
    for device in BootDevice
    for mode in (None, *BootMode)
    if (device, mode) != (BootDevice.UEFI_HTTP, BootMode.BIOS)
]


class Trouble(StrEnum):
    WRONG_PASSWORD = "wrong password"
    UNKNOWN_SYSTEM = "unknown system"
    REFUSED = "connection refused"
    SILENT = "silent"
    SLOW = "slow"
    BUSY = "busy"
    LIES = "lies about its power"
    RESET = "reset in the middle"
    UNKNOWN_CA = "TLS unknown CA"
    WRONG_NAME = "TLS wrong name"
    EXPIRED = "TLS expired"


#: What every verb raises, and a word that the message has.
RAISED: dict[Trouble, tuple[type[DriverError], str]] = {
    Trouble.WRONG_PASSWORD: (DriverRefused, "credentials"),
    Trouble.UNKNOWN_SYSTEM: (DriverRefused, "no such"),
    Trouble.REFUSED: (DriverUnavailable, ""),
    Trouble.SILENT: (DriverUnavailable, "did not answer"),
    Trouble.BUSY: (DriverBusy, ""),
    Trouble.RESET: (DriverUnavailable, ""),
    Trouble.UNKNOWN_CA: (DriverRefused, "authority"),
    Trouble.WRONG_NAME: (DriverRefused, "for the address or name"),
    Trouble.EXPIRED: (DriverRefused, "expired"),
}
Meet = Callable[[Trouble], tuple[OobDriver, BmcAccess]]
VERBS: dict[str, Callable[[OobDriver, BmcAccess], object]] = {
    "power_state": lambda driver, bmc: driver.power_state(bmc),
    "power_on": lambda driver, bmc: driver.power_on(bmc),
    "power_off": lambda driver, bmc: driver.power_off(bmc),
    "set_boot_device": lambda driver, bmc: driver.set_boot_device(bmc, BootDevice.NETWORK, None),
    "facts": lambda driver, bmc: driver.facts(bmc),
}
#: The troubles' timeouts are below 10 s; the rest is for a machine that is busy with other tests.
LONGEST_SECONDS = 20.0
PENDING, SUCCEEDED = ProgressState.PENDING, ProgressState.SUCCEEDED


def wait_for_power(driver: OobDriver, bmc: BmcAccess, wanted: PowerState) -> None:
    eventually(lambda: driver.power_state(bmc), lambda state: state is wanted)


def ends(verb: Callable[[], Progress]) -> Progress:
    """Repeat a verb as a step does, until it is not pending."""
    return eventually(verb, lambda progress: progress.state is not PENDING)


class OobDriverContract(Contract):
    family = "out-of-band drivers"
    #: Boot devices that the driver can choose and this peer does not offer.
    not_offered: frozenset[BootDevice] = frozenset()

    @pytest.fixture
    def switched(self, driver: OobDriver) -> OobDriver:
        """A driver that switches machines itself."""
        if driver.capabilities.by_hand:
            pytest.skip("a person switches the machine")
        return driver

    @pytest.fixture
    def meet(self) -> Meet:
        pytest.skip("this peer is brought into no trouble")

    @pytest.mark.parametrize("trouble", RAISED, ids=str)
    def test_meets(self, meet: Meet, trouble: Trouble, caplog: pytest.LogCaptureFixture) -> None:
        """Every verb, twice: the error's class, in time, with the node's name and without the credential."""
        driver, bmc = meet(trouble)
        kind, word = RAISED[trouble]
        caplog.set_level(logging.DEBUG)
        for name, verb in VERBS.items():
            for _ in range(2):
                began = time.monotonic()
                with pytest.raises(kind) as caught:
                    verb(driver, bmc)
                assert time.monotonic() - began < LONGEST_SECONDS
                assert str(caught.value).startswith(f"{bmc.node}: {name}: ")
                assert word in str(caught.value)
                assert isinstance(caught.value, DriverBusy) is (kind is DriverBusy)
                assert bmc.credential not in str(caught.value)
        assert bmc.credential not in caplog.text + repr(bmc)

    def test_waits_for_one_that_is_slow(self, meet: Meet) -> None:
        driver, bmc = meet(Trouble.SLOW)
        assert driver.power_state(bmc) is PowerState.OFF

    def test_does_not_believe_one_that_lies_about_its_power(self, meet: Meet) -> None:
        """It accepts the request, and the machine stays off."""
        driver, bmc = meet(Trouble.LIES)
        for _ in range(3):
            progress = driver.power_on(bmc)
            assert progress.state is PENDING
            assert progress.reason
        assert driver.power_state(bmc) is PowerState.OFF

    def test_has_its_name(self, driver: OobDriver) -> None:
        assert driver.name

    def test_powers_on_and_off(self, switched: OobDriver, bmc: BmcAccess) -> None:
        assert switched.power_state(bmc) is PowerState.OFF
        assert ends(lambda: switched.power_on(bmc)).state is SUCCEEDED
        assert switched.power_state(bmc) is PowerState.ON
        assert ends(lambda: switched.power_off(bmc)).state is SUCCEEDED
        assert switched.power_state(bmc) is PowerState.OFF

    def test_finds_its_work_done(self, switched: OobDriver, bmc: BmcAccess) -> None:
        """Off again, on again."""
        assert switched.power_off(bmc).state is SUCCEEDED
        assert ends(lambda: switched.power_on(bmc)).state is SUCCEEDED
        assert switched.power_on(bmc).state is SUCCEEDED
        assert switched.power_state(bmc) is PowerState.ON

    def test_says_what_it_waits_for(self, switched: OobDriver, bmc: BmcAccess) -> None:
        for progress in (switched.power_on(bmc), switched.power_on(bmc)):
            assert progress.state is SUCCEEDED or (progress.state is PENDING and progress.reason)
        wait_for_power(switched, bmc, PowerState.ON)

    def test_asks_a_person_and_believes_nothing(self, driver: OobDriver, bmc: BmcAccess) -> None:
        if not driver.capabilities.by_hand:
            pytest.skip("the driver switches machines itself")
        assert driver.power_state(bmc) is PowerState.UNKNOWN
        for verb in (driver.power_on, driver.power_off):
            progress = verb(bmc)
            assert progress.state is PENDING
            assert bmc.node in progress.reason
            assert verb(bmc) == progress

    @pytest.mark.parametrize(("device", "mode"), BOOTS)
    def test_sets_the_boot_device_twice(
        self, switched: OobDriver, bmc: BmcAccess, device: BootDevice, mode: BootMode | None
    ) -> None:
        capabilities = switched.capabilities
        if device not in capabilities.boot_devices or (mode is not None and mode not in capabilities.boot_modes):
            pytest.skip("not one of the driver's capabilities")
        if device in self.not_offered:
            with pytest.raises(DriverRefused):
                switched.set_boot_device(bmc, device, mode)
            pytest.skip("refused: the peer does not offer it")
        for _ in range(2):
            assert ends(lambda: switched.set_boot_device(bmc, device, mode)).state is SUCCEEDED
        assert switched.power_state(bmc) is PowerState.OFF

    def test_tells_what_it_knows_of_the_machine(self, switched: OobDriver, bmc: BmcAccess) -> None:
        """Not every protocol knows everything; what is known is of the schema's types."""
        facts = switched.facts(bmc)
        assert switched.facts(bmc) == facts
        assert facts != HardwareFacts()
        assert all(isinstance(nic, NicFacts) for nic in facts.nics or ())
        assert all(len(nic.mac.split(":")) == 6 for nic in facts.nics or ())
        assert all(nic.mac == nic.mac.lower() for nic in facts.nics or ())
        assert all(isinstance(disk, DiskFacts) for disk in facts.disks or ())

    def test_serves_many_threads(self, switched: OobDriver, bmc: BmcAccess) -> None:
        with ThreadPoolExecutor(8) as pool:
            states = list(pool.map(lambda _: switched.power_state(bmc), range(24)))
        assert set(states) == {PowerState.OFF}
