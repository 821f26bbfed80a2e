"""Witnesses inside the database: triggers that keep what was overwritten, in the order in which it happened.

They belong to the test and are made by it. Rows of one task or node are ordered by ``n``: who writes second waited for
the first's lock; so are rows of the nodes of one rollout, which lock their task. A change of a task is kept with what
was there before, lease included, the time of the writing, and when its transaction began.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from drydock.model.rollout import AWAIT_WAVE, CHECK_PLAN
from tests.chaos.stack import ChaosStack

_SET_UP = """
CREATE TABLE IF NOT EXISTS chaos_tasks (
    n bigint GENERATED ALWAYS AS IDENTITY, at timestamptz, began timestamptz, id uuid, parent_id uuid, node text,
    wave int, old_paused_by text, paused_by text,
    old_status text, status text, old_step text, step text, old_epoch bigint, epoch bigint,
    old_owner text, owner text, old_until timestamptz, old_terminate bool, terminate bool, old_result text, result text
);
CREATE TABLE IF NOT EXISTS chaos_holds (
    n bigint GENERATED ALWAYS AS IDENTITY, at timestamptz, node text, task_id uuid, taken bool
);
CREATE TABLE IF NOT EXISTS chaos_finals (
    n bigint GENERATED ALWAYS AS IDENTITY, at timestamptz, id text, old_status text, status text
);
CREATE TABLE IF NOT EXISTS chaos_shut (n bigint GENERATED ALWAYS AS IDENTITY, at timestamptz, node text, held bool);
CREATE OR REPLACE FUNCTION chaos_task() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO chaos_tasks (at, began, id, parent_id, node, wave, old_paused_by, paused_by,
        old_status, status, old_step, step, old_epoch, epoch, old_owner, owner,
        old_until, old_terminate, terminate, old_result, result)
    VALUES (clock_timestamp(), now(), NEW.id, NEW.parent_id, NEW.node, NEW.wave, OLD.paused_by, NEW.paused_by,
        OLD.status, NEW.status, OLD.step, NEW.step, OLD.lease_epoch,
        NEW.lease_epoch, OLD.lease_owner, NEW.lease_owner, OLD.lease_until, OLD.terminate, NEW.terminate,
        OLD.result_status, NEW.result_status);
    RETURN NULL; END $$;
CREATE OR REPLACE FUNCTION chaos_hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO chaos_holds (at, node, task_id, taken) VALUES (clock_timestamp(), OLD.node, OLD.task_id, false);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO chaos_holds (at, node, task_id, taken) VALUES (clock_timestamp(), NEW.node, NEW.task_id, true);
    END IF;
    RETURN NULL; END $$;
CREATE OR REPLACE FUNCTION chaos_shut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO chaos_shut (at, node, held) VALUES (clock_timestamp(), coalesce(NEW.node, OLD.node), TG_OP <> 'DELETE');
    RETURN NULL; END $$;
CREATE OR REPLACE FUNCTION chaos_final() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO chaos_finals (at, id, old_status, status) VALUES (clock_timestamp(), NEW.id, OLD.status, NEW.status);
    RETURN NULL; END $$;
CREATE OR REPLACE TRIGGER chaos_task AFTER UPDATE ON tasks FOR EACH ROW WHEN (
    (OLD.status, OLD.step, OLD.lease_epoch, OLD.terminate, OLD.result_status, OLD.paused_by)
    IS DISTINCT FROM (NEW.status, NEW.step, NEW.lease_epoch, NEW.terminate, NEW.result_status, NEW.paused_by)
) EXECUTE FUNCTION chaos_task();
CREATE OR REPLACE TRIGGER chaos_taken AFTER INSERT OR DELETE ON node_holds
    FOR EACH ROW EXECUTE FUNCTION chaos_hold();
CREATE OR REPLACE TRIGGER chaos_passed AFTER UPDATE ON node_holds
    FOR EACH ROW WHEN (OLD.task_id <> NEW.task_id) EXECUTE FUNCTION chaos_hold();
CREATE OR REPLACE TRIGGER chaos_shut AFTER INSERT OR UPDATE OR DELETE ON operator_holds
    FOR EACH ROW EXECUTE FUNCTION chaos_shut();
CREATE OR REPLACE TRIGGER chaos_final AFTER UPDATE ON boot_actions
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION chaos_final();
"""


CLOSED = ("complete", "terminated")
#: Steps of a node's task that has not begun.
UNBEGUN = (None, AWAIT_WAVE, CHECK_PLAN)


@dataclass(frozen=True, slots=True)
class TaskChange:
    n: int
    at: datetime
    began: datetime
    id: UUID
    parent_id: UUID | None
    node: str | None
    wave: int | None
    old_paused_by: str | None
    paused_by: str | None
    old_status: str
    status: str
    old_step: str | None
    step: str | None
    old_epoch: int
    epoch: int
    old_owner: str | None
    owner: str | None
    old_until: datetime | None
    old_terminate: bool
    terminate: bool
    old_result: str
    result: str

    @property
    def claimed(self) -> bool:
        return self.epoch != self.old_epoch

    @property
    def progressed(self) -> bool:
        """Whether a worker wrote down the outcome of a step."""
        return self.step != self.old_step or (self.status != self.old_status and not self.terminated_now)

    @property
    def by_its_rollout(self) -> bool:
        """Whether it was written for its task, which needs no lease of it: it begins, waits for its wave, or ends
        before it has begun.
        """
        unbegun = self.old_step in UNBEGUN and self.step in UNBEGUN
        return self.old_status == "queued" and unbegun and self.status in ("queued", "terminated")

    @property
    def begins(self) -> bool:
        return self.old_status == "queued" and self.status == "running"

    @property
    def pauses(self) -> bool:
        return self.paused_by is not None and self.old_paused_by is None

    @property
    def ends(self) -> bool:
        return self.status in CLOSED and self.old_status not in CLOSED

    @property
    def terminated_now(self) -> bool:
        return self.terminate and not self.old_terminate


@dataclass(frozen=True, slots=True)
class Hold:
    """Who held a node, from when to when; ``until`` is None while it lasts."""

    node: str
    task_id: UUID
    since: datetime
    until: datetime | None


def install(stack: ChaosStack) -> None:
    stack.query(_SET_UP)


def task_changes(stack: ChaosStack, after: int) -> dict[UUID, list[TaskChange]]:
    """By task, in order. ``after``: the last ``n`` of the round before."""
    found: dict[UUID, list[TaskChange]] = {}
    columns = ", ".join(TaskChange.__slots__)
    for row in stack.query(f"SELECT {columns} FROM chaos_tasks WHERE n > %s ORDER BY n", after):  # noqa: S608
        change = TaskChange(*row)
        parent_id = None if change.parent_id is None else _uuid(change.parent_id)
        change = replace(change, id=_uuid(change.id), parent_id=parent_id)
        found.setdefault(change.id, []).append(change)
    return found


def last(stack: ChaosStack, table: str) -> int:
    return int(stack.query(f"SELECT coalesce(max(n), 0) FROM {table}")[0][0])  # noqa: S608


def holds(stack: ChaosStack, after: int) -> tuple[dict[str, list[Hold]], list[str]]:
    """By node, one after the other; and what is wrong with that order."""
    found: dict[str, list[Hold]] = {}
    wrong: list[str] = []
    rows = stack.query("SELECT node, task_id, taken, at FROM chaos_holds WHERE n > %s ORDER BY n", after)
    for node, task_id, taken, at in rows:
        of_node = found.setdefault(node, [])
        present = of_node[-1] if of_node and of_node[-1].until is None else None
        if taken:
            if present is not None:
                wrong.append(f"{node} was taken by {task_id} while {present.task_id} held it")
            of_node.append(Hold(node, _uuid(task_id), at, None))
        elif present is None or present.task_id != _uuid(task_id):
            wrong.append(f"{node} was let go by {task_id}, which did not hold it")
        else:
            of_node[-1] = Hold(node, present.task_id, present.since, at)
    return found, wrong


def shut(stack: ChaosStack, after: int) -> dict[str, list[tuple[datetime, bool]]]:
    """By node, when an operator's hold of it came (true) and went."""
    found: dict[str, list[tuple[datetime, bool]]] = {}
    for node, at, held in stack.query("SELECT node, at, held FROM chaos_shut WHERE n > %s ORDER BY n", after):
        found.setdefault(node, []).append((at, held))
    return found


def finals(stack: ChaosStack, after: int) -> dict[str, list[tuple[str | None, str]]]:
    found: dict[str, list[tuple[str | None, str]]] = {}
    for action, old, new in stack.query("SELECT id, old_status, status FROM chaos_finals WHERE n > %s", after):
        found.setdefault(action, []).append((old, new))
    return found


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)
