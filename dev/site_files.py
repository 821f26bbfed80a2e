"""The files of a development site: the service's configuration, and an openrc for each user."""

from __future__ import annotations

import io
import os
import secrets
import shlex
from collections.abc import Mapping
from configparser import ConfigParser
from pathlib import Path

import yaml

#: Getting a token with curl alone. The password goes through a pipe: no process list shows it.
SHELL_FUNCTIONS = r"""
drydock_token() {
    curl -sS -o /dev/null -D - -H 'Content-Type: application/json' -d @- "$OS_AUTH_URL/auth/tokens" <<EOF |
{"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "$OS_USERNAME",
 "password": "$OS_PASSWORD", "domain": {"name": "$OS_USER_DOMAIN_NAME"}}}},
 "scope": {"project": {"name": "$OS_PROJECT_NAME", "domain": {"name": "$OS_PROJECT_DOMAIN_NAME"}}}}}
EOF
        tr -d '\r' | awk 'tolower($1) == "x-subject-token:" {print $2}'
}
"""


def write_private(path: Path, text: str) -> None:
    """Replace ``path``; only we may read it, even in the moment in which it appears."""
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    unfinished.replace(path)


def kept_secret(path: Path) -> str:
    """64 hexadecimal digits, the same at each call: keys that machines have must stay good after a restart."""
    if not path.exists():
        write_private(path, secrets.token_hex(32))
    return path.read_text()


def write_configuration(
    path: Path, *, port: int, database_url: str, simulator_url: str, secret: str, keystone: Mapping[str, str],
    settings: Mapping[str, Mapping[str, str]],
) -> None:  # fmt: skip
    """A ``drydock.conf`` for one machine: all on loopback, and quicker to look again than a real site needs.

    ``settings``, by section, come last.
    """
    url = f"http://127.0.0.1:{port}/api/v1.0"
    configuration = ConfigParser(interpolation=None)
    configuration.read_dict(
        {
            "api": {"bind_host": "127.0.0.1", "port": str(port), "workers": "2", "auth_strategy": "keystone"},
            "database": {"url": database_url},
            "keystone_authtoken": keystone,
            "drivers": {"oob": "redfish", "node": "simulated"},
            "redfish": {"endpoint": simulator_url, "system": "{node}"},
            "simulated": {"url": simulator_url},
            "bootaction": {
                "report_url": f"{url}/bootaction/",
                "bootdata_url": f"{url}/bootdata/",
                "secrets": secret,
            },
            "orchestrator": {"poll_interval": "1", "lease_seconds": "5", "observe_interval": "1"},
        }
    )
    configuration.read_dict(settings)
    text = io.StringIO()
    configuration.write(text)
    write_private(path, text.getvalue())


def write_openrc(path: Path, variables: Mapping[str, str]) -> None:
    """A shell file that makes its reader a user of this site, with ``drydock_token`` to print a token."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    for name in ("NO_PROXY", "no_proxy"):
        lines.append(f'export {name}="127.0.0.1,localhost${{{name}:+,${name}}}"')
    write_private(path, "\n".join(lines) + "\n" + SHELL_FUNCTIONS)


def machine_names(design: Path) -> tuple[str, ...]:
    """The names of the bare-metal nodes in a file of design documents, in their order."""
    documents = yaml.load_all(design.read_text(), yaml.CSafeLoader)
    return tuple(
        document["metadata"]["name"]
        for document in documents
        if isinstance(document, dict) and str(document.get("schema", "")).startswith("drydock/BaremetalNode/")
    )
