"""What is done to a root file system before it is packed: files, units, and what it need not hold."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from dev.metal.tools import Tools

#: Of no use on the machines, and large.
LEFT_OUT = (
    "var/lib/apt/lists", "var/cache/apt", "usr/share/zoneinfo", "usr/share/bash-completion", "usr/share/pixmaps",
    "usr/share/perl5/unicore", "usr/share/i18n", "usr/lib/x86_64-linux-gnu/gconv", "usr/lib/udev/hwdb.bin",
    "usr/lib/udev/hwdb.d",
)  # fmt: skip
DRIVERS_LEFT_OUT = (
    "sound", "drivers/gpu", "drivers/media", "drivers/infiniband", "drivers/iio", "drivers/staging",
    "drivers/bluetooth", "drivers/isdn", "drivers/net/wireless", "net/wireless", "net/bluetooth", "net/mac80211",
    "net/openvswitch", "fs/ocfs2", "fs/nfs", "fs/nfsd", "fs/smb", "fs/cifs", "fs/ceph", "fs/gfs2", "arch/x86/kvm",
)  # fmt: skip
UNITS = "etc/systemd/system"
WANTED = f"{UNITS}/multi-user.target.wants"
#: Each costs seconds of a start in emulation.
MASKED = (
    "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "e2scrub_reap.service",
    "fstrim.timer", "getty@tty1.service", "systemd-timesyncd.service", "lvm2-monitor.service", "mdmonitor.service",
    "smartmontools.service", "systemd-networkd-wait-online.service", "nvmf-autoconnect.service",
    "nvmefc-boot-connections.service",
)  # fmt: skip


def copy(tree: Path, target: Path, tools: Tools) -> None:
    tools.run("cp", "-a", "--reflink=auto", tree, target)


def write(root: Path, files: Mapping[str, str]) -> None:
    """Replaces links and files."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(content)


def link(root: Path, names: Mapping[str, str]) -> None:
    """Links in ``root``: where each leads."""
    for name, target in names.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(target)


def mask(root: Path, units: Iterable[str]) -> None:
    link(root, {f"{UNITS}/{unit}": "/dev/null" for unit in units})


def slim(root: Path, tools: Tools, more: Iterable[str] = ()) -> None:
    """Remove what the machines do not need, and tell systemd that /usr is no newer than /etc and /var."""
    version = kernel_version(root)
    for name in (*LEFT_OUT, *more, *(f"usr/lib/modules/{version}/kernel/{part}" for part in DRIVERS_LEFT_OUT)):
        path = root / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    tools.run("chroot", root, "depmod", version)
    for name in ("etc/.updated", "var/.updated"):
        (root / name).touch()


def kernel_version(root: Path) -> str:
    return max(os.listdir(root / "usr/lib/modules"))


def grub(target: Path, configuration: str, modules: Iterable[str], tools: Tools) -> None:
    """An EFI program: GRUB with ``modules`` and a built-in configuration."""
    built_in = target.with_suffix(".cfg")
    built_in.write_text(configuration)
    tools.run(
        "grub-mkimage", "-d", tools.path("usr/lib/grub/x86_64-efi"), "-O", "x86_64-efi", "-p", "/boot/grub",
        "-c", built_in, "-o", target, *modules,
    )  # fmt: skip
    built_in.unlink()


def esp(target: Path, program: Path, kib: int, fat: int, tools: Tools) -> None:
    """A FAT file system with ``program`` where firmware looks for what to start."""
    tools.run("mkfs.vfat", "-C", "-F", str(fat), "-n", "ESP", target, str(kib))
    tools.run("mmd", "-i", target, "::EFI", "::EFI/BOOT")
    tools.run("mcopy", "-i", target, program, "::EFI/BOOT/BOOTX64.EFI")
