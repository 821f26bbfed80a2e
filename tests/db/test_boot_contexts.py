"""Boot contexts: one live one for each node."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import Connection, func, update

from drydock.db.tables import boot_contexts
from drydock.db.unit_of_work import UnitOfWork
from drydock.errors import BootContextNotFound
from tests.factories.rows import add_boot, add_task, boot


def test_a_new_context_replaces_the_one_before(uow: UnitOfWork) -> None:
    first, second = add_boot(uow).context, add_boot(uow).context
    assert uow.boot_contexts.get(second.id).packages == {"vim": None}
    with pytest.raises(BootContextNotFound):
        uow.boot_contexts.get(first.id)


def test_an_ended_or_expired_context_serves_nothing(connection: Connection, uow: UnitOfWork) -> None:
    contexts = [add_boot(uow, "n1").context, add_boot(uow, "n2").context]
    uow.boot_contexts.end(["n1", "n3"])
    connection.execute(
        update(boot_contexts).where(boot_contexts.c.node == "n2").values(expires=func.now() - func.make_interval(1))
    )
    for context in contexts:
        with pytest.raises(BootContextNotFound):
            uow.boot_contexts.get(context.id)
        assert uow.boot_contexts.live_context(context.node) is None
        assert uow.boot_contexts.of_tasks([context.task_id]) == {}
        assert uow.boot_contexts.live_of_tasks([context.task_id]) == {}


def test_contexts_by_task(uow: UnitOfWork) -> None:
    context = add_boot(uow).context
    (found,) = uow.boot_contexts.of_tasks([context.task_id, uuid4()]).values()
    assert (found.id, found.node, found.key_digest) == (context.id, "n1", context.key_digest)
    assert uow.boot_contexts.live_of_tasks([context.task_id]) == {context.task_id: context.id}
    uow.boot_contexts.end_of_tasks([context.task_id])
    assert uow.boot_contexts.live_of_tasks([context.task_id]) == {}


def test_the_lifetime_begins_when_it_is_stored(uow: UnitOfWork) -> None:
    found = uow.boot_contexts.get(add_boot(uow).context.id)
    assert (found.expires - found.created).total_seconds() == 3600


def test_names_are_compared_as_dns_does_and_the_exact_one_first(uow: UnitOfWork) -> None:
    lower, upper = add_boot(uow, "node").context, add_boot(uow, "NODE").context
    assert uow.boot_contexts.live_context("node") == lower.id
    assert uow.boot_contexts.live_context("NODE") == upper.id
    assert uow.boot_contexts.live_context("Node") in (lower.id, upper.id)


def test_large_bundles_are_stored_in_parts(uow: UnitOfWork) -> None:
    prepared = [boot(add_task(uow), f"n{number}") for number in range(3)]
    large = [
        replace(each, bundles=[replace(bundle, sealed=bytes(5 * 1024 * 1024)) for bundle in each.bundles])
        for each in prepared
    ]
    uow.boot_contexts.replace(large)
    assert set(uow.boot_contexts.of_tasks([each.context.task_id for each in prepared])) == {
        each.context.task_id for each in prepared
    }
