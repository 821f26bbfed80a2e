"""What a worker does while the database is away, and afterwards."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import pytest
from sqlalchemy import create_engine, make_url, text

from drydock.db.engine import driver_url
from drydock.drivers.node.records import ProvisionedNode
from drydock.drivers.progress import Progress, ProgressState
from drydock.model.task import ResultStatus
from tests.eventually import eventually
from tests.factories.site import site
from tests.orchestrator.engines import make_engine, running
from tests.orchestrator.world import World

NODES = ["n01", "n02", "n03"]
FOR_EVER = 3600.0


@contextmanager
def working(world: World) -> Iterator[threading.Thread]:
    """A worker whose leases do not lapse."""
    with running(make_engine(world, slots=2, poll_interval=0.1, lease_seconds=FOR_EVER)) as thread:
        yield thread


class Server:
    """Of the world's database."""

    def __init__(self, url: str) -> None:
        here = make_url(driver_url(url))
        self._name = here.database
        self._engine = create_engine(here.set(database="postgres"), isolation_level="AUTOCOMMIT")

    def go_away(self) -> None:
        self._execute(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS false")
        self._end_sessions()

    def become_read_only(self) -> None:
        self._execute(f"ALTER DATABASE {self._name} SET default_transaction_read_only = on")
        self._end_sessions()

    def come_back(self) -> None:
        self._execute(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS true")
        self._execute(f"ALTER DATABASE {self._name} RESET default_transaction_read_only")

    def _end_sessions(self) -> None:
        self._execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = :name")

    def _execute(self, statement: str) -> None:
        with self._engine.connect() as connection:
            connection.execute(text(statement), {"name": self._name})

    def close(self) -> None:
        self.come_back()
        self._engine.dispose()


@pytest.fixture
def server(database_url: str) -> Iterator[Server]:
    made = Server(database_url)
    yield made
    made.close()


@pytest.mark.parametrize("fault", [Server.go_away, Server.become_read_only])
def test_what_could_not_be_written_is_due_when_the_database_is_back(
    world: World, server: Server, fault: object, caplog: pytest.LogCaptureFixture
) -> None:
    """Not when the leases lapse, and no worker ends."""
    asked, go_on = threading.Event(), threading.Event()

    def slow(nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]:
        asked.set()
        assert go_on.wait(timeout=60)
        return {node.name: Progress(ProgressState.SUCCEEDED) for node in nodes}

    world.provisioner.apply_networking = slow  # type: ignore[method-assign]
    task = world.create("deploy_nodes", design_ref=world.store(site(NODES)).ref)
    with caplog.at_level(logging.WARNING), working(world) as worker:
        assert asked.wait(timeout=60)
        fault(server)  # type: ignore[operator]
        go_on.set()
        eventually(lambda: caplog.text, lambda text: "could not be written" in text)
        assert worker.is_alive()
        server.come_back()

        def status() -> ResultStatus:
            world.machines_report()
            return world.orchestrator.task(task.id).result.status

        eventually(status, lambda seen: seen is ResultStatus.SUCCESS, seconds=30)
