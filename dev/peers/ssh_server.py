"""OpenSSH's server (Debian's 9.2) on loopback, with keys of its own, for clients of a ``LibvirtDaemon``. Root only.

    with LibvirtDaemon(directory) as daemon, SshServer(directory / "ssh", daemon) as ssh:
        libvirt.open(ssh.uri(ssh.known_hosts))

Nothing is installed, and nothing of the system's own OpenSSH is touched. It runs where the daemon's files are seen.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlencode

from dev import processes
from dev.peers import packages
from dev.peers.libvirt_daemon import LibvirtDaemon
from dev.peers.peer import Peer
from dev.ports import LOOPBACK, free_port

PACKAGES = ("openssh-server",)
TOOLS = ("ssh", "ssh-keygen", "nsenter")
CONFIGURATION = """\
ListenAddress {address}
Port {port}
HostKey {directory}/host_key
AuthorizedKeysFile {directory}/user_key.pub
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes no
UsePAM no
PidFile none
SetEnv LD_LIBRARY_PATH={libraries}
"""
#: What Debian's package makes when it is installed: the directory and the account of the part without privileges.
PREPARED = """
mkdir -p /run/sshd
grep -q '^sshd:' /etc/passwd || echo 'sshd:x:64056:65534::/run/sshd:/usr/sbin/nologin' >>/etc/passwd
exec "$@"
"""
START_SECONDS = 30


class SshServer(Peer):
    """``known_hosts`` has its key, ``user_key`` is what it accepts. Raises ``packages.Unavailable``."""

    def __init__(self, directory: Path, daemon: LibvirtDaemon) -> None:
        for tool in TOOLS:
            if shutil.which(tool) is None:
                raise packages.Unavailable(f"there is no {tool}: install openssh-client and util-linux")
        self._home = packages.ensure("sshd", PACKAGES)
        self._daemon = daemon
        self._directory = directory
        directory.mkdir(mode=0o700)
        self.port = free_port()
        self.log = directory / "sshd.log"
        self.user_key = self.new_key("user_key")
        self.known_hosts = self.known("known_hosts", self.new_key("host_key"))
        self._child: processes.Child | None = None

    def new_key(self, name: str) -> Path:
        """The private one; the public one is beside it."""
        path = self._directory / name
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)]
        subprocess.run(command, check=True, capture_output=True)
        return path

    def known(self, name: str, key: Path) -> Path:
        """A file of known hosts that has ``key`` for this server."""
        path = self._directory / name
        path.write_text(f"[{LOOPBACK}]:{self.port} {key.with_suffix('.pub').read_text()}")
        return path

    def uri(self, known_hosts: Path, key: Path | None = None) -> str:
        """For libvirt's client, which starts ``ssh``. That takes no file of known hosts but by its own options."""
        client = self._directory / "client"
        client.write_text(
            f'#!/bin/sh\nexec ssh -F none -o UserKnownHostsFile={known_hosts} -o GlobalKnownHostsFile=none "$@"\n'
        )
        client.chmod(0o700)
        given = {"keyfile": str(key or self.user_key), "no_tty": "1", "command": str(client)}
        return f"qemu+ssh://root@{LOOPBACK}:{self.port}/system?{urlencode(given, safe='/')}"

    def start(self) -> None:
        configuration = self._directory / "sshd_config"
        configuration.write_text(
            CONFIGURATION.format(
                address=LOOPBACK, port=self.port, directory=self._directory, libraries=self._daemon.libraries
            )
        )
        server = [str(packages.program(self._home, "sshd")), "-D", "-e", "-f", str(configuration)]
        command = ["nsenter", "--mount", f"--target={self._daemon.pid}", "sh", "-euc", PREPARED, "sh", *server]
        self._child = processes.start("sshd", command, log=self.log, environment=packages.environment(self._home))
        self._child.wait_ready(self._listens, seconds=START_SECONDS)

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()
            self._child = None

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((LOOPBACK, self.port)) == 0
