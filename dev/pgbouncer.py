"""A pgbouncer in front of a PostgreSQL, for tests: the system's or, without one, Debian's package unpacked."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import psycopg2
from sqlalchemy.engine import make_url

from dev import machine_tools, processes, unprivileged
from dev.ports import LOOPBACK, free_port

#: With the libraries that a minimal Debian 12 does not have.
PACKAGES = ("pgbouncer", "libc-ares2", "libevent-2.1-7")
START_SECONDS = 20


def start(directory: Path, url: str, *, pool_mode: str, pool_size: int = 50) -> tuple[processes.Child, str]:
    """The running pooler, and the URL of the same database through it. Raises ``machine_tools.Unavailable``.

    ``directory`` must be one that an unprivileged user may enter.
    """
    program, libraries = _program()
    server, port, user = make_url(url), free_port(), unprivileged.user_for_servers()
    users, configuration = directory / f"users-{port}.txt", directory / f"pgbouncer-{port}.ini"
    users.write_text(f'"{server.username}" "{server.password}"\n')
    configuration.write_text(
        f"[databases]\n* = host={server.host} port={server.port}\n"
        f"[pgbouncer]\nlisten_addr = {LOOPBACK}\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = scram-sha-256\nauth_file = {users}\n"
        f"pool_mode = {pool_mode}\ndefault_pool_size = {pool_size}\n"
    )
    for file in (users, configuration):
        file.chmod(0o600)
        unprivileged.give(file, user)
    child = processes.start(
        "pgbouncer", [program, configuration], log=directory / "pgbouncer.log", user=user, directory=Path("/"),
        environment={**os.environ, "LD_LIBRARY_PATH": libraries},
    )  # fmt: skip
    through = server.set(host=LOOPBACK, port=port)
    address = through.set(drivername="postgresql").render_as_string(hide_password=False)

    def ready() -> bool:
        try:
            psycopg2.connect(address, connect_timeout=5).close()
        except psycopg2.OperationalError:
            return False
        return True

    try:
        child.wait_ready(ready, seconds=START_SECONDS)
    except BaseException:
        child.kill()
        raise
    return child, through.render_as_string(hide_password=False)


def _program() -> tuple[str, str]:
    """Where it is, and where libraries are that it may need."""
    if installed := shutil.which("pgbouncer"):
        return installed, ""
    home = machine_tools.ensure(name="pgbouncer", packages=PACKAGES)
    libraries = {str(library.parent) for library in home.glob("usr/lib/**/*.so*")}
    return str(home / "usr/sbin/pgbouncer"), ":".join(sorted(libraries))
