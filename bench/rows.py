"""Rows as the worker would have left them, made wholesale."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Connection, create_engine, delete, func, insert, select, text
from ulid import ULID

from bench.servers import SECRET
from drydock.bootaction.keys import derive_key, key_digest
from drydock.bootaction.sealing import seal
from drydock.db.engine import driver_url
from drydock.db.tables import boot_actions, boot_bundles, boot_contacts, boot_contexts, tasks
from drydock.model.actions import Action
from drydock.model.boot_context import BundleKind
from drydock.model.task import Lane, TaskStatus

BATCH = 1000
#: Who made the tasks that stand here.
BENCH = "bench"


@dataclass(frozen=True, slots=True)
class Booting:
    """A node that is being installed."""

    name: str
    key: str
    task_id: UUID
    actions: tuple[str, ...]


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = create_engine(driver_url(url))
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def clear(url: str) -> None:
    with connected(url) as connection:
        connection.execute(text("TRUNCATE tasks, boot_contexts, boot_bundles, boot_actions, task_messages CASCADE"))


def analyze(url: str) -> None:
    """What autovacuum would have done by now: the planner knows the tables, and does not start on it meanwhile."""
    engine = create_engine(driver_url(url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("VACUUM ANALYZE"))
        connection.execute(text("CHECKPOINT"))
    engine.dispose()


def floor(url: str, nodes: int, size: int) -> None:
    """The table of ``floors.select``."""
    with connected(url) as connection:
        connection.execute(text("DROP TABLE IF EXISTS bench_floor"))
        connection.execute(text("CREATE TABLE bench_floor (name text PRIMARY KEY, content bytea NOT NULL)"))
        # As our bundles: random bytes are not worth an attempt to compress them.
        connection.execute(text("ALTER TABLE bench_floor ALTER COLUMN content SET STORAGE EXTERNAL"))
        for part in _parts(range(nodes)):
            connection.execute(
                text("INSERT INTO bench_floor VALUES (:name, :content)"),
                [{"name": node_name(number), "content": os.urandom(size)} for number in part],
            )


def node_name(number: int) -> str:
    return f"node{number:05}"


def site(url: str, nodes: int, size: int, *, actions: int = 0, first: int = 0) -> list[Booting]:
    """A deployment: a task, a subtask per node, each with its context, two bundles of ``size`` bytes and actions.

    Nodes are numbered from ``first``: a node has one live context.
    """
    root = uuid4()
    booting = []
    with connected(url) as connection:
        connection.execute(insert(tasks), [task_row(root, root, None, None)])
        for part in _parts(range(first, first + nodes)):
            made = [_Made(node_name(number), root, size, actions) for number in part]
            connection.execute(insert(tasks), [one.task for one in made])
            connection.execute(insert(boot_contexts), [one.context for one in made])
            connection.execute(insert(boot_contacts), [one.machine for one in made])
            connection.execute(insert(boot_bundles), [bundle for one in made for bundle in one.bundles])
            if actions:
                connection.execute(insert(boot_actions), [action for one in made for action in one.actions])
            booting += [one.booting for one in made]
    return booting


def forget_site(connection: Connection) -> int:
    """Delete what ``site`` made, and nothing else. Answers how many of its boot actions had a final status."""
    ours = tasks.c.created_by == BENCH
    finals = connection.scalar(
        select(func.count())
        .select_from(boot_actions.join(tasks, tasks.c.id == boot_actions.c.task_id))
        .where(ours, boot_actions.c.status.is_not(None))
    )
    connection.execute(delete(tasks).where(ours))
    return finals or 0


class _Made:
    """The rows of one node."""

    def __init__(self, name: str, root: UUID, size: int, actions: int) -> None:
        task_id, context_id = uuid4(), uuid4()
        key = derive_key(SECRET, context_id, name)
        ids = tuple(str(ULID()) for _ in range(actions))
        self.booting = Booting(name, key.hex(), task_id, ids)
        self.task = task_row(task_id, root, root, name)
        self.context = {
            "id": context_id,
            "node": name,
            "task_id": task_id,
            "key_digest": key_digest(key),
            "expires": datetime.now(UTC) + timedelta(hours=1),
        }
        self.machine = {"context_id": context_id, "task_id": task_id}
        self.bundles = [_bundle(context_id, name, kind, key, size) for kind in BundleKind]
        self.actions = [
            {
                "id": action_id,
                "context_id": context_id,
                "task_id": task_id,
                "node": name,
                "name": f"action{number}",
                "signaling": True,
            }
            for number, action_id in enumerate(ids)
        ]


def _bundle(context_id: UUID, name: str, kind: BundleKind, key: bytes, size: int) -> dict[str, object]:
    content = os.urandom(size)
    return {
        "context_id": context_id,
        "kind": kind.value,
        "sealed": seal(key, context_id=context_id, node=name, kind=kind.value, content=content),
        "size": size,
    }


def task_row(task_id: UUID, root: UUID, parent: UUID | None, node: str | None) -> dict[str, object]:
    """A running task that no worker will look at within the hour."""
    return {
        "id": task_id,
        "root_id": root,
        "parent_id": parent,
        "node": node,
        "action": (Action.DEPLOY_NODES if parent is None else Action.DEPLOY_NODE).value,
        "design_ref": "drydock://designs/none",
        "status": TaskStatus.RUNNING.value,
        "created_by": BENCH,
        "step": None if parent is None else "await_boot_actions",
        "lane": (Lane.TASK if parent is None else Lane.NODE).value,
        "wake_at": datetime.now(UTC) + timedelta(hours=1),
    }


def _parts(numbers: range) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), BATCH):
        yield numbers[start : start + BATCH]
