"""The agent ramdisk: kernel, initramfs with a whole Debian and ironic-python-agent, and the ESP of its virtual CD."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from dev.metal import cached, roots, trees
from dev.metal.tools import Tools
from dev.progress import Doing, quiet

SERVICE = """\
[Unit]
Description=ironic-python-agent
After=systemd-networkd.service systemd-udev-settle.service
Wants=systemd-networkd.service systemd-udev-settle.service

[Service]
ExecStartPre=-/sbin/modprobe -a efivarfs vfat isofs sr_mod dm_mod
ExecStartPre=-/bin/sh -c 'cd /sys/firmware/efi && (mountpoint -q efivars || mount -t efivarfs efivarfs efivars)'
ExecStart=/usr/bin/python3 /opt/agent/bin/ironic-python-agent --config-dir /etc/ironic-python-agent.d
Restart=on-failure
RestartSec=5
StandardOutput=journal+console
StandardError=journal+console

[Install]
WantedBy=multi-user.target
"""
NETWORK = """\
[Match]
Name=en*

[Network]
DHCP=ipv4
LinkLocalAddressing=no
IPv6AcceptRA=no
"""
FILES = {
    f"{roots.UNITS}/ironic-python-agent.service": SERVICE,
    "etc/systemd/network/10-all.network": NETWORK,
    # Not PYTHONPATH: the agent starts qemu-img by python3 -m oslo_concurrency.prlimit with a clean environment.
    "usr/lib/python3/dist-packages/agent.pth": "/opt/agent\n",
    # A loaded Ironic takes longer than 30 s, and a request that is given up ends the agent.
    "etc/ironic-python-agent.d/agent.conf": "[DEFAULT]\nhttp_request_timeout = 300\n",
    "etc/hostname": "agent\n",
    "etc/hosts": "127.0.0.1 localhost agent\n",
    "etc/fstab": "",
    "etc/resolv.conf": "",
    # A set one: otherwise each start is a first one, with all presets.
    "etc/machine-id": "00000000000000000000000000000a91\n",
}
LINKS = {
    "init": "/lib/systemd/systemd",
    f"{roots.WANTED}/systemd-networkd.service": "/lib/systemd/system/systemd-networkd.service",
    f"{roots.WANTED}/ironic-python-agent.service": "/etc/systemd/system/ironic-python-agent.service",
}
MORE_LEFT_OUT = ("boot", "var/lib/dpkg/info", "usr/share/info", "opt/agent/bin/__pycache__")
#: The CD's own GRUB: Ironic writes /boot/grub/grub.cfg beside the kernel /vmlinuz and the ramdisk /initrd.
CONTINUE_ON_CD = """\
search --no-floppy --set=root --file /initrd
set prefix=($root)/boot/grub
configfile ($root)/boot/grub/grub.cfg
"""
#: All of them built in: there is no directory to load others from.
MODULES = (
    "normal", "linux", "iso9660", "fat", "ext2", "part_gpt", "part_msdos", "search", "search_fs_file", "search_label",
    "configfile", "test", "echo", "minicmd", "boot", "serial", "terminal",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ramdisk:
    kernel: Path
    initramfs: Path
    esp: Path


def ensure(tools: Tools, doing: Doing = quiet) -> Ramdisk:
    """Made by the first call, in 5 minutes. Raises ``Unavailable``."""
    tree = trees.ensure(trees.AGENT, tools, doing=doing)

    def make(directory: Path) -> None:
        doing("packing the agent's ramdisk")
        _make(directory, tree, tools)

    sources = [tree.name, *(Path(str(module.__file__)).read_text() for module in (roots,)), Path(__file__).read_text()]
    home = cached.ensure("ramdisk", sources, make)
    return Ramdisk(home / "kernel", home / "initramfs", home / "esp.img")


def _make(directory: Path, tree: Path, tools: Tools) -> None:
    root = directory / "root"
    roots.copy(tree, root, tools)
    shutil.copy(root / f"boot/vmlinuz-{roots.kernel_version(root)}", directory / "kernel")
    roots.write(root, FILES)
    roots.link(root, LINKS)
    roots.mask(root, roots.MASKED)
    tools.run("chroot", root, "passwd", "-d", "root")
    roots.slim(root, tools, MORE_LEFT_OUT)
    tools.shell("find opt/agent -type d \\( -name tests -o -name locale \\) -prune -exec rm -rf {} +", root)
    tools.shell("find . \\( -name '*.a' -o -name '*.pyi' \\) -delete", root)
    # Byte code is worth its size: compiling costs more, at each start.
    tools.shell(
        f"chroot {root} python3 -m compileall -q -j 2 /opt/agent /usr/lib/python3 /usr/lib/python3.11 || :", root
    )
    # Fails here and not on a machine.
    tools.run("chroot", root, "python3", "-c", "import ironic_python_agent.version, oslo_concurrency.prlimit")
    tools.shell("find . -print0 | sort -z | cpio --null -o -H newc --quiet | zstd -q -T2 -9 -o ../initramfs", root)
    shutil.rmtree(root)
    program = directory / "BOOTX64.EFI"
    roots.grub(program, CONTINUE_ON_CD, MODULES, tools)
    # A FAT12 file system of whole tracks, a little larger than the program.
    kib = (program.stat().st_size // 1024 + 512 + 63) // 64 * 64
    roots.esp(directory / "esp.img", program, kib, 12, tools)
    program.unlink()
