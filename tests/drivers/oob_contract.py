"""What every out-of-band driver promises. A member provides ``driver`` and ``bmc``, a machine that is off."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from drydock.drivers.oob.base import Bmc, BootDevice, OobDriver, PowerState
from tests.eventually import eventually


def wait_for_power(driver: OobDriver, bmc: Bmc, wanted: PowerState) -> None:
    eventually(lambda: driver.power_state(bmc), lambda state: state is wanted)


class OobDriverContract:
    def test_has_its_name(self, driver: OobDriver) -> None:
        assert driver.name

    def test_powers_on_and_off(self, driver: OobDriver, bmc: Bmc) -> None:
        assert driver.power_state(bmc) is PowerState.OFF
        driver.power_on(bmc)
        wait_for_power(driver, bmc, PowerState.ON)
        driver.power_off(bmc)
        wait_for_power(driver, bmc, PowerState.OFF)

    def test_power_verbs_may_be_repeated(self, driver: OobDriver, bmc: Bmc) -> None:
        driver.power_off(bmc)
        assert driver.power_state(bmc) is PowerState.OFF
        driver.power_on(bmc)
        driver.power_on(bmc)
        wait_for_power(driver, bmc, PowerState.ON)
        driver.power_on(bmc)
        assert driver.power_state(bmc) is PowerState.ON

    @pytest.mark.parametrize("before", list(PowerState))
    def test_power_cycle_ends_on(self, driver: OobDriver, bmc: Bmc, before: PowerState) -> None:
        if before is PowerState.ON:
            driver.power_on(bmc)
            wait_for_power(driver, bmc, PowerState.ON)
        driver.power_cycle(bmc)
        wait_for_power(driver, bmc, PowerState.ON)
        assert driver.power_state(bmc) is PowerState.ON

    @pytest.mark.parametrize("persistent", [False, True])
    @pytest.mark.parametrize("device", list(BootDevice))
    def test_sets_each_boot_device_twice(
        self, driver: OobDriver, bmc: Bmc, device: BootDevice, persistent: bool
    ) -> None:
        driver.set_boot_device(bmc, device, persistent=persistent)
        driver.set_boot_device(bmc, device, persistent=persistent)
        assert driver.power_state(bmc) is PowerState.OFF

    def test_interrogates(self, driver: OobDriver, bmc: Bmc) -> None:
        inventory = driver.interrogate(bmc)
        assert {"model", "serial_number", "memory_gib", "cpu_count", "macs"} <= set(inventory)
        assert all(len(mac.split(":")) == 6 for mac in inventory["macs"])
        assert inventory["macs"]

    def test_serves_many_threads(self, driver: OobDriver, bmc: Bmc) -> None:
        with ThreadPoolExecutor(8) as pool:
            states = list(pool.map(lambda _: driver.power_state(bmc), range(24)))
        assert set(states) == {PowerState.OFF}
