"""A server that is gone without a word, or whose connections are acknowledged and never answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from drydock.db.connections import Connections
from drydock.db.database import Database
from drydock.db.engine import connect, make_engine
from drydock.errors import BootContextNotFound, DatabaseUnavailable
from drydock.model.boot_context import BundleKind
from drydock.model.task import Lane
from drydock.orchestrator.services.boot_actions import BootService
from tests.db.forwarder import Forwarder
from tests.db.network import Network, NetworkUnavailable

#: Seconds within which machines are answered again, and workers work.
SOON = 15.0


@pytest.fixture
def network() -> Iterator[Network]:
    try:
        with Network() as made:
            yield made
    except NetworkUnavailable as exc:
        pytest.skip(str(exc))


def fetch(database: Database) -> None:
    """As a machine, which is held."""
    with pytest.raises(BootContextNotFound):
        BootService(database, hold_seconds=30).bundle("n01", BundleKind.FILE, b"")


def claim(database: Database) -> None:
    """As a worker, which asks a database that is away again."""
    while True:
        try:
            with database.statements() as uow:
                uow.leases.claim("tests", {Lane.NODE: 1}, lease_seconds=1)
        except DatabaseUnavailable:
            continue
        return


class Users:
    """Of one database, a thread each: used once, and once more when all is silent."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._silence = threading.Barrier(4)
        #: Seconds of the second time.
        self.took: dict[str, float] = {}
        self._threads = [
            threading.Thread(target=self._use, args=("fetch", fetch)),
            threading.Thread(target=self._use, args=("claim", claim)),
            threading.Thread(target=self._listen),
        ]

    def run(self, silence: Callable[[], None]) -> None:
        for thread in self._threads:
            thread.start()
        self._silence.wait(SOON)
        silence()
        self._silence.wait(SOON)
        for thread in self._threads:
            thread.join(60)

    def _use(self, name: str, work: Callable[[Database], None]) -> None:
        work(self._database)
        self.took[name] = self._timed(lambda: work(self._database))

    def _listen(self) -> None:
        with self._database.listen_for_work() as listener:

            def is_lost() -> None:
                with pytest.raises(DatabaseUnavailable):
                    listener.wait(60)

            self.took["listen"] = self._timed(is_lost)

    def _timed(self, work: Callable[[], None]) -> float:
        self._silence.wait(SOON)
        self._silence.wait(SOON)
        began = time.monotonic()
        work()
        return time.monotonic() - began


def test_a_host_that_vanishes(database_url: str, network: Network) -> None:
    """Its address answers nothing any more, to open connections and to new ones; another host has its place."""
    here = make_url(database_url)
    with Forwarder(here.port or 5432, network.listener()) as forwarder:
        hosts = [("host", f"{network.address}:{forwarder.port}"), ("host", f"{here.host}:{here.port}")]
        url = here.set(host=None, port=None).update_query_pairs(hosts).render_as_string(hide_password=False)
        database = Database(connect(url, pool_size=2, max_overflow=0, application_name="silence"))
        users = Users(database)
        users.run(network.vanish)
        assert set(users.took) == {"fetch", "claim", "listen"}
        assert max(users.took.values()) < SOON
        database.close()


@pytest.fixture
def forwarder(database_url: str) -> Iterator[Forwarder]:
    with Forwarder(make_url(database_url).port or 5432) as made:
        yield made


@pytest.fixture
def impatient(database_url: str, forwarder: Forwarder) -> Iterator[Database]:
    """Takes a server for gone after two seconds."""
    url = make_url(forwarder.url(database_url)).update_query_dict({"connect_timeout": "2"})
    connections = Connections(
        url.render_as_string(hide_password=False), application_name="silence", statement_seconds=0.1
    )
    database = Database(make_engine(connections, pool_size=2, max_overflow=0))
    yield database
    database.close()


def test_open_connections_that_are_never_answered_again(forwarder: Forwarder, impatient: Database) -> None:
    """A proxy or a pooler that hangs acknowledges what is sent: only we can know that nothing comes back."""
    users = Users(impatient)
    users.run(forwarder.silence)
    assert set(users.took) == {"fetch", "claim", "listen"}
    assert max(users.took.values()) < SOON / 2


def test_a_commit_that_is_not_answered(forwarder: Forwarder, impatient: Database) -> None:
    with impatient.unit_of_work() as uow:
        uow.designs.all()
        forwarder.silence()
        with pytest.raises(OperationalError):
            uow.commit()
    impatient.check()


def test_a_server_that_takes_connections_and_says_nothing(forwarder: Forwarder, impatient: Database) -> None:
    forwarder.mute = True
    for use in (impatient.check, lambda: impatient.bundle("n01", BundleKind.FILE)):
        began = time.monotonic()
        with pytest.raises(DatabaseUnavailable):
            use()
        assert time.monotonic() - began < SOON / 2


def test_a_slow_statement_is_cut_short_and_the_connection_kept(database_url: str) -> None:
    connections = Connections(database_url, application_name="silence", statement_seconds=0.1)
    engine = make_engine(connections, pool_size=1, max_overflow=0)
    database = Database(engine)
    backend = select(func.pg_backend_pid())
    with engine.connect() as connection:
        before = connection.scalar(backend)
    with pytest.raises(DatabaseUnavailable), database.unit_of_work() as uow:
        uow.messages._connection.execute(select(func.pg_sleep(20)))
    with database.unit_of_work(statement_seconds=20) as uow:
        uow.messages._connection.execute(select(func.pg_sleep(0.3)))
    with engine.connect() as connection:
        assert connection.scalar(backend) == before
    database.close()
