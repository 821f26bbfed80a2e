"""When a machine was last heard of is written down often enough, and no oftener; nobody waits for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from drydock.db.database import Database
from drydock.db.tables import boot_contacts, boot_contexts
from drydock.errors import DatabaseUnavailable
from drydock.orchestrator.services import contacts as contacts_module
from drydock.orchestrator.services.contacts import INTERVAL, Contacts
from tests.orchestrator.sites import site
from tests.orchestrator.world import World


class OutOfReach(Database):
    """A database that is being restarted."""

    def __init__(self) -> None:
        self.asked = 0

    def statements(self) -> object:  # type: ignore[override]
        self.asked += 1
        raise DatabaseUnavailable("the database did not answer")


def never(write: Callable[[], None]) -> None:
    """Contacts are written when the test says so."""


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


def test_the_first_contact_and_later_ones_now_and_then(world: World) -> None:
    context_id = deploying(world, "n01")["n01"]
    now = [1000.0]
    contacts = Contacts(world.database, lambda: now[0], never)

    def heard() -> tuple[datetime | None, datetime | None]:
        contacts.heard(context_id)
        contacts.write()
        return contact(world, context_id)

    first = heard()
    assert first[0] == first[1] is not None
    now[0] += INTERVAL - 1
    assert heard() == first
    now[0] += 1
    later = heard()
    assert (later[0], later[1] > first[1]) == (first[0], True)  # type: ignore[operator]


def test_a_contact_is_of_the_moment_when_the_machine_came(world: World) -> None:
    ids = deploying(world, "n01", "n02")
    now = [1000.0]
    contacts = Contacts(world.database, lambda: now[0], never)
    contacts.heard(ids["n01"])
    now[0] += 3
    contacts.heard(ids["n02"])
    contacts.write()
    (earlier, _), (later, _) = (contact(world, ids[node]) for node in ("n01", "n02"))
    assert (later - earlier).total_seconds() == pytest.approx(3)  # type: ignore[operator]


def test_a_machine_that_is_heard_elsewhere_keeps_nobody_waiting(world: World) -> None:
    ids = deploying(world, "n01", "n02")
    contacts = Contacts(world.database, later=never)
    with world.sql.begin() as connection:
        connection.execute(select(boot_contacts).where(boot_contacts.c.context_id == ids["n01"]).with_for_update())
        for context_id in ids.values():
            contacts.heard(context_id)
        contacts.write()
    assert [contact(world, ids[node])[0] is None for node in ("n01", "n02")] == [True, False]


def test_all_that_are_heard_in_a_moment_are_written_at_once() -> None:
    asked: list[Callable[[], None]] = []
    database = OutOfReach()
    contacts = Contacts(database, later=asked.append)
    for _ in range(100):
        contacts.heard(uuid4())
    assert len(asked) == 1
    asked[0]()
    asked[0]()
    assert database.asked == 1


def test_after_a_database_that_was_away_the_next_contact_is_written() -> None:
    database = OutOfReach()
    contacts, context_id = Contacts(database, later=never), uuid4()
    for _ in range(2):
        contacts.heard(context_id)
        contacts.write()
    assert database.asked == 2


def test_there_is_a_most_that_is_remembered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contacts_module, "_MOST", 2)
    asked: list[Callable[[], None]] = []
    contacts, machines_heard = Contacts(world.database, later=asked.append), [uuid4() for _ in range(3)]
    for context_id in (*machines_heard, machines_heard[2], machines_heard[0]):
        before = len(asked)
        contacts.heard(context_id)
        if len(asked) > before:
            asked[-1]()
    assert len(asked) == 4, "the third made it forget the first"
