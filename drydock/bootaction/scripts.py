"""The shell scripts that machines run; each is one file on the machine, assembled from our parts."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from importlib import resources
from urllib.parse import quote

_SHEBANG = "#!/bin/sh\n"


def boot_script() -> str:
    """Fetches, unpacks and starts a machine's boot actions, and reports its hardware; the same for all."""
    return _read("http.sh") + _read("facts.sh") + _read("boot.sh")


def report_script() -> str:
    """``drydock-report``: sends the reports of a boot action."""
    return _read("http.sh") + _read("report.sh")


def boot_script_of(*, node: str, bootdata_url: str, report_url: str, start_units: bool) -> str:
    """The boot script with a node's settings except the key, which it reads from a file on the machine."""
    values = boot_settings(node=node, bootdata_url=bootdata_url, report_url=report_url, start_units=start_units)
    return _SHEBANG + assignments(values) + boot_script().removeprefix(_SHEBANG)


def boot_settings(*, node: str, bootdata_url: str, report_url: str, start_units: bool) -> Mapping[str, str]:
    """Settings of the boot script by variable name; the URLs given end in a slash."""
    return {
        "DRYDOCK_NODE": node,
        "DRYDOCK_BOOTDATA_URL": node_url(bootdata_url, node),
        "DRYDOCK_REPORT_URL": report_url,
        "DRYDOCK_BOOT_START": "yes" if start_units else "no",
    }


def node_url(bootdata_url: str, node: str) -> str:
    """Base URL of a node's paths, without a slash at the end."""
    return f"{bootdata_url.rstrip('/')}/{quote(node, safe='')}"


def assignments(values: Mapping[str, str]) -> str:
    """Shell assignments; systemd's ``EnvironmentFile=`` reads them too if the values are plain."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())


def _read(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
