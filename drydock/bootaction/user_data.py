"""A node's user-data: the cloud-config that gives a freshly installed machine its key and its boot script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import yaml

from drydock.bootaction.keys import events_token
from drydock.bootaction.scripts import assignments, boot_script, boot_settings, node_url

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
    start_units: bool = True,
    installer_events: bool = False,
) -> str:
    """A ``#cloud-config`` document; it holds the node's key. ``bootdata_url`` and ``report_url`` end in a slash.

    ``installer_events``: cloud-init is to post its progress too.
    """
    settings = boot_settings(node=node, bootdata_url=bootdata_url, report_url=report_url, start_units=start_units)
    secret = _file(ENV_PATH, "0600", assignments({**settings, "DRYDOCK_BOOTACTION_KEY": key.hex()}))
    document: dict[str, Any] = {}
    if installer_events:
        document["reporting"] = {"drydock": _reporting(node, key, bootdata_url)}
    if packages:
        document["packages"] = [[name, version] if version else name for name, version in packages.items()]
    if authorized_keys:
        document["ssh_authorized_keys"] = list(authorized_keys)
    document["runcmd"] = [[SCRIPT_PATH]]
    return f"#cloud-config\nwrite_files:\n{_yaml([secret])}{_script_file()}{_yaml(document)}"


@cache
def _script_file() -> str:
    """The same for all nodes, and nearly all of what they are given."""
    return _yaml([_file(SCRIPT_PATH, "0700", boot_script())])


def _yaml(document: Any) -> str:
    # NOTE: libyaml's emitter; the one in Python takes a third of all the time a worker spends on a node.
    text: str = yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=1_000_000)
    return text


def _reporting(node: str, key: bytes, bootdata_url: str) -> Mapping[str, Any]:
    """The token goes into OAuth's fields, so that no proxy on the way logs it as part of a URL."""
    return {
        "type": "webhook",
        "endpoint": f"{node_url(bootdata_url, node)}/events",
        "consumer_key": node,
        "consumer_secret": "",
        "token_key": node,
        "token_secret": events_token(key).hex(),
        # An installation must not wait for the news of it.
        "timeout": 5,
        "retries": 1,
    }


def _file(path: str, permissions: str, content: str) -> dict[str, str]:
    return {"path": path, "owner": "root:root", "permissions": permissions, "content": content}
