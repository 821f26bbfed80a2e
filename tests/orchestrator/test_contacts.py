"""A machine's last contact is written often enough, and no oftener; no request waits for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from drydock.db.database import Database
from drydock.db.tables import boot_contacts, boot_contexts
from drydock.errors import DatabaseUnavailable
from drydock.orchestrator.services.contacts import INTERVAL, Contacts
from tests.factories.site import site
from tests.orchestrator.world import World


class OutOfReach(Database):
    """A database that is being restarted."""

    def __init__(self) -> None:
        self.asked = 0

    def statements(self) -> object:  # type: ignore[override]
        self.asked += 1
        raise DatabaseUnavailable("the database did not answer")


class Later:
    """Contacts are written when the test says so."""

    def __init__(self) -> None:
        self.scheduled: list[Callable[[], None]] = []

    def __call__(self, seconds: float, write: Callable[[], None]) -> None:
        self.scheduled.append(write)

    def expire(self) -> None:
        scheduled, self.scheduled = self.scheduled, []
        for write in scheduled:
            write()


@pytest.fixture
def later() -> Later:
    return Later()


def deploying(world: World, *nodes: str) -> dict[str, UUID]:
    """By node, the boot context of a deployment that waits for its machine."""
    world.create("deploy_nodes", design_ref=world.store(site(list(nodes))).ref)
    for _ in range(12):
        world.work()
        world.pass_time(15)
    with world.sql.connect() as connection:
        return {row.node: row.id for row in connection.execute(select(boot_contexts.c.node, boot_contexts.c.id))}


def contact(world: World, context_id: UUID) -> tuple[datetime | None, datetime | None]:
    with world.sql.connect() as connection:
        row = connection.execute(select(boot_contacts).where(boot_contacts.c.context_id == context_id)).one()
        return row.first_contact, row.last_contact


def test_the_first_contact_and_later_ones_now_and_then(world: World, later: Later) -> None:
    context_id = deploying(world, "n01")["n01"]
    now = [1000.0]
    contacts = Contacts(world.database, clock=lambda: now[0], later=later)

    def contact_now() -> tuple[datetime | None, datetime | None]:
        contacts.record(context_id)
        later.expire()
        return contact(world, context_id)

    first = contact_now()
    assert first[0] == first[1] is not None
    now[0] += INTERVAL - 1
    assert contact_now() == first
    now[0] += 1
    second = contact_now()
    assert (second[0], second[1] > first[1]) == (first[0], True)  # type: ignore[operator]


def test_a_contact_is_of_the_moment_when_the_machine_came(world: World, later: Later) -> None:
    ids = deploying(world, "n01", "n02")
    now = [1000.0]
    contacts = Contacts(world.database, clock=lambda: now[0], later=later)
    contacts.record(ids["n01"])
    now[0] += 3
    contacts.record(ids["n02"])
    later.expire()
    (one, _), (other, _) = (contact(world, ids[node]) for node in ("n01", "n02"))
    assert (other - one).total_seconds() == pytest.approx(3)  # type: ignore[operator]


def test_a_contact_that_is_locked_elsewhere_delays_no_other(world: World, later: Later) -> None:
    ids = deploying(world, "n01", "n02")
    contacts = Contacts(world.database, later=later)
    with world.sql.begin() as connection:
        connection.execute(select(boot_contacts).where(boot_contacts.c.context_id == ids["n01"]).with_for_update())
        for context_id in ids.values():
            contacts.record(context_id)
        later.expire()
    assert [contact(world, ids[node])[0] is None for node in ("n01", "n02")] == [True, False]


def test_contacts_of_a_moment_are_written_in_one_statement(later: Later) -> None:
    database = OutOfReach()
    contacts = Contacts(database, later=later)
    for _ in range(100):
        contacts.record(uuid4())
    assert len(later.scheduled) == 1
    later.expire()
    assert database.asked == 1


def test_after_a_database_that_was_away_the_next_contact_is_written(later: Later) -> None:
    database = OutOfReach()
    contacts, context_id = Contacts(database, later=later), uuid4()
    for _ in range(2):
        contacts.record(context_id)
        later.expire()
    assert database.asked == 2


def test_the_number_of_remembered_machines_is_bounded(world: World, later: Later) -> None:
    contacts, machines_seen = Contacts(world.database, at_most=2, later=later), [uuid4() for _ in range(3)]
    written = 0
    for context_id in (*machines_seen, machines_seen[2], machines_seen[0]):
        contacts.record(context_id)
        written += len(later.scheduled)
        later.expire()
    assert written == 4, "the third made it forget the first"
