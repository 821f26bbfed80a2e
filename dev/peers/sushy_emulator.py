"""Redfish BMCs: sushy-tools' emulator (2.2.0), with fake systems or with the domains of a libvirtd.

    with SushyEmulator.fake(directory, names=["n1", "n2"]) as bmc:
        requests.get(f"{bmc.url}{bmc.path('n1')}", auth=bmc.auth, verify=str(bmc.authority))

Ready in 1 to 2 s with 2 or 100 systems. Basic authentication and TLS are on; it has no SessionService.
"""

from __future__ import annotations

import secrets
import socket
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import bcrypt

from dev import processes
from dev.peers.certificates import Authority, Pair
from dev.peers.peer import Peer
from dev.ports import LOOPBACK, free_port

LAUNCHER = Path(__file__).with_name("sushy_launcher.py")
USER = "admin"
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - of a network namespace without a way out
#: Of bcrypt, which each request pays: its lowest.
ROUNDS = 4
START_SECONDS = 60


def system_id(name: str) -> str:
    """The UUID of the fake system ``name``: the same in each run."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))


class SushyEmulator(Peer):
    """A running emulator. ``authority`` is the PEM file of the CA, None without TLS."""

    def __init__(
        self, directory: Path, settings: str, *, python: Path, tls: Pair | None, authority: Path | None,
        delay: tuple[int, int], addresses: Sequence[str] = (LOOPBACK,),
    ) -> None:  # fmt: skip
        directory.mkdir(parents=True, exist_ok=True)
        self.authority = authority
        self._address = addresses[0]
        self.user, self.password = USER, secrets.token_urlsafe(12)
        self.port = free_port()
        self.url = f"{'https' if tls else 'http'}://{addresses[0]}:{self.port}"
        self.log = directory / "sushy-emulator.log"
        self._configuration = directory / "sushy-emulator.conf"
        self._accounts = directory / "htpasswd"
        self._write_account()
        self._configuration.write_text(
            f"SUSHY_EMULATOR_LISTEN_IP = {addresses[0] if len(addresses) == 1 else EVERY_ADDRESS!r}\n"
            f"SUSHY_EMULATOR_LISTEN_PORT = {self.port}\n"
            f"SUSHY_EMULATOR_SSL_CERT = {str(tls.certificate) if tls else None!r}\n"
            f"SUSHY_EMULATOR_SSL_KEY = {str(tls.key) if tls else None!r}\n"
            f"SUSHY_EMULATOR_AUTH_FILE = {str(self._accounts)!r}\n"
            # State that is kept has precedence over the configuration: a new directory for each emulator.
            f"SUSHY_EMULATOR_STATE_DIR = {str(directory / f'state-{self.port}')!r}\n{settings}"
        )
        self._command = [str(python), str(LAUNCHER), *map(str, delay), "--config", str(self._configuration)]
        self._child: processes.Child | None = None

    @classmethod
    def fake(
        cls, directory: Path, *, names: Sequence[str], tls: bool = True, certificate: Pair | None = None,
        delay: tuple[int, int] = (0, 0), python: Path = Path(sys.executable),
    ) -> Self:  # fmt: skip
        """An emulator with a system for each of ``names``, off. ``delay``: the seconds that power changes take.

        ``certificate``: one of an authority of the caller's, such as an expired one.
        """
        systems = [
            {
                "uuid": system_id(name), "name": name, "power_state": "Off", "external_notifier": False,
                "nics": [{"mac": mac(number), "ip": "172.22.0.100"}],
            }
            for number, name in enumerate(names)
        ]  # fmt: skip
        settings = f"SUSHY_EMULATOR_FAKE_DRIVER = True\nSUSHY_EMULATOR_FAKE_SYSTEMS = {systems!r}\n"
        return cls._made(directory, settings, tls=tls, certificate=certificate, delay=delay, python=python)

    @classmethod
    def libvirt(
        cls, directory: Path, uri: str, *, python: Path, tls: bool = True, addresses: Sequence[str] = (LOOPBACK,)
    ) -> Self:
        """An emulator whose systems are the domains at ``uri``; ``python`` has libvirt-python and sushy-tools.

        ``addresses``: its own, for which its certificate is made. Start it again after libvirtd has been started again.
        Virtual media need a storage pool ``default``.
        """
        settings = f"SUSHY_EMULATOR_LIBVIRT_URI = {uri!r}\nSUSHY_EMULATOR_IGNORE_BOOT_DEVICE = False\n"
        return cls._made(
            directory, settings, tls=tls, certificate=None, delay=(0, 0), python=python, addresses=addresses
        )

    @classmethod
    def _made(
        cls, directory: Path, settings: str, *, tls: bool, certificate: Pair | None, delay: tuple[int, int],
        python: Path, addresses: Sequence[str] = (LOOPBACK,),
    ) -> Self:  # fmt: skip
        directory.mkdir(parents=True, exist_ok=True)
        authority = Authority(directory) if tls and certificate is None else None
        return cls(
            directory, settings, python=python, delay=delay, addresses=addresses,
            tls=authority.issue("bmc", addresses=addresses) if authority else certificate,
            authority=authority.certificate if authority else None,
        )  # fmt: skip

    @property
    def auth(self) -> tuple[str, str]:
        return self.user, self.password

    def change_password(self) -> None:
        """At once, also while it runs."""
        self.password = secrets.token_urlsafe(12)
        self._write_account()

    def _write_account(self) -> None:
        hashed = bcrypt.hashpw(self.password.encode(), bcrypt.gensalt(ROUNDS)).decode()
        self._accounts.write_text(f"{self.user}:{hashed}\n")

    def path(self, name: str) -> str:
        """The Redfish path of a fake system."""
        return f"/redfish/v1/Systems/{system_id(name)}"

    def start(self) -> None:
        """Start it, or start it again at the same address with the state it had."""
        self._child = processes.start(
            "sushy-emulator", self._command, log=self.log, environment=processes.neutral_environment()
        )
        self._child.wait_ready(self._listens, seconds=START_SECONDS)

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()
            self._child = None

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((self._address, self.port)) == 0


def mac(number: int) -> str:
    """The address of the NIC of the fake system at place ``number``, below 65,536."""
    return f"00:5c:52:31:{number >> 8:02x}:{number & 255:02x}"
