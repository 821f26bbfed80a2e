"""The manual driver: the contract, and what a person is asked for."""

from __future__ import annotations

import pytest

from drydock.drivers.oob.base import BmcAccess, BootDevice, PowerState
from drydock.drivers.oob.manual import ManualDriver
from drydock.drivers.progress import ProgressState
from drydock.drivers.registry import load_oob_drivers
from drydock.errors import ConfigurationError, DriverRefused
from drydock.model.hardware_facts import HardwareFacts
from tests.drivers.oob_contract import OobDriverContract

BMC = BmcAccess("n01", "manual", None)


class TestContract(OobDriverContract):
    member = "manual"

    @pytest.fixture
    def driver(self) -> ManualDriver:
        return ManualDriver()

    @pytest.fixture
    def bmc(self, name: str) -> BmcAccess:
        return BmcAccess(name, "manual", None)


def test_what_a_person_is_to_do() -> None:
    driver = load_oob_drivers(["manual"], lambda name: {})["manual"]
    asked = [driver.power_on(BMC), driver.power_off(BMC), driver.set_boot_device(BMC, BootDevice.NETWORK, None)]
    assert {progress.state for progress in asked} == {ProgressState.PENDING}
    assert [progress.reason for progress in asked] == [
        "switch n01 on, then confirm",
        "switch n01 off, then confirm",
        "have n01 boot from the network, then confirm",
    ]


def test_nothing_is_believed() -> None:
    driver = ManualDriver()
    driver.power_on(BMC)
    assert driver.power_state(BMC) is PowerState.UNKNOWN
    assert driver.facts(BMC) == HardwareFacts()


def test_other_boot_devices_are_refused() -> None:
    assert ManualDriver.capabilities.boot_devices == {BootDevice.NETWORK}
    with pytest.raises(DriverRefused, match=r"^n01: set_boot_device: "):
        ManualDriver().set_boot_device(BMC, BootDevice.DISK, None)


def test_it_has_no_options() -> None:
    with pytest.raises(ConfigurationError, match="manual"):
        ManualDriver.from_options({"phone": "555"})
