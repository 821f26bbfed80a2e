"""The libvirt driver against libvirt's test driver, and against a real libvirtd with QEMU machines, over TLS."""

from __future__ import annotations

import itertools
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dev.peers.certificates import Authority
from dev.peers.libvirt_daemon import LibvirtDaemon
from dev.ports import free_port
from drydock.drivers.oob.base import BmcAccess, BootDevice, OobDriver, PowerState
from drydock.drivers.progress import ProgressState
from drydock.errors import ConfigurationError, DriverRefused, DriverUnavailable
from tests.drivers import libvirt_module
from tests.drivers.oob_contract import Meet, OobDriverContract, Trouble, ends
from tests.drivers.tcp_relay import TcpRelay
from tests.factories.drivers import libvirt_driver
from tests.no_threads import no_more_threads
from tests.real_peers import libvirt_daemon

NUMBERS = itertools.count(1)
#: With all that can be booted from, and the order on the devices.
DOMAIN = """\
<domain type='test'>
  <name>{name}</name>
  <memory unit='GiB'>2</memory>
  <vcpu>2</vcpu>
  <os><type arch='x86_64'>hvm</type></os>
  <devices>
    <disk type='file' device='disk'>
      <source file='/nowhere'/><target dev='sda' bus='scsi'/><serial>S1</serial><boot order='1'/>
    </disk>
    <disk type='file' device='cdrom'><target dev='sdb' bus='scsi'/></disk>
    <interface type='network'>
      <mac address='52:54:00:00:0A:01'/><source network='default'/><boot order='2'/>
    </interface>
  </devices>
</domain>
"""
TROUBLES: dict[Trouble, dict[str, Any]] = {
    Trouble.SILENT: {"after": 0},
    Trouble.SLOW: {"delay": 0.05},
    Trouble.RESET: {"after": 1000},
}


@pytest.fixture(scope="module")
def libvirt() -> Any:
    return libvirt_module.load()


@pytest.fixture(scope="module")
def make(libvirt: Any) -> Any:
    """Makes a driver; its module can be imported now."""
    return libvirt_driver


@pytest.fixture(scope="module")
def hypervisor(libvirt: Any) -> Any:
    """Of this process only: a double, not a peer."""
    return libvirt.open("test:///default")


def defined(hypervisor: Any, libvirt: Any, name: str) -> str:
    return str(hypervisor.lookupByName(name).XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))


class TestDouble(OobDriverContract):
    member = "libvirt, test:///"

    @pytest.fixture
    def driver(self, make: Any) -> OobDriver:
        return make(uri="test:///default")  # type: ignore[no-any-return]

    @pytest.fixture
    def bmc(self, hypervisor: Any) -> BmcAccess:
        name = f"t{next(NUMBERS):03}"
        hypervisor.defineXML(DOMAIN.format(name=name))
        return BmcAccess(name, "libvirt", None)

    @pytest.fixture
    def meet(self, driver: OobDriver, bmc: BmcAccess) -> Meet:
        def met(trouble: Trouble) -> tuple[OobDriver, BmcAccess]:
            if trouble is not Trouble.UNKNOWN_SYSTEM:
                pytest.skip("test:/// has no network")
            return driver, replace(bmc, node="stranger", credential="battery-staple")

        return met

    def test_boots_once(self, driver: OobDriver, bmc: BmcAccess, hypervisor: Any, libvirt: Any) -> None:
        before = defined(hypervisor, libvirt, bmc.node)
        driver.set_boot_device(bmc, BootDevice.NETWORK, None)
        asked = defined(hypervisor, libvirt, bmc.node)
        assert "<boot dev='network'/>" in asked
        assert "<boot order" not in asked
        driver.set_boot_device(bmc, BootDevice.NETWORK, None)
        assert defined(hypervisor, libvirt, bmc.node) == asked, "repeated, it changes nothing"
        ends(lambda: driver.power_on(bmc))
        after = defined(hypervisor, libvirt, bmc.node)
        assert after.count("<boot order='") == before.count("<boot order='") == 2
        assert "<boot dev" not in after

    def test_a_request_while_it_runs_is_for_the_next_start(
        self, driver: OobDriver, bmc: BmcAccess, hypervisor: Any, libvirt: Any
    ) -> None:
        for device in (BootDevice.NETWORK, BootDevice.NETWORK, BootDevice.VIRTUAL_CD):
            driver.set_boot_device(bmc, device, None)
            ends(lambda: driver.power_on(bmc))
            driver.set_boot_device(bmc, device, None)
            ends(lambda: driver.power_on(bmc))
            ends(lambda: driver.power_off(bmc))
            name = {BootDevice.NETWORK: "network", BootDevice.VIRTUAL_CD: "cdrom"}[device]
            assert f"<boot dev='{name}'/>" in defined(hypervisor, libvirt, bmc.node)

    def test_what_is_not_foreseen_is_raised_at_once(self, driver: OobDriver, bmc: BmcAccess, hypervisor: Any) -> None:
        """Not after the timeout, as if the hypervisor were silent: here a note of ours that somebody changed."""
        note = "<metadata><n:next-start xmlns:n='urn:drydock:next-start'>{</n:next-start></metadata>"
        plain = re.sub("<boot order='.'/>", "", DOMAIN.format(name=bmc.node))
        xml = plain.replace("<os>", f"{note}<os>").replace("</os>", "<boot dev='hd'/></os>")
        hypervisor.lookupByName(bmc.node).undefine()
        hypervisor.defineXML(xml)
        with pytest.raises(ValueError, match="Expecting property name"):
            driver.set_boot_device(bmc, BootDevice.NETWORK, None)

    def test_facts_of_the_domain(self, driver: OobDriver, bmc: BmcAccess) -> None:
        facts = driver.facts(bmc)
        assert (facts.arch, facts.cpu_count, facts.memory_mib) == ("x86_64", 2, 2048)
        assert facts.nics is not None
        assert [nic.mac for nic in facts.nics] == ["52:54:00:00:0a:01"]
        assert facts.disks is not None
        assert [disk.serial for disk in facts.disks] == ["S1"]


def test_without_a_thread_the_domain_is_not_left_locked(make: Any) -> None:
    driver, bmc = make(uri="test:///default", timeout=1), BmcAccess("test", "libvirt", None)
    with no_more_threads(), pytest.raises(DriverUnavailable, match="test: power_state: no thread"):
        driver.power_state(bmc)
    assert driver.power_state(bmc) is PowerState.ON


STATES = """\
<node><domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>
  <name>odd</name><memory>8192</memory><os><type>hvm</type></os><test:runstate>{state}</test:runstate>
</domain></node>
"""


class TestOddStates:
    @pytest.fixture(params=["PAUSED", "PMSUSPENDED", "CRASHED"])
    def odd(self, request: pytest.FixtureRequest, libvirt: Any, make: Any, tmp_path: Path) -> tuple[str, OobDriver]:
        (tmp_path / "odd.xml").write_text(STATES.format(state=getattr(libvirt, f"VIR_DOMAIN_{request.param}")))
        return request.param, make(uri=f"test://{tmp_path}/odd.xml")

    BMC = BmcAccess("odd", "libvirt", None)

    def test_power_state(self, odd: tuple[str, OobDriver]) -> None:
        state, driver = odd
        assert driver.power_state(self.BMC) is (PowerState.OFF if state == "CRASHED" else PowerState.ON)

    def test_switched_on_it_runs(self, odd: tuple[str, OobDriver], libvirt: Any) -> None:
        state, driver = odd
        if state == "PMSUSPENDED":
            with pytest.raises(DriverRefused, match="virDomainPMWakeup"):  # of the test driver
                driver.power_on(self.BMC)
            return
        assert driver.power_on(self.BMC).state is ProgressState.SUCCEEDED
        assert in_libvirt(driver, self.BMC) == libvirt.VIR_DOMAIN_RUNNING

    def test_switched_off_it_is_shut_off(self, odd: tuple[str, OobDriver], libvirt: Any) -> None:
        assert odd[1].power_off(self.BMC).state is ProgressState.SUCCEEDED
        assert in_libvirt(odd[1], self.BMC) == libvirt.VIR_DOMAIN_SHUTOFF


def in_libvirt(driver: Any, bmc: BmcAccess) -> int:
    """The state over the driver's own connection: each one of ``test:///`` to a file has a site of its own."""
    return int(driver._connector.converse(bmc, "state", lambda domain: domain.state()[0]))


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LibvirtDaemon]:
    with libvirt_daemon(tmp_path_factory.mktemp("libvirt"), tls=True) as running:
        yield running


class TestDaemon(OobDriverContract):
    member = "libvirt, libvirtd"

    @pytest.fixture
    def driver(self, make: Any, daemon: LibvirtDaemon) -> OobDriver:
        return make(uri=daemon.tls_uri, timeout=20)  # type: ignore[no-any-return]

    @pytest.fixture
    def bmc(self, daemon: LibvirtDaemon) -> Iterator[BmcAccess]:
        name = f"d{next(NUMBERS):03}"
        daemon.define(name)
        daemon.run("attach-disk", name, "", "sdb", "--type", "cdrom", "--targetbus", "scsi", "--config")
        yield BmcAccess(name, "libvirt", "127.0.0.1", "admin", "correct-horse")
        if daemon.run("domstate", name) == "running":
            daemon.run("destroy", name)
        daemon.run("undefine", name)

    @pytest.fixture
    def meet(
        self, make: Any, daemon: LibvirtDaemon, driver: OobDriver, bmc: BmcAccess, tmp_path: Path
    ) -> Iterator[Meet]:
        with ExitStack() as stack:

            def met(trouble: Trouble) -> tuple[OobDriver, BmcAccess]:
                if trouble is Trouble.UNKNOWN_SYSTEM:
                    return driver, replace(bmc, node="stranger")
                if trouble is Trouble.REFUSED:
                    return make(uri=uri(free_port(), daemon.pki), timeout=5), bmc
                if trouble in TROUBLES:
                    relay = stack.enter_context(TcpRelay(daemon.port, **TROUBLES[trouble]))
                    patience = 0.5 if trouble is Trouble.SILENT else 10
                    return make(uri=uri(relay.port, daemon.pki), timeout=patience), bmc
                if not trouble.startswith("TLS"):
                    pytest.skip(f"a libvirtd without passwords does not show: {trouble}")
                authority = Authority(tmp_path)
                wrong = {
                    Trouble.WRONG_NAME: {"addresses": ("127.0.0.9",)},
                    Trouble.EXPIRED: {"expired": True},
                }.get(trouble, {})
                pair = authority.issue("relay", **wrong)  # type: ignore[arg-type]
                relay = stack.enter_context(TcpRelay(0, certificate=pair))
                pki = daemon.pki if trouble is Trouble.UNKNOWN_CA else tmp_path
                if pki is tmp_path:
                    shutil.copy(authority.certificate, tmp_path / "cacert.pem")
                return make(uri=uri(relay.port, pki), timeout=5), bmc

            yield met

    def test_the_machine_is_switched(self, daemon: LibvirtDaemon, driver: OobDriver, bmc: BmcAccess) -> None:
        driver.set_boot_device(bmc, BootDevice.NETWORK, None)
        assert "<boot dev='network'/>" in daemon.run("dumpxml", "--inactive", bmc.node)
        ends(lambda: driver.power_on(bmc))
        assert daemon.run("domstate", bmc.node) == "running"
        assert "<boot dev='network'/>" in daemon.run("dumpxml", bmc.node)
        assert "<boot dev='network'/>" not in daemon.run("dumpxml", "--inactive", bmc.node)
        ends(lambda: driver.power_off(bmc))
        assert daemon.run("domstate", bmc.node) == "shut off"

    def test_a_saved_machine_boots_from_the_device_that_was_set(
        self, daemon: LibvirtDaemon, driver: OobDriver, bmc: BmcAccess
    ) -> None:
        ends(lambda: driver.power_on(bmc))
        daemon.run("managedsave", bmc.node)
        driver.set_boot_device(bmc, BootDevice.NETWORK, None)
        ends(lambda: driver.power_on(bmc))
        assert daemon.run("domstate", "--reason", bmc.node) == "running (booted)"
        assert "<boot dev='network'/>" in daemon.run("dumpxml", bmc.node)

    def test_a_paused_machine_goes_on(self, daemon: LibvirtDaemon, driver: OobDriver, bmc: BmcAccess) -> None:
        ends(lambda: driver.power_on(bmc))
        daemon.run("suspend", bmc.node)
        ends(lambda: driver.power_on(bmc))
        assert daemon.run("domstate", bmc.node) == "running"

    def test_the_daemon_is_started_again(self, make: Any, tmp_path: Path, daemon: LibvirtDaemon) -> None:
        with LibvirtDaemon(tmp_path) as other:
            other.define("x1")
            driver, bmc = make(uri=other.uri), BmcAccess("x1", "libvirt", None)
            driver.power_state(bmc)
            other.stop()
            other.start()
            assert ends(lambda: driver.power_off(bmc)).state is ProgressState.SUCCEEDED


def uri(port: int, pki: Path) -> str:
    return f"qemu+tls://127.0.0.1:{port}/system?pkipath={pki}"


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({}, "no oob.libvirt_uri"),
        ({"libvirt_uri": "qemu+ext://h/system?command=/bin/hunter3"}, "one of the schemes"),
        ({"libvirt_uri": "qemu+ssh://u:hunter3@h/system?command=hunter3"}, "may not have the parameters command"),
        ({"libvirt_uri": "qemu+ssh://h/system?netcat=hunter3"}, "may not have the parameters netcat"),
        ({"libvirt_uri": "qemu+ssh://-ohunter3/system"}, "one of the schemes"),
        ({"libvirt_uri": "qemu+ssh:///system"}, "one of the schemes"),
        ({"libvirt_uri": "qemu+ssh://u:hunter3@h/sys<tem"}, "the URI cannot be parsed"),
        ({"domain": "{x}"}, "oob.domain may have"),
        ({"timeout": "soon"}, "oob.timeout must be"),
    ],
)
def test_what_a_design_says_and_cannot_work(make: Any, parameters: dict[str, str], reason: str) -> None:
    with pytest.raises(DriverRefused, match=reason) as caught:
        make().power_on(BmcAccess("n01", "libvirt", None, parameters=parameters))
    assert str(caught.value).startswith("n01: power_on: ")
    assert "hunter3" not in str(caught.value)


@pytest.mark.parametrize("options", [{"uri": "{host}"}, {"timeout": 0}, {"speed": 1}, {"domain": 3}])
def test_bad_options_stop_the_start(make: Any, options: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="libvirt"):
        make(**options)


def test_a_domain_without_such_a_device(make: Any, daemon: LibvirtDaemon) -> None:
    daemon.define("bare")
    with pytest.raises(DriverRefused, match="no device to boot from cdrom"):
        make(uri=daemon.uri).set_boot_device(BmcAccess("bare", "libvirt", None), BootDevice.VIRTUAL_CD, None)
