"""libvirt: its test driver, and a real libvirtd with a QEMU machine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from dev.peers import libvirt_python, packages
from dev.peers.libvirt_daemon import LibvirtDaemon
from dev.peers.sushy_emulator import SushyEmulator
from dev.ports import free_port
from dev.processes import Processes, http_ready
from tests.real_peers import libvirt_daemon

SHOW = "import libvirt, sys; [print(d.name(), d.isActive()) for d in libvirt.open(sys.argv[1]).listAllDomains()]"


@pytest.fixture(scope="module")
def python() -> Path:
    try:
        return libvirt_python.ensure()
    except packages.Unavailable as error:
        pytest.skip(f"libvirt-python cannot be had: {error}")


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LibvirtDaemon]:
    with libvirt_daemon(tmp_path_factory.mktemp("libvirt")) as running:
        yield running


def shown(python: Path, uri: str) -> str:
    return subprocess.run([python, "-c", SHOW, uri], capture_output=True, text=True, check=True).stdout


def machines(directory: Path) -> list[psutil.Process]:
    """The running QEMUs whose disks are below ``directory``."""
    return [
        process for process in psutil.process_iter(["cmdline"])
        if any(str(directory) in word for word in process.info["cmdline"] or ()) and "qemu" in process.name()
    ]  # fmt: skip


def test_the_test_driver_has_a_machine(python: Path) -> None:
    assert shown(python, "test:///default") == "test 1\n"


def test_a_machine_is_switched_on_and_off(daemon: LibvirtDaemon, python: Path) -> None:
    daemon.define("m1")
    daemon.run("start", "m1")
    assert daemon.run("domstate", "m1") == "running"
    assert shown(python, daemon.uri) == "m1 1\n"
    daemon.run("destroy", "m1")
    assert shown(python, daemon.uri) == "m1 0\n"
    daemon.run("undefine", "m1")


def test_redfish_switches_a_machine_on(daemon: LibvirtDaemon, python: Path, tmp_path: Path) -> None:
    identity = daemon.define("m2")
    with SushyEmulator.libvirt(tmp_path, daemon.uri, python=python) as bmc, requests.Session() as http:
        http.trust_env, http.auth, http.verify = False, bmc.auth, str(bmc.authority)
        system = f"{bmc.url}/redfish/v1/Systems/{identity}"
        assert http.get(system).json()["PowerState"] == "Off"
        reset = http.post(f"{system}/Actions/ComputerSystem.Reset", json={"ResetType": "On"})
        assert reset.status_code == 204, reset.text
        assert daemon.run("domstate", "m2") == "running"
        boot = {"BootSourceOverrideTarget": "Pxe", "BootSourceOverrideEnabled": "Continuous"}
        assert http.patch(system, json={"Boot": boot}).status_code == 204
        assert http.get(system).json()["Boot"]["BootSourceOverrideTarget"] == "Pxe"
    interface = daemon.run("dumpxml", "--inactive", "m2").partition("<interface")[2].partition("</interface>")[0]
    assert "<boot order='1'/>" in interface
    daemon.run("destroy", "m2")


def test_redfish_inserts_a_virtual_cd(daemon: LibvirtDaemon, python: Path, tmp_path: Path) -> None:
    identity = daemon.define("m4")
    (tmp_path / "boot.iso").write_bytes(bytes(64 * 1024))
    port = free_port()
    files = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(tmp_path)]
    with (
        Processes(tmp_path) as served,
        SushyEmulator.libvirt(tmp_path / "bmc", daemon.uri, python=python) as bmc,
        requests.Session() as http,
    ):
        served.start("files", files, ready=http_ready(f"http://127.0.0.1:{port}/boot.iso"))
        http.trust_env, http.auth, http.verify = False, bmc.auth, str(bmc.authority)
        actions = f"{bmc.url}/redfish/v1/Systems/{identity}/VirtualMedia/Cd/Actions"
        image = {"Image": f"http://127.0.0.1:{port}/boot.iso", "Inserted": True, "WriteProtected": True}
        inserted = http.post(f"{actions}/VirtualMedia.InsertMedia", json=image)
        assert inserted.status_code == 204, inserted.text
        assert "device='cdrom'" in daemon.run("dumpxml", "m4")
        assert http.post(f"{actions}/VirtualMedia.EjectMedia", json={}).status_code == 204
        assert "source file" not in daemon.run("dumpxml", "m4").partition("device='cdrom'")[2].partition("</disk>")[0]


def test_its_machines_end_with_it(tmp_path: Path) -> None:
    try:
        made = LibvirtDaemon(tmp_path)
    except packages.Unavailable as error:
        pytest.skip(f"libvirtd cannot be had: {error}")
    with made as daemon:
        daemon.define("m3")
        daemon.run("start", "m3")
        (machine,) = machines(tmp_path)
        daemon.stop()
        machine.wait(10)
        assert machines(tmp_path) == []
        daemon.start()
        assert daemon.run("domstate", "m3") == "shut off", "what was defined is kept"
