"""Two transactions at once, of which the second waits for what the first has locked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Engine, func, select, text

from drydock.db.unit_of_work import UnitOfWork
from tests.eventually import eventually

Result = TypeVar("Result")

_WAITS_FOR = text(
    "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' "
    "AND :first = ANY (pg_blocking_pids(pid)))"
)


@contextmanager
def blocked(engine: Engine, first: UnitOfWork, second: Callable[[], Result]) -> Iterator[Future[Result]]:
    """Run ``second`` in a thread. The block begins once it waits for ``first``, and is to end ``first``."""
    holder = {"first": first.tasks._connection.scalar(select(func.pg_backend_pid()))}
    with (
        ThreadPoolExecutor(1) as thread,
        engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
    ):
        running = thread.submit(second)
        eventually(lambda: running.done() or connection.scalar(_WAITS_FOR, holder), bool)
        assert not running.done(), f"did not wait: {running.exception() or running.result()}"
        yield running
