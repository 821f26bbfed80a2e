"""What every out-of-band driver promises. A member provides ``driver`` and ``bmc``, a machine that is off."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from drydock.drivers.oob.base import BmcAccess, BootDevice, BootMode, OobDriver, PowerState
from drydock.drivers.progress import Progress, ProgressState
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
PENDING, SUCCEEDED = ProgressState.PENDING, ProgressState.SUCCEEDED


def wait_for_power(driver: OobDriver, bmc: BmcAccess, wanted: PowerState) -> None:
    eventually(lambda: driver.power_state(bmc), lambda state: state is wanted)


def ends(verb: Callable[[], Progress]) -> Progress:
    """Repeat a verb as a step does, until it is not pending."""
    return eventually(verb, lambda progress: progress.state is not PENDING)


class OobDriverContract(Contract):
    family = "out-of-band drivers"

    @pytest.fixture
    def switched(self, driver: OobDriver) -> OobDriver:
        """A driver that switches machines itself."""
        if driver.capabilities.by_hand:
            pytest.skip("a person switches the machine")
        return driver

    def test_has_its_name(self, driver: OobDriver) -> None:
        assert driver.name

    def test_powers_on_and_off(self, switched: OobDriver, bmc: BmcAccess) -> None:
        assert switched.power_state(bmc) is PowerState.OFF
        assert ends(lambda: switched.power_on(bmc)).state is SUCCEEDED
        assert switched.power_state(bmc) is PowerState.ON
        assert ends(lambda: switched.power_off(bmc)).state is SUCCEEDED
        assert switched.power_state(bmc) is PowerState.OFF

    def test_finds_its_work_done(self, switched: OobDriver, bmc: BmcAccess) -> None:
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
        for _ in range(2):
            assert ends(lambda: switched.set_boot_device(bmc, device, mode)).state is SUCCEEDED
        assert switched.power_state(bmc) is PowerState.OFF

    def test_tells_what_it_knows_of_the_machine(self, switched: OobDriver, bmc: BmcAccess) -> None:
        """Not every protocol knows everything; what is known is of the schema's types."""
        facts = switched.facts(bmc)
        assert facts != HardwareFacts()
        assert all(isinstance(nic, NicFacts) for nic in facts.nics or ())
        assert all(len(nic.mac.split(":")) == 6 for nic in facts.nics or ())
        assert all(nic.mac == nic.mac.lower() for nic in facts.nics or ())
        assert all(isinstance(disk, DiskFacts) for disk in facts.disks or ())

    def test_serves_many_threads(self, switched: OobDriver, bmc: BmcAccess) -> None:
        with ThreadPoolExecutor(8) as pool:
            states = list(pool.map(lambda _: switched.power_state(bmc), range(24)))
        assert set(states) == {PowerState.OFF}
