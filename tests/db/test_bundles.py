"""The bundle that a booting machine fetches."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, func, update

from drydock.db.database import Database
from drydock.db.tables import boot_contexts
from drydock.errors import BootContextNotFound
from drydock.model.boot_context import BundleKind, PreparedBoot, StoredBundle
from tests.factories.rows import add_boot


def stored(database: Database, node: str) -> PreparedBoot:
    with database.unit_of_work() as uow:
        prepared = add_boot(uow, node)
        uow.commit()
    return prepared


@pytest.mark.parametrize("kind", BundleKind)
def test_a_bundle_comes_with_what_opens_it(database: Database, kind: BundleKind) -> None:
    context = stored(database, "n1").context
    assert database.bundle("N1", kind) == StoredBundle(
        context.id, "n1", context.key_digest, b"sealed " + kind.value.encode()
    )


def test_nothing_secret_is_shown(database: Database) -> None:
    stored(database, "n1")
    assert "sealed" not in repr(database.bundle("n1", BundleKind.FILE))


def test_where_names_differ_in_case_each_machine_gets_its_own(database: Database) -> None:
    lower, upper = stored(database, "n1"), stored(database, "N1")
    assert database.bundle("n1", BundleKind.FILE).context_id == lower.context.id
    assert database.bundle("N1", BundleKind.FILE).context_id == upper.context.id


def test_an_ended_or_expired_context_has_no_bundle(database: Database, engine: Engine) -> None:
    stored(database, "n1")
    stored(database, "n2")
    with database.unit_of_work() as uow:
        uow.boot_contexts.end(["n1"])
        uow.commit()
    with engine.begin() as connection:
        connection.execute(
            update(boot_contexts).where(boot_contexts.c.node == "n2").values(expires=func.now() - func.make_interval(1))
        )
    for node in ("n1", "n2", "n3"):
        with pytest.raises(BootContextNotFound):
            database.bundle(node, BundleKind.FILE)
