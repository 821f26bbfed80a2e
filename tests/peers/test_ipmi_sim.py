"""OpenIPMI's BMCs, asked by ipmitool and by pyghmi."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from dev.peers.ipmi_sim import IpmiSim
from tests.real_peers import ipmi_sim


@pytest.fixture(scope="module")
def sim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IpmiSim]:
    with ipmi_sim(tmp_path_factory.mktemp("ipmi"), count=4) as running:
        yield running


def test_power_and_boot_device_of_one_bmc(sim: IpmiSim) -> None:
    first, second = sim.bmcs[:2]
    assert sim.run(first, "power", "status").stdout == "Chassis Power is off\n"
    assert sim.run(first, "power", "on").returncode == 0
    assert sim.run(first, "power", "status").stdout == "Chassis Power is on\n"
    assert (first.power, second.power) == ("on", "off")
    sim.run(first, "chassis", "bootdev", "pxe")
    assert first.boot_device == "pxe"
    assert "Force PXE" in sim.run(first, "chassis", "bootparam", "get", "5").stdout
    sim.run(first, "power", "soft")
    assert first.power == "off"


def test_a_wrong_password_is_refused(sim: IpmiSim) -> None:
    refused = sim.run(sim.bmcs[2], "power", "on", password="wrong")
    assert refused.returncode == 1
    assert sim.bmcs[2].power == "off"


def test_pyghmi_switches_it_on(sim: IpmiSim) -> None:
    command = pytest.importorskip("pyghmi.ipmi.command", reason="pyghmi is not installed")
    bmc = sim.bmcs[3]
    client = command.Command("127.0.0.1", bmc.user, bmc.password, port=bmc.port)
    try:
        assert client.get_power() == {"powerstate": "off"}
        assert client.set_power("on", wait=True) == {"powerstate": "on"}
    finally:
        client.ipmi_session.logout()
    assert bmc.power == "on"


def test_it_stops_and_starts_again_as_it_was(sim: IpmiSim) -> None:
    bmc = sim.bmcs[1]
    sim.run(bmc, "power", "on")
    sim.stop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", bmc.port))
    sim.start()
    assert sim.run(bmc, "power", "status").stdout == "Chassis Power is on\n"
