"""A node's user-data: the cloud-config that gives a freshly installed machine its key and its boot script."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any
from urllib.parse import quote

import yaml

ENV_PATH = "/etc/drydock/boot.env"
SCRIPT_PATH = "/usr/local/sbin/drydock-boot"


def user_data(
    *,
    node: str,
    key: bytes,
    bootdata_url: str,
    report_url: str,
    packages: Mapping[str, str | None],
    authorized_keys: Sequence[str],
) -> str:
    """A ``#cloud-config`` document; it holds the node's key. ``bootdata_url`` and ``report_url`` end in a slash."""
    document: dict[str, Any] = {
        "write_files": [
            _file(ENV_PATH, "0600", boot_env(node=node, key=key, bootdata_url=bootdata_url, report_url=report_url)),
            _file(SCRIPT_PATH, "0700", boot_script()),
        ]
    }
    if packages:
        document["packages"] = [[name, version] if version else name for name, version in packages.items()]
    if authorized_keys:
        document["ssh_authorized_keys"] = list(authorized_keys)
    document["runcmd"] = [[SCRIPT_PATH]]
    # NOTE: libyaml's emitter; the one in Python takes a third of all the time a worker spends on a node.
    text: str = yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=1_000_000)
    return "#cloud-config\n" + text


def boot_env(*, node: str, key: bytes, bootdata_url: str, report_url: str) -> str:
    """Shell assignments for the boot script."""
    values = {
        "DRYDOCK_NODE": node,
        "DRYDOCK_BOOTDATA_URL": f"{bootdata_url.rstrip('/')}/{quote(node, safe='')}",
        "DRYDOCK_REPORT_URL": report_url,
        "DRYDOCK_BOOTACTION_KEY": key.hex(),
    }
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())


def boot_script() -> str:
    """The POSIX shell script that fetches, unpacks and starts a machine's boot actions; the same for all."""
    return resources.files(__package__).joinpath("boot.sh").read_text(encoding="utf-8")


def _file(path: str, permissions: str, content: str) -> dict[str, str]:
    return {"path": path, "owner": "root:root", "permissions": permissions, "content": content}
