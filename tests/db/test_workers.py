"""Which workers are alive."""

from __future__ import annotations

from sqlalchemy import Engine, func, select

from drydock.db.engine import connect
from drydock.db.unit_of_work import Statements


def test_a_worker_lives_as_long_as_its_session(committing_url: str, engine: Engine) -> None:
    of_worker = connect(committing_url, pool_size=1, max_overflow=0, application_name="tests")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        workers = Statements(connection).workers
        assert workers.alive() == 0
        with of_worker.connect() as session:
            Statements(session).workers.announce()
            Statements(session).workers.beat()
            session.commit()
            assert workers.alive() == 1
            backend = session.scalar(select(func.pg_backend_pid()))
            session.rollback()
            # Returns once it has ended.
            assert connection.scalar(select(func.pg_terminate_backend(backend, 5000)))
            assert workers.alive() == 0
            session.invalidate()
    of_worker.dispose()
