"""A trigger that keeps each change of a task's state, in the order in which the changes were written.

It belongs to the tests and is taken away by them. Subtasks of one rollout that begin or fail wait for the lock of their
task, so that the order in the table is that of the commits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Engine, text

_SET_UP = """
CREATE TABLE proof_changes (
    n bigint GENERATED ALWAYS AS IDENTITY, id uuid, parent_id uuid, node text, wave int,
    old_step text, step text, old_status text, status text, result text, terminate bool
);
CREATE FUNCTION proof_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO proof_changes (id, parent_id, node, wave, old_step, step, old_status, status, result, terminate)
    VALUES (NEW.id, NEW.parent_id, NEW.node, NEW.wave, OLD.step, NEW.step, OLD.status, NEW.status, NEW.result_status,
        NEW.terminate);
    RETURN NULL; END $$;
CREATE TRIGGER proof_change AFTER UPDATE ON tasks FOR EACH ROW
    WHEN ((OLD.status, OLD.step) IS DISTINCT FROM (NEW.status, NEW.step)) EXECUTE FUNCTION proof_change();
"""
_TAKE_DOWN = "DROP TRIGGER IF EXISTS proof_change ON tasks; DROP FUNCTION IF EXISTS proof_change; \
DROP TABLE IF EXISTS proof_changes"
CLOSED = ("complete", "terminated")


@dataclass(frozen=True, slots=True)
class Seen:
    node: str
    wave: int | None
    old_step: str | None
    step: str | None
    old_status: str
    status: str
    result: str
    terminate: bool

    @property
    def begins(self) -> bool:
        return self.old_status == "queued" and self.status == "running"

    @property
    def ends(self) -> bool:
        return self.status in CLOSED and self.old_status not in CLOSED

    @property
    def fails(self) -> bool:
        """As a budget counts: it began, and was not terminated by an operator."""
        begun = self.old_status != "queued"
        return self.ends and begun and self.result == "failure" and not self.terminate


@contextmanager
def watched(engine: Engine) -> Iterator[None]:
    with engine.begin() as connection:
        connection.execute(text(_TAKE_DOWN))
        connection.execute(text(_SET_UP))
    try:
        yield
    finally:
        with engine.begin() as connection:
            connection.execute(text(_TAKE_DOWN))


def seen(engine: Engine, task_id: UUID) -> Sequence[Seen]:
    """What became of a task and its nodes, in order; of the task itself ``node`` is empty."""
    columns = ", ".join(Seen.__slots__)
    columns = columns.replace("node", "coalesce(node, '')", 1)
    statement = text(f"SELECT {columns} FROM proof_changes WHERE :task IN (id, parent_id) ORDER BY n")  # noqa: S608
    with engine.connect() as connection:
        return [Seen(*row) for row in connection.execute(statement, {"task": task_id})]
