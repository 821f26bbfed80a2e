"""What the worker would have left in the database."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from ulid import ULID

from drydock.bootaction.keys import derive_key, events_token, key_digest
from drydock.bootaction.sealing import seal
from drydock.db.database import Database
from drydock.model.actions import Action
from drydock.model.boot_action import BootAction
from drydock.model.boot_context import BootContext, BundleKind, PreparedBoot, SealedBundle
from drydock.model.message import NewMessage
from drydock.model.task import Lane, NewTask, Task
from tests.factories.settings import SECRET


@dataclass(frozen=True)
class BootedNode:
    """A node that is being installed: its name, its key on the wire, its boot actions by name."""

    name: str
    key: str
    task_id: UUID
    actions: dict[str, str]
    tarballs: dict[BundleKind, bytes]

    @property
    def header(self) -> dict[str, str]:
        return {"X-Bootaction-Key": self.key}


def tarball(name: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo(f"/etc/{name}")
        member.size = len(name)
        tar.addfile(member, io.BytesIO(name.encode()))
    return packed.getvalue()


class Seeds:
    def __init__(self, database: Database) -> None:
        self.database = database

    def task(self, *, created_by: str = "admin", action: Action = Action.DEPLOY_NODES, **more: Any) -> Task:
        new = NewTask(action, "drydock://designs/x", created_by, **more)
        with self.database.unit_of_work() as uow:
            task = uow.task_queue.add(new, request_digest=None)
            uow.commit()
        return task

    def tree(self, *nodes: str, **more: Any) -> tuple[Task, tuple[Task, ...]]:
        """A task, by default a deployment, and the subtasks of nodes."""
        parent = self.task(**more)
        with self.database.unit_of_work() as uow:
            uow.task_queue.add_subtasks(parent, Action.DEPLOY_NODE, nodes, lane=Lane.NODE, start_rate=1e9)
            uow.commit()
        with self.database.unit_of_work() as uow:
            return parent, uow.tasks.children(parent.id)

    def message(self, task_id: UUID, text: str, *, error: bool) -> None:
        with self.database.unit_of_work() as uow:
            uow.messages.add([NewMessage(task_id, text, error)])
            uow.commit()

    def build_data(self, node: str, task_id: UUID, *elements: str) -> None:
        with self.database.unit_of_work() as uow:
            for element in elements:
                uow.build_data.add(
                    node=node, task_id=task_id, generator="lshw", data_format="text/plain", data_element=element
                )
            uow.commit()

    def booted_node(self, name: str = "n01") -> BootedNode:
        _, (task,) = self.tree(name)
        context_id = uuid4()
        key = derive_key(SECRET, context_id, name)
        now = datetime.now(UTC)
        context = BootContext(context_id, name, task.id, key_digest(key), now, now + timedelta(hours=1))
        tarballs = {kind: tarball(kind.value) for kind in BundleKind}
        bundles = [
            SealedBundle(
                context_id,
                kind,
                seal(key, context_id=context_id, node=name, kind=kind.value, content=content),
                len(content),
            )
            for kind, content in tarballs.items()
        ]
        actions = {"greet": str(ULID()), "quiet": str(ULID())}
        with self.database.unit_of_work() as uow:
            uow.boot_contexts.replace(
                [
                    PreparedBoot(
                        context,
                        bundles,
                        [
                            BootAction(given, context_id, task.id, name, action, signaling=action != "quiet")
                            for action, given in actions.items()
                        ],
                        events_digest=key_digest(events_token(key)),
                        lifetime_seconds=3600,
                        contents={},
                    )
                ]
            )
            uow.commit()
        return BootedNode(name, key.hex(), task.id, actions, tarballs)
