"""The promises of waves, budgets, pauses, holds and plans."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from drydock.model.actions import CHANGES_NODE
from tests.chaos.audit import TaskChange
from tests.chaos.evidence import Evidence, TaskRow

#: What a plan's decisions are done by.
BY_DECISION = {"deploy": "deploy_node", "redeploy": "deploy_node", "destroy": "destroy_node"}


def waves_follow_each_other(evidence: Evidence) -> Iterator[str]:
    """A node begins when all of the waves before its own have ended."""
    for task in _rollouts(evidence):
        still = {sub.id: sub.wave or 0 for sub in evidence.subtasks(task.id)}
        waves = dict(still)
        for change in _of_nodes(evidence, task):
            before = [sub for sub, wave in still.items() if wave < waves[change.id]]
            if change.begins and before:
                yield f"{task.id}: {change.node} of wave {waves[change.id]} began before {len(before)} had ended"
            if change.ends:
                still.pop(change.id, None)


def a_spent_budget_lets_nothing_begin(evidence: Evidence) -> Iterator[str]:
    """Failures are at most the budget and what was in flight when it was spent."""
    for task in _rollouts(evidence):
        failed = 0
        for change in _of_nodes(evidence, task):
            if change.begins and task.budget is not None and failed >= task.budget:
                yield f"{task.id}: {change.node} began after {failed} failed; the budget is {task.budget}"
            begun = change.old_status != "queued"
            failed += change.ends and begun and change.result == "failure" and not change.terminate


def a_paused_task_begins_nothing(evidence: Evidence) -> Iterator[str]:
    for task in _rollouts(evidence):
        changes = [*_of_nodes(evidence, task), *evidence.changes.get(task.id, ())]
        paused: str | None = None
        for change in sorted(changes, key=lambda change: change.n):
            if change.id == task.id:
                paused = change.paused_by
            elif change.begins and paused is not None:
                yield f"{task.id}: {change.node} began while it was paused by {paused}"
    for entry in evidence.log.entries("pause", "resume"):
        # A task that has ended, or has no rollout.
        if entry["status"] not in (None, 200, 409, 503):
            yield f"{entry['event']} answered {entry['status']}"


def held_nodes_are_left_alone(evidence: Evidence) -> Iterator[str]:
    """From the moment at which an operator was told that a node is held, until the hold went."""
    for entry in evidence.log.entries("hold", "release"):
        if entry["status"] not in (None, 200, 204, 404, 409, 503):
            yield f"{entry['event']} answered {entry['status']}"
    for entry in evidence.log.entries("hold"):
        told, node = datetime.fromisoformat(entry["at"]), entry["node"]
        before = [held for at, held in evidence.shut.get(node, ()) if at <= told]
        if entry["status"] != 200 or not before or not before[-1]:
            continue
        until = next((at for at, held in evidence.shut[node] if at > told and not held), None)
        for change in _begun(evidence, node):
            # What a transaction read that had begun before it could not know of the hold.
            if change.began > told and (until is None or change.at < until):
                yield f"{node} was held from {told} until {until}, and {change.id} began at {change.at}"


def plans_are_done_as_they_say(evidence: Evidence) -> Iterator[str]:
    """Each node of the task is one that the plan changes, by what does that; a task that went its way has all."""
    for entry in evidence.log.entries("plan"):
        if entry["status"] not in (None, 201, 503):
            yield f"POST /plans answered {entry['status']}"
    for task in evidence.tasks.values():
        if task.plan is None or task.parent_id is not None:
            continue
        planned = {node: BY_DECISION[made] for node, made in evidence.planned[task.plan].items() if made in BY_DECISION}
        done = {sub.node or "": sub for sub in evidence.subtasks(task.id)}
        for node, sub in done.items():
            if planned.get(node) != sub.action:
                yield f"{task.id}: {node} had {sub.action}; the plan says {planned.get(node)}"
            elif sub.force != (evidence.planned[task.plan][node] == "redeploy"):
                yield f"{task.id}: {node} was {'' if sub.force else 'not '}installed by force"
        if done and set(done) != set(planned):
            yield f"{task.id}: the plan changes {sorted(planned)}, and the task had {sorted(done)}"


def _rollouts(evidence: Evidence) -> Iterator[TaskRow]:
    return (task for task in evidence.tasks.values() if task.parent_id is None and task.wave is not None)


def _of_nodes(evidence: Evidence, task: TaskRow) -> Sequence[TaskChange]:
    """Changes of its subtasks, in the order in which they were written."""
    found = [change for sub in evidence.subtasks(task.id) for change in evidence.changes.get(sub.id, ())]
    return sorted(found, key=lambda change: change.n)


def _begun(evidence: Evidence, node: str) -> Iterator[TaskChange]:
    def of(task_id: UUID) -> bool:
        task = evidence.tasks.get(task_id)
        return task is not None and task.node == node and task.action in CHANGES_NODE

    for task_id, changes in evidence.changes.items():
        if of(task_id):
            yield from (change for change in changes if change.begins)
