"""The fate of a transaction whose commit got no answer."""

from __future__ import annotations

from sqlalchemy import select

from drydock.db.database import Database
from drydock.db.tables import TRANSACTION
from drydock.model.transaction import Fate

_CURRENT = select(TRANSACTION)


def test_what_postgresql_knows_of_a_transaction(database: Database) -> None:
    with database.unit_of_work() as kept:
        kept_id = kept.tasks._connection.execute(_CURRENT).scalar_one()
        kept.commit()
    with database.unit_of_work() as lost:
        lost_id = lost.tasks._connection.execute(_CURRENT).scalar_one()
    with database.unit_of_work() as running, database.unit_of_work() as uow:
        running_id = running.tasks._connection.execute(_CURRENT).scalar_one()
        with database.unit_of_work() as later:
            later.tasks._connection.execute(_CURRENT)
            later.commit()
        assert [uow.fate_of(number) for number in (kept_id, lost_id, running_id, running_id + 1_000_000)] == [
            Fate.KEPT,
            Fate.LOST,
            Fate.UNKNOWN,
            Fate.LOST,
        ]
