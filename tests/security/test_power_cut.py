"""The first boot is cut short, at any moment: the next one does the work."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from dev import machine_tools
from drydock.bootaction.tarball import pack
from drydock.bootaction.user_data import ENABLED_PATH, ENV_PATH, UNIT, UNIT_PATH
from tests.bootaction.test_boot_script import asset, boot, tarball
from tests.http_peer import Answer, Request, serving
from tests.unit.bootaction.machine import Machine
from tests.unit.bootaction.test_user_data import full

ISOLATED = ("unshare", "--mount", "--pid", "--fork", "--kill-child")
#: A machine with cloud-init: this system under a layer that takes all that is written, and is thrown away.
SYSTEM = """
set -e
mount -t tmpfs none "$1"
mkdir "$1/above" "$1/work" "$1/root"
root=$1/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/above,workdir=$1/work" "$root"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mkdir -p "$root/var/lib/cloud/seed/nocloud" "$root/etc/cloud" "$root/opt/test"
cp "$2/cloud.cfg" "$root/etc/cloud/cloud.cfg"
cp "$2/user-data" "$2/meta-data" "$root/var/lib/cloud/seed/nocloud/"
cp "$2/systemctl" "$2/stage.py" "$root/opt/test/"
chmod 755 "$root/opt/test/systemctl"
shift 2
set +e
boot() {
    mount -t tmpfs none "$root/run"
    mkdir -p "$root/run/systemd/system"
    for stage in 'init --local' init 'modules --mode=config' 'modules --mode=final'; do
        # shellcheck disable=SC2086
        (cd / && chroot "$root" "$@" /opt/test/stage.py $stage > /dev/null 2>&1)
    done
    umount "$root/run"
}
export CUT
boot "$@"
: > "$root/systemctl.log"
CUT=
boot "$@"
cat "$root/systemctl.log"
"""
CLOUD_CONFIG = """
datasource_list: [NoCloud]
datasource: {NoCloud: {fs_label: null}}
network: {config: disabled}
cloud_init_modules: [bootcmd, write-files]
cloud_config_modules: [runcmd]
cloud_final_modules: [scripts-user]
system_info: {distro: debian, paths: {cloud_dir: /var/lib/cloud, templates_dir: /etc/cloud/templates}}
"""
#: cloud-init as it is, but that the power is cut when it writes the file that CUT names.
STAGE = """
import os, signal, sys
from cloudinit import util
written, cut = util.write_file, os.environ["CUT"]
def write_file(filename, *arguments, **named):
    if cut and str(filename).endswith(cut):
        os.kill(-1, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
    return written(filename, *arguments, **named)
util.write_file = write_file
from cloudinit.cmd.main import main
sys.exit(main())
"""
#: It enables, writes down what it is asked for, and ends everything when CUT says so.
SYSTEMCTL = f"""#!/bin/sh
echo "$*" >> /systemctl.log
[ "$1" != "$CUT" ] || {{ kill -9 -1; kill -9 $$; }}
[ "$1" != enable ] || {{ mkdir -p {Path(ENABLED_PATH).parent} && ln -sf {UNIT_PATH} {ENABLED_PATH}; }}
"""


def can_mount_overlays() -> bool:
    if os.geteuid() != 0 or not shutil.which("unshare"):
        return False
    overlay = "mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/a,workdir=/mnt/w /mnt"
    tried = f"mount -t tmpfs none /mnt && mkdir /mnt/a /mnt/w && {overlay}"
    return subprocess.run([*ISOLATED, "sh", "-c", tried], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not can_mount_overlays(), reason="needs root, who may make namespaces and mount overlays")
@pytest.mark.parametrize("cut", ["", ENV_PATH, "scripts/runcmd", "enable"])
def test_cloud_init_is_cut_short(tmp_path: Path, cut: str) -> None:
    """By real cloud-init, twice: the power is cut while it writes a file or enables the unit; then it boots again."""
    python = machine_tools.python_of_cloud_init()
    if python is None:
        pytest.skip(machine_tools.NEEDS_CLOUD_INIT)
    parts = {"cloud.cfg": CLOUD_CONFIG, "user-data": full(), "meta-data": "instance-id: i-1\n", "stage.py": STAGE}
    for name, content in {**parts, "systemctl": SYSTEMCTL}.items():
        (tmp_path / name).write_text(content)
    (tmp_path / "machine").mkdir()
    done = subprocess.run(
        [*ISOLATED, "sh", "-c", SYSTEM, "sh", tmp_path / "machine", tmp_path, *python],
        env={"PATH": "/opt/test:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "CUT": cut},
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    started = ["daemon-reload", f"enable {UNIT}", f"start --no-block {UNIT}"]
    # Where nothing was cut short the second boot has nothing to do: systemd starts the unit by itself.
    assert done.stdout.splitlines() == ([] if not cut else started)


def test_a_power_cut_at_any_moment_leaves_work_for_the_next_boot(tmp_path: Path) -> None:
    """The n-th program that the script starts ends everything, as a power cut does; then the machine boots again."""
    files = [asset("/opt/run.sh", "file", 0o750), asset("/etc/x", "file")]
    bodies = {"units": pack([asset("/etc/systemd/system/a.service", "unit")]), "files": pack(files)}
    marks: list[bool] = []
    cut = 0

    def answers(request: Request) -> Answer:
        return Answer(200, b"{}") if request.method == "POST" else tarball(bodies[request.path.rpartition("/")[2]])

    with serving(answers) as service:
        while not marks or not marks[-1]:
            cut += 1
            machine = Machine(tmp_path / f"machine{cut}", "dash+curl")
            machine.cuts_power_at(cut)
            done = boot(machine, service, DRYDOCK_BOOT_DONE="/var/lib/drydock/boot.done")
            marked = (machine.root / "var/lib/drydock/boot.done").exists()
            marks.append(done.returncode == 0)
            if not marked:
                machine.cuts_power_at(0)
                assert boot(machine, service, DRYDOCK_BOOT_DONE="/var/lib/drydock/boot.done").returncode == 0
            assert (machine.root / "var/lib/drydock/boot.done").exists()
            assert (machine.root / "opt/run.sh").read_bytes() == (machine.root / "etc/x").read_bytes() == b"content\n"
            assert machine.noted("systemctl")[-1].endswith("enable -- a.service")
    assert cut > 30
