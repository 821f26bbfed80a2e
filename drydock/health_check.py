"""``python -m drydock.health_check``: checks whether the API on this host answers.

For the image: exit status 0 if it answers or no API runs, as in a worker's container.
"""

from __future__ import annotations

import http.client
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from oslo_config import cfg

from drydock import conf
from drydock.errors import ConfigurationError

PROGRAM = "drydock-api"
PATH = "/api/v1.0/health"
SECONDS = 4
ALL_ADDRESSES: Mapping[str, str] = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what may be configured


def main() -> int | str:
    """The exit status, or why it is 1."""
    try:
        arguments = api_arguments(Path("/proc"))
        if arguments is None:
            return 0
        url = os.environ.get("DRYDOCK_HEALTH_URL") or url_of(conf.load(arguments))
        status = ask(url)
    except (ConfigurationError, OSError, http.client.HTTPException, ValueError) as exc:
        return f"not healthy: {exc}"
    if status != http.client.NO_CONTENT:
        return f"not healthy: {url} answers {status}"
    return 0


def api_arguments(processes: Path) -> Sequence[str] | None:
    """The API's arguments, from the ``/proc`` in ``processes``; None if no API runs."""
    # Not only process 1, which may be an init.
    for entry in sorted(filter(lambda entry: entry.name.isdigit(), processes.iterdir()), key=lambda at: int(at.name)):
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
        except OSError:
            continue
        # An interpreter, the program, its options. An init or the entrypoint has further arguments before.
        for position, word in enumerate(words[:2]):
            if Path(word).name == PROGRAM:
                return words[position + 1 :]
    return None


def url_of(options: cfg.ConfigOpts) -> str:
    """The API's URL; loopback if it listens on all addresses."""
    host = ALL_ADDRESSES.get(options.api.bind_host, options.api.bind_host)
    return f"http://{f'[{host}]' if ':' in host else host}:{options.api.port}{PATH}"


def ask(url: str) -> int:
    """The status of the answer. Uses no proxy and follows no redirect."""
    parts = urlsplit(url)
    connection_class = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connection_class(parts.hostname or "", parts.port, timeout=SECONDS)
    try:
        connection.request("GET", parts.path or "/")
        return connection.getresponse().status
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
