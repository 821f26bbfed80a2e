"""The image that is installed: a whole disk with Debian 12, started by UEFI, set up by cloud-init."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from dev.metal import cached, roots, trees
from dev.metal.tools import Tools
from dev.progress import Doing, quiet

ROOT_LABEL = "debian-root"
#: What its kernel is started with; designs may ask for these.
KERNEL_PARAMETERS = "console=ttyS0"
#: What else it is started with: emulation has none of the faults, and its clocks need no long looks.
QUICK = "mitigations=off nokaslr no_timer_check tsc=reliable rcupdate.rcu_expedited=1 cryptomgr.notests audit=0"
ESP_MIB = 16
#: Only what a first start needs: each module costs seconds in emulation.
CLOUD = """\
datasource_list: [ConfigDrive, None]
disable_root: false
manage_etc_hosts: true
cloud_init_modules: [bootcmd, write-files, growpart, resizefs, disk_setup, mounts, set_hostname, update_etc_hosts]
cloud_config_modules: [runcmd]
cloud_final_modules: [scripts-user]
"""
GRUB = f"""\
set timeout=0
serial --unit=0 --speed=115200
terminal_output serial
search --no-floppy --set=root --label {ROOT_LABEL}
linux /boot/vmlinuz-{{version}} root=LABEL={ROOT_LABEL} ro {KERNEL_PARAMETERS} quiet systemd.show_status=0 {QUICK}
initrd /boot/initrd.img-{{version}}
boot
"""
#: What services write to standard error is on the console, which is kept outside. On a loaded host the console itself
#: takes longer to come than systemd waits by default, and then has no login prompt.
SYSTEMD = """\
[Manager]
DefaultStandardError=journal+console
DefaultDeviceTimeoutSec=30min
DefaultTimeoutStartSec=30min
"""
FILES = {
    "etc/fstab": f"LABEL={ROOT_LABEL} / ext4 defaults 0 1\n",
    "etc/hostname": "localhost\n",
    "etc/machine-id": "",
    "etc/cloud/cloud.cfg.d/90-metal.cfg": CLOUD,
    "etc/systemd/system.conf.d/metal.conf": SYSTEMD,
}
LINKS = {
    "etc/resolv.conf": "../run/systemd/resolve/stub-resolv.conf",
    f"{roots.WANTED}/systemd-networkd.service": "/lib/systemd/system/systemd-networkd.service",
}
CONTINUE_ON_DISK = f"""\
search --no-floppy --set=root --label {ROOT_LABEL}
set prefix=($root)/boot/grub
configfile ($root)/boot/grub/grub.cfg
"""
MODULES = (
    "part_gpt", "fat", "ext2", "normal", "linux", "search", "search_label", "search_fs_file", "configfile", "serial",
    "terminal", "boot", "echo", "test", "minicmd",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DiskImage:
    """``checksum``: SHA-256."""

    path: Path
    checksum: str


def ensure(tools: Tools, doing: Doing = quiet) -> DiskImage:
    """Made by the first call, in 3 minutes. Raises ``Unavailable``."""
    tree = trees.ensure(trees.IMAGE, tools, doing=doing)

    def make(directory: Path) -> None:
        doing("making the disk image")
        _make(directory, tree, tools)

    home = cached.ensure("disk", [tree.name, Path(str(roots.__file__)).read_text(), Path(__file__).read_text()], make)
    return DiskImage(home / "disk.qcow2", (home / "sha256").read_text())


def _make(directory: Path, tree: Path, tools: Tools) -> None:
    root = directory / "root"
    roots.copy(tree, root, tools)
    roots.write(root, {**FILES, "boot/grub/grub.cfg": GRUB.format(version=roots.kernel_version(root))})
    roots.link(root, LINKS)
    roots.mask(root, [unit for unit in roots.MASKED if "wait-online" not in unit])
    tools.run("chroot", root, "passwd", "-d", "root")
    roots.slim(root, tools)
    program, system = directory / "BOOTX64.EFI", directory / "esp"
    roots.grub(program, CONTINUE_ON_DISK, MODULES, tools)
    roots.esp(system, program, ESP_MIB * 1024, 16, tools)
    mib = int(tools.run("du", "-sm", "--apparent-size", root).split()[0]) * 112 // 100 + 60
    file_system, disk = directory / "root.ext4", directory / "disk.raw"
    tools.run("mke2fs", "-q", "-t", "ext4", "-L", ROOT_LABEL, "-d", root, file_system, f"{mib}M")
    shutil.rmtree(root)
    _assemble(disk, system, file_system, mib, tools)
    image = directory / "disk.qcow2"
    tools.run("qemu-img", "convert", "-O", "qcow2", "-c", "-o", "compression_type=zstd", disk, image)
    for path in (program, system, file_system, disk):
        path.unlink()
    with image.open("rb") as file:
        (directory / "sha256").write_text(hashlib.file_digest(file, "sha256").hexdigest())


def _assemble(disk: Path, system: Path, file_system: Path, mib: int, tools: Tools) -> None:
    """GPT with both file systems: the ESP from 1 MiB on, the root after it."""
    with disk.open("wb") as file:
        file.truncate((mib + ESP_MIB + 3) << 20)
    # NOTE: never -q, with which sgdisk ends with 0 and writes nothing.
    tools.run(
        "sgdisk", "-o", "-n", f"1:1M:+{ESP_MIB}M", "-t", "1:ef00", "-c", "1:ESP",
        "-n", f"2:{ESP_MIB + 1}M:+{mib}M", "-t", "2:8300", "-c", "2:root", disk,
    )  # fmt: skip
    for part, start in ((system, 1), (file_system, ESP_MIB + 1)):
        tools.run("dd", f"if={part}", f"of={disk}", "bs=1M", f"seek={start}", "conv=notrunc,sparse")
    if "root" not in tools.run("sgdisk", "-p", disk):
        raise OSError("sgdisk wrote no partitions")
