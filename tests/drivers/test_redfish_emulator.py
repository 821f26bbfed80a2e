"""The redfish driver against BMCs that others wrote: sushy-tools' emulator with its fake systems."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from drydock.drivers.oob.base import BmcAccess, BootDevice
from drydock.drivers.oob.redfish import RedfishDriver
from drydock.errors import DriverRefused
from tests.drivers.oob_contract import OobDriverContract
from tests.eventually import eventually

pytest.importorskip("sushy_tools", reason="sushy-tools, the extra 'simulator', is not installed")

SYSTEMS = 32
LAUNCHER = """
import sys, types
from sushy_tools.emulator.resources.systems import fakedriver
# Power changes take 1 to 11 s, drawn through this name.
fakedriver.random = types.SimpleNamespace(randint=lambda low, high: 0)
from sushy_tools.emulator.main import main
sys.exit(main())
"""


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("emulator")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = directory / "emulator.conf"
    config.write_text(_config(directory, port))
    command = [sys.executable, "-c", LAUNCHER, "--config", str(config)]
    log = (directory / "log").open("w")
    with log, subprocess.Popen(command, stdout=log, stderr=log, env=dict(os.environ)) as process:
        try:
            eventually(lambda: _listens(port), bool)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _config(directory: Path, port: int) -> str:
    systems = [
        {
            "uuid": str(uuid.uuid5(uuid.NAMESPACE_DNS, f"e{number:02}")),
            "name": f"e{number:02}",
            "power_state": "Off",
            "external_notifier": False,
            "nics": [{"mac": f"00:5C:52:31:3A:{number:02X}", "ip": "172.22.0.100"}],
        }
        for number in range(SYSTEMS)
    ]
    return (
        f"SUSHY_EMULATOR_LISTEN_IP = '127.0.0.1'\nSUSHY_EMULATOR_LISTEN_PORT = {port}\n"
        f"SUSHY_EMULATOR_FAKE_DRIVER = True\nSUSHY_EMULATOR_STATE_DIR = {str(directory / 'state')!r}\n"
        f"SUSHY_EMULATOR_FAKE_SYSTEMS = {systems!r}\n"
    )


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def unused() -> Iterator[int]:
    return iter(range(SYSTEMS))


@pytest.fixture
def driver(emulator: str) -> RedfishDriver:
    return RedfishDriver(endpoint=emulator, system="/redfish/v1/Systems/{node}", timeout=10)


@pytest.fixture
def bmc(unused: Iterator[int]) -> BmcAccess:
    return BmcAccess(node=f"e{next(unused):02}", type="redfish", address=None, account="admin", credential="anything")


class TestContract(OobDriverContract):
    member = "redfish, sushy-tools"


def test_reads_what_the_emulator_shows(driver: RedfishDriver, bmc: BmcAccess) -> None:
    driver.set_boot_device(bmc, BootDevice.NETWORK, None)
    facts = driver.facts(bmc)
    assert facts.vendor == "Sushy Emulator"
    assert facts.nics is not None
    assert [nic.mac for nic in facts.nics] == [f"00:5c:52:31:3a:{int(bmc.node[1:]):02x}"]


def test_a_system_it_does_not_have(driver: RedfishDriver) -> None:
    with pytest.raises(DriverRefused, match="no such system"):
        driver.power_on(BmcAccess("e99", "redfish", None, "admin", "anything"))
