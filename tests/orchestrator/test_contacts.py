"""When a machine was last heard of is written down often enough, and no oftener."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from sqlalchemy import select

from drydock.db.tables import boot_contexts, machines
from drydock.db.unit_of_work import Database
from drydock.errors import DatabaseUnavailable
from drydock.orchestrator.contacts import INTERVAL, Contacts
from tests.orchestrator.sites import site
from tests.orchestrator.world import World


class OutOfReach(Database):
    """A database that is being restarted."""

    def __init__(self) -> None:
        self.asked = 0

    def statements(self) -> object:  # type: ignore[override]
        self.asked += 1
        raise DatabaseUnavailable("the database did not answer")


def test_the_first_contact_at_once_and_later_ones_now_and_then(world: World) -> None:
    world.create("deploy_nodes", design_ref=world.store(site(["n01"])).ref)
    for _ in range(12):
        world.work()
        world.pass_time(15)
    with world.sql.connect() as connection:
        context_id = connection.execute(select(boot_contexts.c.id)).scalar_one()

    def heard() -> tuple[datetime, datetime]:
        contacts.heard(context_id)
        with world.sql.connect() as connection:
            row = connection.execute(select(machines.c.first_contact, machines.c.last_contact)).one()
            return row.first_contact, row.last_contact

    now = [1000.0]
    contacts = Contacts(world.database, clock=lambda: now[0])
    first = heard()
    assert first[0] == first[1] is not None
    now[0] += INTERVAL - 1
    assert heard() == first
    now[0] += 1
    later = heard()
    assert (later[0], later[1] > first[1]) == (first[0], True)


def test_a_database_that_is_away_is_asked_again_at_the_next_contact() -> None:
    database = OutOfReach()
    contacts, context_id = Contacts(database), uuid4()
    contacts.heard(context_id)
    contacts.heard(context_id)
    assert database.asked == 2
