"""The libvirt driver over SSH: a real sshd, whose key the worker knows, does not know, or knows as another."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dev.peers import packages
from dev.peers.libvirt_daemon import LibvirtDaemon
from dev.peers.ssh_server import SshServer
from drydock.drivers.oob.base import BmcAccess, PowerState
from drydock.errors import DriverRefused, DriverUnavailable
from tests.drivers import libvirt_module
from tests.drivers.oob_contract import ends
from tests.factories.drivers import libvirt_driver
from tests.real_peers import libvirt_daemon

BMC = BmcAccess("s001", "libvirt", None)


@pytest.fixture(scope="module")
def make() -> Any:
    libvirt_module.load()
    return libvirt_driver


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LibvirtDaemon]:
    with libvirt_daemon(tmp_path_factory.mktemp("libvirt")) as running:
        running.define(BMC.node)
        yield running


@pytest.fixture
def ssh(daemon: LibvirtDaemon) -> Iterator[SshServer]:
    """In a directory with a short name: ssh quotes it."""
    with tempfile.TemporaryDirectory(prefix="ssh-") as directory:
        try:
            server = SshServer(Path(directory) / "s", daemon)
        except packages.Unavailable as error:
            pytest.skip(f"sshd cannot be had: {error}")
        with server:
            yield server


def test_a_machine_is_switched(make: Any, daemon: LibvirtDaemon, ssh: SshServer) -> None:
    driver = make(uri=ssh.uri(ssh.known_hosts), timeout=20)
    ends(lambda: driver.power_on(BMC))
    assert daemon.run("domstate", BMC.node) == "running"
    assert driver.power_state(BMC) is PowerState.ON
    ends(lambda: driver.power_off(BMC))
    assert daemon.run("domstate", BMC.node) == "shut off"


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("other", "another SSH key than the one that is known here; see that it is the same host"),
        ("other-" + "long" * 50, "the output of ssh is longer than libvirt can read, .* key is another"),
    ],
)
def test_another_host_key_than_the_known_one(make: Any, ssh: SshServer, file: str, said: str) -> None:
    """Its words have the file's name three times."""
    other = ssh.known(file, ssh.new_key("other_key"))
    with pytest.raises(DriverRefused, match=said):
        make(uri=ssh.uri(other), timeout=20).power_state(BMC)
    assert "Accepted" not in ssh.log.read_text()


def test_a_host_key_that_is_not_known(make: Any, ssh: SshServer, tmp_path: Path) -> None:
    """The URI's ``known_hosts`` is for ``qemu+libssh`` and ``qemu+libssh2``: the program ``ssh`` is not given it."""
    nothing = tmp_path / "nothing"
    nothing.touch()
    uri = f"{ssh.uri(nothing)}&known_hosts={ssh.known_hosts}"
    with pytest.raises(DriverRefused, match="is not known here; compare its fingerprint"):
        make(uri=uri, timeout=20).power_state(BMC)


def test_a_key_that_the_hypervisor_does_not_accept(make: Any, ssh: SshServer) -> None:
    with pytest.raises(DriverRefused, match="does not accept the worker's SSH key"):
        make(uri=ssh.uri(ssh.known_hosts, ssh.new_key("wrong_key")), timeout=20).power_state(BMC)


def test_a_server_that_is_away_may_come_back(make: Any, ssh: SshServer) -> None:
    driver = make(uri=ssh.uri(ssh.known_hosts), timeout=20)
    ssh.stop()
    with pytest.raises(DriverUnavailable):
        driver.power_state(BMC)
    ssh.start()
    assert driver.power_state(BMC) is PowerState.OFF
