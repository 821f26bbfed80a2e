"""A machine deployed for real: its user-data's boot script in a chroot of BusyBox, its boot action with the tool."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dev import machine_tools
from drydock.model.task import ResultStatus
from tests.factories.site import site as design_of
from tests.security.deployment import Deployed, Site

HELLO = """
---
schema: drydock/BootAction/v1
metadata: {name: hello}
data:
  signaling: true
  assets:
    - path: /etc/systemd/system/hello.service
      type: unit
      permissions: '444'
      data_pipeline: [utf8_decode]
      data: |
        [Service]
        Type=oneshot
        ExecStart=/usr/local/bin/drydock-report --action hello --wrap /opt/hello.sh
        [Install]
        WantedBy=multi-user.target
    - path: /opt/hello.sh
      type: file
      permissions: '750'
      data_pipeline: [utf8_decode, template]
      data: |
        #!/bin/sh
        /usr/local/bin/drydock-report --action greet --message "greeting written" || exit 1
        /usr/local/bin/drydock-report --action greet --status success || exit 1
        echo "hello from {{ node.hostname }}"
"""
#: Instead of systemd: it starts what a unit says, at once.
SYSTEMCTL = """#!/bin/sh
echo "$*" >> /systemctl.log
if [ "$1" = start ]; then
    command=$(sed -n 's/^ExecStart=//p' "/etc/systemd/system/$4")
    $command >> /journal 2>&1
fi
"""
ISOLATED = ("unshare", "--mount", "--pid", "--fork")


def can_isolate() -> bool:
    if os.geteuid() != 0 or not shutil.which("unshare"):
        return False
    return subprocess.run([*ISOLATED, "true"], capture_output=True, check=False).returncode == 0


def install(root: Path, machine: Deployed) -> None:
    """The smallest system: BusyBox, its libraries, two devices, and what the user-data writes."""
    busybox = machine_tools.busybox()
    if busybox is None:
        pytest.skip(machine_tools.NEEDS_BUSYBOX)
    libraries = subprocess.run(["ldd", str(busybox)], capture_output=True, text=True, check=False).stdout
    for found in {str(busybox), *re.findall(r"(/\S+)", libraries)}:
        target = root / found.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(found, target)
    for directory in ("bin", "dev", "tmp", "run/systemd/system"):
        (root / directory).mkdir(parents=True, exist_ok=True)
    for applet in subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split():
        if not (root / "bin" / applet).exists():
            (root / "bin" / applet).symlink_to(busybox)
    for name, minor in (("null", 3), ("urandom", 9)):
        os.mknod(root / "dev" / name, stat.S_IFCHR | 0o666, os.makedev(1, minor))
    (root / "bin/systemctl").write_text(SYSTEMCTL)
    (root / "bin/systemctl").chmod(0o755)
    for path, entry in machine.files.items():
        file = root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(entry["content"])
        file.chmod(int(entry["permissions"], 8))


def transcript(root: Path, said: str, journal: str, told: list[str]) -> str:
    """For who runs this test with ``-s``."""
    paths = sorted(path for place in ("etc", "opt", "usr") for path in (root / place).rglob("*") if path.is_file())
    listed = [f"{stat.filemode(path.lstat().st_mode)} /{path.relative_to(root)}" for path in paths]
    parts = {
        "# chroot … drydock-boot": said,
        "# ls": "\n".join(listed),
        "# cat /systemctl.log": (root / "systemctl.log").read_text(),
        "# journalctl -u hello": journal,
        "$ drydock task show": "\n".join(told),
    }
    return "".join(f"\n{command}\n{output.rstrip()}\n" for command, output in parts.items())


@pytest.mark.skipif(not can_isolate(), reason="needs root, who may make namespaces, and unshare")
def test_a_node_is_deployed_in_a_chroot(site: Site, tmp_path: Path) -> None:
    task = site.deploy(design_of(["n01"]) + HELLO.encode())
    machine = site.machine("n01")
    root = tmp_path / "root"
    root.mkdir()
    install(root, machine)
    chroot = shutil.which("chroot") or "chroot"
    boot = subprocess.run(
        [*ISOLATED, chroot, str(root), "/bin/sh", "-c", "exec /usr/local/sbin/drydock-boot"],
        env={"PATH": "/bin"}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    journal = (root / "journal").read_text() if (root / "journal").exists() else ""
    assert boot.returncode == 0, boot.stderr + journal
    assert (root / "systemctl.log").read_text().splitlines() == [
        "daemon-reload",
        "enable -- hello.service",
        "start --no-block -- hello.service",
    ]
    assert journal == "hello from n01\n"
    modes = {
        path: stat.S_IMODE((root / path).stat().st_mode) for path in ("opt/hello.sh", "etc/greeting", "etc/quiet.conf")
    }
    assert modes == {"opt/hello.sh": 0o750, "etc/greeting": 0o644, "etc/quiet.conf": 0o600}
    assert (root / "etc/drydock/actions/hello.env").stat().st_mode & 0o777 == 0o600
    assert os.listdir(root / "run") == ["systemd"]

    site.world.run_until_idle()
    done = site.world.orchestrator.task(task.id)
    assert done.result.status is ResultStatus.SUCCESS
    node = site.subtask(task, "n01")
    assert node.machine is not None
    assert node.machine.stage == "drydock-boot: SUCCESS"
    told = [message.message for message in node.result.messages if message.context_type in ("bootaction", "installer")]
    sys.stdout.write(transcript(root, boot.stderr, journal, told))
    assert told == [
        "drydock-boot: fetching boot actions",
        "running /opt/hello.sh",
        "greeting written",
        "/opt/hello.sh ended with exit status 0\nhello from n01",
        "drydock-boot: boot actions in place: 6 files, 1 units (SUCCESS)",
    ]
