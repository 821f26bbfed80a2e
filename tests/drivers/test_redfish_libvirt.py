"""The redfish driver against sushy-tools' emulator whose systems are QEMU machines of a real libvirtd."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from xml.etree import ElementTree as Xml

import pytest

from dev.peers import libvirt_python, packages
from dev.peers.libvirt_daemon import LibvirtDaemon
from dev.peers.sushy_emulator import SushyEmulator
from drydock.drivers.oob.base import BmcAccess, BootDevice, PowerState
from drydock.drivers.oob.redfish import RedfishDriver
from tests.drivers.oob_contract import OobDriverContract, ends
from tests.factories.drivers import redfish_driver
from tests.real_peers import libvirt_daemon

NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LibvirtDaemon]:
    with libvirt_daemon(tmp_path_factory.mktemp("libvirt")) as running:
        yield running


@pytest.fixture(scope="module")
def emulator(daemon: LibvirtDaemon, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SushyEmulator]:
    try:
        python = libvirt_python.ensure()
    except packages.Unavailable as error:
        pytest.skip(f"libvirt-python cannot be had: {error}")
    with SushyEmulator.libvirt(tmp_path_factory.mktemp("bmc"), daemon.uri, python=python) as running:
        yield running


@pytest.fixture
def driver(emulator: SushyEmulator) -> RedfishDriver:
    return redfish_driver(endpoint=emulator.url, ca_file=str(emulator.authority), timeout=20)


@pytest.fixture
def bmc(daemon: LibvirtDaemon, emulator: SushyEmulator) -> Iterator[BmcAccess]:
    name = f"q{next(NUMBERS):03}"
    identity = daemon.define(name)
    daemon.run("attach-disk", name, "", "sdb", "--type", "cdrom", "--targetbus", "scsi", "--config")
    yield BmcAccess(name, "redfish", None, *emulator.auth, parameters={"system": identity})
    if daemon.run("domstate", name) == "running":
        daemon.run("destroy", name)
    daemon.run("undefine", name)


class TestContract(OobDriverContract):
    member = "redfish, sushy-tools, libvirtd"
    not_offered = frozenset({BootDevice.UEFI_HTTP})

    def test_the_machine_is_switched(self, daemon: LibvirtDaemon, driver: RedfishDriver, bmc: BmcAccess) -> None:
        driver.set_boot_device(bmc, BootDevice.NETWORK, None)
        ends(lambda: driver.power_on(bmc))
        assert daemon.run("domstate", bmc.node) == "running"
        devices = Xml.fromstring(daemon.run("dumpxml", bmc.node)).iterfind("devices/*")  # noqa: S314 - libvirtd's
        assert [device.tag for device in devices if device.find("boot[@order='1']") is not None] == ["interface"]
        ends(lambda: driver.power_off(bmc))
        assert daemon.run("domstate", bmc.node) == "shut off"
        assert driver.power_state(bmc) is PowerState.OFF
