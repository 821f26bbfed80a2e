"""A hypervisor: a real libvirtd (Debian's libvirt 9.0) with QEMU machines in software. Root on Debian only.

    with LibvirtDaemon(directory) as daemon:
        daemon.define("m1")
        subprocess.run([*daemon.virsh, "start", "m1"])

Nothing is installed and nothing of the system's own libvirt is touched: it runs in namespaces of its own
(``libvirt_namespace.sh``), and its machines end with it. Packages: 100 MB, fetched once in 40 s. Ready in 2 s;
a machine starts in 1 s.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import uuid
from pathlib import Path

from dev import processes
from dev.peers import libvirt_python, packages
from dev.peers.certificates import Authority
from dev.peers.peer import Peer
from dev.ports import LOOPBACK, free_port

NAMESPACE = Path(__file__).with_name("libvirt_namespace.sh")
START_SECONDS = 60
NAMESPACES = ("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--mount-proc")
#: What the daemon's namespace needs, tried in one that ends at once.
TRIAL = """
mount -t tmpfs trial /mnt && mkdir /mnt/upper /mnt/work &&
mount -t overlay -o lowerdir=/usr,upperdir=/mnt/upper,workdir=/mnt/work overlay /usr
"""
QEMU_CONF = """\
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
namespaces = [ ]
cgroup_controllers = [ ]
stdio_handler = "file"
"""
DAEMON_CONF = 'auth_unix_rw = "none"\nauth_unix_ro = "none"\n'
#: A machine without an operating system: its firmware finds nothing to boot and waits.
DOMAIN = """\
<domain type='qemu'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type><boot dev='hd'/></os>
  <features><acpi/></features>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/><source file='{disk}'/><target dev='sda' bus='scsi'/>
    </disk>
    <controller type='scsi' index='0' model='virtio-scsi'/>
    <interface type='user'><mac address='{mac}'/><model type='virtio'/></interface>
    <memballoon model='none'/>
  </devices>
</domain>
"""


class LibvirtDaemon(Peer):
    """A running libvirtd; ``uri`` is how clients reach it. Raises ``packages.Unavailable``."""

    def __init__(self, directory: Path, *, tls: bool = False) -> None:
        """``tls``: it listens with a certificate of ``pki``, the directory that a client names as ``pkipath``."""
        if os.geteuid() != 0:
            raise packages.Unavailable("libvirtd needs root")
        _check_namespaces()
        self._home = packages.ensure("libvirt", libvirt_python.PACKAGES)
        self._directory = directory
        self._environment = packages.environment(self._home)
        self.log = directory / "libvirtd.log"
        self.uri = f"qemu+unix:///system?socket={directory}/run/libvirt/libvirt-sock"
        self.pki = directory / "pki"
        self.port = free_port() if tls else 0
        self._child: processes.Child | None = None

    @property
    def tls_uri(self) -> str:
        return f"qemu+tls://{LOOPBACK}:{self.port}/system?pkipath={self.pki}"

    @property
    def pid(self) -> int:
        """Of a process in whose mount namespace its files are seen."""
        assert self._child is not None, "start() first"
        return self._child.pid

    @property
    def libraries(self) -> str:
        """LD_LIBRARY_PATH of its programs."""
        return packages.libraries(self._home)

    @property
    def virsh(self) -> list[str]:
        """The start of a command line of virsh; run it with ``environment`` or by ``run``."""
        return [str(packages.program(self._home, "virsh")), "-c", self.uri]

    def run(self, *words: str) -> str:
        """What virsh prints, such as for ``run("domstate", "m1")``; raises ``CalledProcessError``."""
        command = [*self.virsh, *words]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def define(self, name: str) -> str:
        """Define a machine with an empty disk and no operating system, off; answers its UUID."""
        identity = uuid.uuid5(uuid.NAMESPACE_DNS, name)
        disk, xml = self._directory / f"{name}.qcow2", self._directory / f"{name}.xml"
        image = [str(packages.program(self._home, "qemu-img")), "create", "-q", "-f", "qcow2", str(disk), "64M"]
        subprocess.run(image, env=self._environment, check=True)
        address = "52:54:00:" + ":".join(f"{byte:02x}" for byte in identity.bytes[:3])
        xml.write_text(DOMAIN.format(name=name, uuid=identity, disk=disk, mac=address))
        self.run("define", str(xml))
        return str(identity)

    def start(self) -> None:
        """Start it, or start it again with the machines that were defined."""
        etc = self._directory / "etc/libvirt"
        etc.mkdir(parents=True, exist_ok=True)
        (etc / "qemu.conf").write_text(QEMU_CONF)
        (etc / "libvirtd.conf").write_text(DAEMON_CONF + (self._tls() if self.port else ""))
        listen = ["--listen"] if self.port else []
        self._child = processes.start(
            "libvirtd", [*NAMESPACES, "--kill-child", NAMESPACE, self._home, self._directory, *listen],
            # unshare ignores SIGTERM as long as its child runs.
            log=self.log, stop_signal=signal.SIGKILL,
        )  # fmt: skip
        self._child.wait_ready(self._answers, seconds=START_SECONDS)
        self._start_pool()

    def stop(self) -> None:
        """End it and its machines."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def _tls(self) -> str:
        """The configuration; clients show no certificate."""
        self.pki.mkdir(exist_ok=True)
        authority = Authority(self.pki)
        pair = authority.issue("libvirtd")
        shutil.copy(authority.certificate, self.pki / "cacert.pem")
        return (
            f'listen_tls = 1\nlisten_addr = "{LOOPBACK}"\ntls_port = "{self.port}"\nauth_tls = "none"\n'
            f'ca_file = "{authority.certificate}"\ncert_file = "{pair.certificate}"\nkey_file = "{pair.key}"\n'
            "tls_no_verify_certificate = 1\n"
        )

    def _start_pool(self) -> None:
        """The storage pool ``default``, in which sushy-tools keeps the images of virtual media."""
        if "default" not in self.run("pool-list", "--all", "--name").split():
            pool = self._directory / "pool"
            pool.mkdir(exist_ok=True)
            self.run("pool-define-as", "default", "dir", "--target", str(pool))
        # Killed, libvirtd leaves a note of what was active and finds it.
        if "default" not in self.run("pool-list", "--name").split():
            self.run("pool-start", "default")

    def _answers(self) -> bool:
        command = [*self.virsh, "version"]
        return subprocess.run(command, env=self._environment, capture_output=True, check=False).returncode == 0


def _check_namespaces() -> None:
    if shutil.which("unshare") is None:
        raise packages.Unavailable("there is no unshare: install util-linux")
    done = subprocess.run([*NAMESPACES, "sh", "-c", TRIAL], capture_output=True, text=True, check=False)
    if done.returncode:
        raise packages.Unavailable(f"file systems cannot be mounted in a namespace: {done.stderr.strip()}")
