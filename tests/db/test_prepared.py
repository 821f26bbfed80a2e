"""Prepared statements: what is kept, and what is done when the server ends the connection."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import (
    Column,
    Engine,
    Integer,
    MetaData,
    Table,
    Text,
    bindparam,
    cast,
    create_engine,
    func,
    insert,
    select,
    text,
)

from drydock.db.connections import Connections
from drydock.db.engine import driver_url
from drydock.db.outages import ServerError
from drydock.db.prepared import Prepared
from drydock.db.thread_connections import ThreadConnections
from drydock.errors import DatabaseUnavailable
from tests.eventually import eventually

NUMBERS = Table("numbers", MetaData(), Column("number", Integer, primary_key=True))
ADD = Prepared("add_number", insert(NUMBERS).returning(NUMBERS.c.number), ("number",))
READ = Prepared("read_number", select(NUMBERS).where(NUMBERS.c.number == bindparam("wanted")))
PERCENT = Prepared("percent", select(func.concat("100%", "'s").label("text")))
SLOWLY = select(func.length(cast(func.pg_sleep(60), Text)))
SLOW_ADD = Prepared("slow_add", insert(NUMBERS).from_select(["number"], SLOWLY).returning(NUMBERS.c.number))

SLEEPING = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()")


@pytest.fixture
def other(new_database: Callable[[], str]) -> Iterator[Engine]:
    """Somebody else at a database of our own."""
    engine = create_engine(driver_url(new_database()), isolation_level="AUTOCOMMIT")
    NUMBERS.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def own(other: Engine) -> Iterator[ThreadConnections]:
    url = other.url.render_as_string(hide_password=False)
    connections = Connections(url, application_name="tests")
    yield ThreadConnections(connections, (ADD, READ, PERCENT, SLOW_ADD))
    connections.close()


def numbers(other: Engine) -> list[int]:
    with other.connect() as connection:
        return list(connection.scalars(select(NUMBERS.c.number).order_by(NUMBERS.c.number)))


def end_connections(other: Engine) -> int:
    with other.connect() as connection:
        found = connection.scalars(
            text(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
                "WHERE application_name = 'tests' AND datname = current_database()"
            )
        )
        return len(list(found))


def test_values_that_are_part_of_a_statement(own: ThreadConnections) -> None:
    assert own.row(PERCENT, {}).text == "100%'s"
    assert own.row(READ, {"wanted": 7}) is None


def test_without_a_commit_nothing_is_kept(own: ThreadConnections, other: Engine) -> None:
    with own.transaction(ADD, {"number": 1}) as begun:
        assert begun.row.number == 1
    with pytest.raises(KeyError), own.transaction(ADD, {"number": 2}):
        raise KeyError
    with own.transaction(ADD, {"number": 3}) as begun:
        assert numbers(other) == []
        begun.commit()
    assert numbers(other) == [3]


def test_a_statement_that_is_refused_is_no_outage(own: ThreadConnections, other: Engine) -> None:
    assert own.execute_write(ADD, {"number": 1}).number == 1
    with pytest.raises(ServerError, match="duplicate key"):
        own.execute_write(ADD, {"number": 1})
    assert own.execute_write(ADD, {"number": 2}).number == 2
    assert numbers(other) == [1, 2]


def test_after_the_server_ended_the_connection(own: ThreadConnections, other: Engine) -> None:
    for number in range(3):
        own.execute_write(ADD, {"number": number})
        assert end_connections(other) == 1
    assert own.row(READ, {"wanted": 0}).number == 0
    assert end_connections(other) == 1
    assert own.row(READ, {"wanted": 2}).number == 2
    assert end_connections(other) == 1
    with own.transaction(ADD, {"number": 3}) as begun:
        begun.commit()
    assert numbers(other) == [0, 1, 2, 3]


def test_a_commit_without_an_answer_is_an_outage(own: ThreadConnections, other: Engine) -> None:
    with own.transaction(ADD, {"number": 1}) as begun:
        assert end_connections(other) == 1
        with pytest.raises(DatabaseUnavailable):
            begun.commit()
    assert own.row(READ, {"wanted": 1}) is None


def test_what_is_given_up_needs_no_answer(own: ThreadConnections, other: Engine) -> None:
    def give_up() -> None:
        with own.transaction(ADD, {"number": 1}):
            assert end_connections(other) == 1
            raise KeyError

    with pytest.raises(KeyError):
        give_up()
    assert own.execute_write(ADD, {"number": 1}).number == 1


def test_what_may_have_been_kept_is_not_done_again(own: ThreadConnections, other: Engine) -> None:
    own.row(READ, {"wanted": 1})
    raised: list[Exception] = []

    def add() -> None:
        own.row(READ, {"wanted": 1})
        try:
            own.execute_write(SLOW_ADD, {})
        except DatabaseUnavailable as exc:
            raised.append(exc)

    thread = threading.Thread(target=add)
    thread.start()

    def sleeping() -> int:
        with other.connect() as connection:
            return int(connection.execute(SLEEPING).scalar_one())

    eventually(sleeping, lambda count: count == 1)
    end_connections(other)
    thread.join(30)
    assert len(raised) == 1
    assert sleeping() == 0


def test_after_the_schema_was_upgraded(own: ThreadConnections, other: Engine) -> None:
    own.execute_write(ADD, {"number": 1})
    assert own.row(READ, {"wanted": 1}).number == 1
    with other.connect() as connection:
        connection.execute(text("ALTER TABLE numbers ALTER COLUMN number TYPE bigint"))
    assert own.row(READ, {"wanted": 1}).number == 1
    own.execute_write(ADD, {"number": 2})
    assert numbers(other) == [1, 2]
