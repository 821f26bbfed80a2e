"""A node's user-data: a cloud-config with the key and the boot script.

The boot script runs as a systemd unit at each boot until it has marked its work as done.
cloud-init alone is not enough: it records a module as run before it runs it, so that work which a power cut
interrupts in the first boot is never repeated. For the same reason ``bootcmd``, which runs at each boot, removes those
records until the unit is enabled, the last action of the first boot: the next boot then is a first boot again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from uuid import UUID

import yaml

from drydock.bootaction.keys import events_token
from drydock.bootaction.scripts import assignments, boot_script, boot_settings, node_url

ENV_PATH = "/etc/drydock/boot.env"
SCRIPT_PATH = "/usr/local/sbin/drydock-boot"
UNIT = "drydock-boot.service"
UNIT_PATH = f"/etc/systemd/system/{UNIT}"
#: The link that ``systemctl enable`` creates.
ENABLED_PATH = f"/etc/systemd/system/multi-user.target.wants/{UNIT}"
#: cloud-init's records of the modules that have run for this instance.
SEMAPHORES = "/var/lib/cloud/instance/sem"

BEGIN_AGAIN = f"test -e {ENABLED_PATH} || rm -f {SEMAPHORES}/*"
#: Without systemd the script runs in cloud-init's last stage, once.
START = f"""\
if [ -d /run/systemd/system ] && systemctl daemon-reload && systemctl enable {UNIT}; then
    exec systemctl start --no-block {UNIT}
fi
exec {SCRIPT_PATH}
"""
#: Exit status 3: a permanent failure, which the script has reported. Restart= is not allowed for
#: Type=oneshot before systemd 244.
BOOT_UNIT = f"""\
[Unit]
Description=Fetch the boot actions of this machine and put them in place
Wants=network-online.target
After=network-online.target
ConditionPathExists=!{{done}}

[Service]
Type=simple
ExecStart={SCRIPT_PATH}
Restart=on-failure
RestartSec=10
RestartPreventExitStatus=3

[Install]
WantedBy=multi-user.target
"""


def user_data(
    *,
    deployment: UUID,
    node: str,
    key: bytes,
    bootdata_url: str,
    report_url: str,
    packages: Mapping[str, str | None],
    authorized_keys: Sequence[str],
    start_units: bool,
    installer_events: bool,
) -> str:
    """A ``#cloud-config`` document; it holds the node's key. ``bootdata_url`` and ``report_url`` end in a slash.

    ``deployment``: part of the mark's name. ``installer_events``: whether cloud-init posts its progress too.
    """
    settings = boot_settings(node=node, bootdata_url=bootdata_url, report_url=report_url, start_units=start_units)
    done = f"/var/lib/drydock/boot-{deployment}.done"
    own = {**settings, "DRYDOCK_BOOT_DONE": done, "DRYDOCK_BOOTACTION_KEY": key.hex()}
    files = [
        _file(ENV_PATH, "0600", assignments(own)),
        _file(UNIT_PATH, "0644", BOOT_UNIT.format(done=done)),
    ]
    document: dict[str, Any] = {"bootcmd": [["sh", "-c", BEGIN_AGAIN]]}
    if installer_events:
        document["reporting"] = {"drydock": _reporting(node, key, bootdata_url)}
    if packages:
        document["packages"] = [[name, version] if version else name for name, version in packages.items()]
    if authorized_keys:
        document["ssh_authorized_keys"] = list(authorized_keys)
    document["runcmd"] = [["sh", "-c", START]]
    return f"#cloud-config\nwrite_files:\n{_yaml(files)}{_script_file()}{_yaml(document)}"


@cache
def _script_file() -> str:
    """Nearly all of the user-data, and equal for all nodes."""
    return _yaml([_file(SCRIPT_PATH, "0700", boot_script())])


def _yaml(document: Any) -> str:
    # NOTE: libyaml's emitter; PyYAML's own takes a third of a worker's time for a node.
    text: str = yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=1_000_000)
    return text


def _reporting(node: str, key: bytes, bootdata_url: str) -> Mapping[str, Any]:
    """The token is sent in OAuth's fields, so that no proxy logs it as part of a URL."""
    return {
        "type": "webhook",
        "endpoint": f"{node_url(bootdata_url, node)}/events",
        "consumer_key": node,
        "consumer_secret": "",
        "token_key": node,
        "token_secret": events_token(key).hex(),
        # An installation must not wait for its progress to be posted.
        "timeout": 5,
        "retries": 1,
    }


def _file(path: str, permissions: str, content: str) -> dict[str, str]:
    return {"path": path, "owner": "root:root", "permissions": permissions, "content": content}
