"""pyghmi's own BMCs, asked by its client and by ipmitool."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.peers import packages
from dev.peers.ipmi_sim import Bmc, IpmiSim
from dev.peers.pyghmi_bmc import PyghmiBmcs

command = pytest.importorskip("pyghmi.ipmi.command", reason="pyghmi, the extra 'ipmi', is not installed")


@pytest.fixture(scope="module")
def bmcs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PyghmiBmcs]:
    with PyghmiBmcs(tmp_path_factory.mktemp("pyghmi"), count=20) as running:
        yield running


def test_its_own_client_switches_one_on(bmcs: PyghmiBmcs) -> None:
    port = bmcs.ports[7]
    client = command.Command(bmcs.host, bmcs.user, bmcs.password, port=port)
    try:
        assert client.get_power() == {"powerstate": "off"}
        assert client.set_power("on", wait=True) == {"powerstate": "on"}
        client.set_bootdev("network")
        assert client.get_bootdev()["bootdev"] == "network"
    finally:
        client.ipmi_session.logout()
    assert (bmcs.power(port), bmcs.boot_device(port)) == ("on", "network")
    assert bmcs.power(bmcs.ports[8]) == "off"


def test_ipmitool_switches_one_on(bmcs: PyghmiBmcs, tmp_path: Path) -> None:
    try:
        client = IpmiSim(tmp_path, count=0)
    except packages.Unavailable as error:
        pytest.skip(f"needs Debian's ipmitool: {error}")
    bmc = Bmc(bmcs.ports[9], bmcs.user, bmcs.password, tmp_path)
    assert client.run(bmc, "power", "on").returncode == 0
    assert client.run(bmc, "power", "status").stdout == "Chassis Power is on\n"
    assert client.run(bmc, "power", "off", password="wrong").returncode == 1
    assert bmcs.power(bmcs.ports[9]) == "on"
