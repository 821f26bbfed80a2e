"""A few seeds of chaos, short enough for every run of the tests; ``make chaos`` does more.

And the proof is put to the proof: each check finds what it is there for in evidence that was tampered with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.chaos import audit
from tests.chaos.checks import violations
from tests.chaos.client_log import ClientLog
from tests.chaos.evidence import Evidence, StepEnd, TaskRow
from tests.chaos.rounds import Size, run_round
from tests.chaos.stack import ChaosStack

SEEDS = (5, 6)
SHORT = Size(small=1, large=6, fault_seconds=3.0, mean_pause=0.35)

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChaosStack]:
    with ChaosStack(tmp_path_factory.mktemp("chaos") / "site") as stack:
        audit.install(stack)
        yield stack


@pytest.fixture(scope="module")
def evidence(stack: ChaosStack, tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """Of the rounds of all seeds, the last."""
    directory = tmp_path_factory.mktemp("rounds")
    for seed in SEEDS:
        result, found = run_round(stack, seed, SHORT, directory / str(seed))
        assert not result.violations, "\n".join(result.violations)
        assert result.faults.total() >= 3
        assert result.counted["claims"] > 10
    return found


def test_every_promise_is_kept(evidence: Evidence) -> None:
    assert violations(evidence) == []


def _told(evidence: Evidence, directory: Path, event: str, **fields: object) -> Evidence:
    """The same, with a line more in the clients' log."""
    path = directory / "clients.jsonl"
    path.write_text(evidence.log.text())
    log = ClientLog(path)
    log.write(event, **fields)
    log.close()
    return replace(evidence, log=log)


def lost_task(evidence: Evidence, directory: Path) -> Evidence:
    nobody = str(UUID(int=1))
    return _told(evidence, directory, "create", status=201, key="lost", task_id=nobody)


def open_task(evidence: Evidence, directory: Path) -> Evidence:
    some = next(iter(evidence.tasks.values()))
    return replace(evidence, tasks={**evidence.tasks, some.id: some._replace(status="running")})


def lost_report(evidence: Evidence, directory: Path) -> Evidence:
    action = next(iter(evidence.actions))
    return _told(evidence, directory, "report", action=action, final=None, message="lost", status=200)


def doubled_report(evidence: Evidence, directory: Path) -> Evidence:
    action = next(iter(evidence.actions))
    told = _told(evidence, directory, "report", action=action, final=None, message="twice", status=200)
    return replace(told, stored=[*told.stored, (action, "twice"), (action, "twice")])


def second_final(evidence: Evidence, directory: Path) -> Evidence:
    action = next(a for a, changes in evidence.finals.items() if changes)
    return replace(evidence, finals={**evidence.finals, action: [*evidence.finals[action], ("success", "failure")]})


def second_writer(evidence: Evidence, directory: Path) -> Evidence:
    node = next(name for name, holds in evidence.holds.items() if holds)
    return replace(evidence, holds={name: holds for name, holds in evidence.holds.items() if name != node})


def zombie(evidence: Evidence, directory: Path) -> Evidence:
    task_id, changes = next((i, c) for i, c in evidence.changes.items() if any(one.progressed for one in c))
    late = next(change for change in changes if change.progressed and not change.claimed)
    assert late.old_until is not None
    late = replace(late, old_until=late.at - timedelta(seconds=1))
    return replace(evidence, changes={**evidence.changes, task_id: [*changes, late]})


def step_after_terminate(evidence: Evidence, directory: Path) -> Evidence:
    task = next(task for task in evidence.tasks.values() if task.action == "deploy_nodes")
    change = next(iter(evidence.changes[task.id]))
    stopped = replace(change, terminate=True, old_terminate=False, step="resolve_design")
    later = StepEnd(stopped.at + timedelta(seconds=1), "w1", task.id, "await_nodes", "done")
    return replace(evidence, changes={**evidence.changes, task.id: [stopped]}, steps=[*evidence.steps, later])


def false_success(evidence: Evidence, directory: Path) -> Evidence:
    task = next(t for t in evidence.tasks.values() if t.action == "deploy_node" and t.id in evidence.contexts)
    machine = {**evidence.machines[task.node or ""], "history": []}
    good = task._replace(result="success", status="complete")
    return replace(
        evidence,
        tasks={**evidence.tasks, task.id: good},
        machines={**evidence.machines, task.node or "": machine},
    )


def _node_of_a_rollout(evidence: Evidence) -> tuple[TaskRow, TaskRow, Sequence[audit.TaskChange]]:
    """A task in waves, one of its nodes, and what became of that; the node began and ended."""
    for task in evidence.tasks.values():
        if task.parent_id is None and task.wave is not None:
            for sub in evidence.subtasks(task.id):
                changes = evidence.changes.get(sub.id, ())
                if any(change.begins for change in changes) and any(change.ends for change in changes):
                    return task, sub, changes
    raise AssertionError("no node of a rollout began")


def _once_more(evidence: Evidence, begun: audit.TaskChange, task: TaskRow, **fields: Any) -> Evidence:
    """As if another node of this task had begun after all others."""
    last = max(change.n for changes in evidence.changes.values() for change in changes)
    other = replace(begun, id=UUID(int=7), node="other", n=last + 1, **fields)
    sub = next(sub for sub in evidence.subtasks(task.id) if sub.id == begun.id)
    twin = sub._replace(id=other.id, node="other", wave=fields.get("wave", sub.wave))
    return replace(
        evidence,
        tasks={**evidence.tasks, twin.id: twin},
        changes={**evidence.changes, other.id: [other]},
    )


def began_after_the_budget(evidence: Evidence, directory: Path) -> Evidence:
    task, _, changes = _node_of_a_rollout(evidence)
    begun = next(change for change in changes if change.begins)
    failed = [replace(change, result="failure", terminate=False) if change.ends else change for change in changes]
    more = _once_more(evidence, begun, task)
    return replace(
        more,
        tasks={**more.tasks, task.id: task._replace(budget=1)},
        changes={**more.changes, begun.id: failed},
    )


def began_before_its_wave(evidence: Evidence, directory: Path) -> Evidence:
    task, sub, changes = _node_of_a_rollout(evidence)
    begun = next(change for change in changes if change.begins)
    more = _once_more(evidence, begun, task, wave=99)
    return replace(more, changes={**more.changes, sub.id: [change for change in changes if not change.ends]})


def began_in_a_pause(evidence: Evidence, directory: Path) -> Evidence:
    task, _, changes = _node_of_a_rollout(evidence)
    begun = next(change for change in changes if change.begins)
    pause = replace(begun, id=task.id, node=None, n=begun.n - 1, old_status="running", paused_by="ann")
    mine = [*evidence.changes.get(task.id, ()), pause]
    return replace(evidence, changes={**evidence.changes, task.id: sorted(mine, key=lambda change: change.n)})


def began_while_held(evidence: Evidence, directory: Path) -> Evidence:
    _, sub, changes = _node_of_a_rollout(evidence)
    begun = next(change for change in changes if change.begins)
    told = _told(evidence, directory, "hold", status=200, node=sub.node)
    now = datetime.now(UTC)
    later = replace(begun, began=now + timedelta(seconds=1), at=now + timedelta(seconds=2))
    return replace(
        told,
        shut={**told.shut, sub.node or "": [(now - timedelta(seconds=5), True)]},
        changes={**told.changes, sub.id: [later]},
    )


def outside_the_plan(evidence: Evidence, directory: Path) -> Evidence:
    task, sub, _ = _node_of_a_rollout(evidence)
    return replace(
        evidence,
        tasks={**evidence.tasks, task.id: task._replace(plan="p")},
        planned={**evidence.planned, "p": {sub.node or "": "keep"}},
    )


@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        (lost_task, "acknowledged and does not exist"),
        (open_task, "acknowledged_tasks_exist_and_have_ended"),
        (lost_report, "is stored 0 times"),
        (doubled_report, "is stored 2 times"),
        (second_final, "got its final status more than once"),
        (second_writer, "without holding"),
        (zombie, "was written without a lease"),
        (step_after_terminate, "ran await_nodes"),
        (false_success, "its machine never was"),
        (began_after_the_budget, "a_spent_budget_lets_nothing_begin"),
        (began_before_its_wave, "waves_follow_each_other"),
        (began_in_a_pause, "a_paused_task_begins_nothing"),
        (began_while_held, "held_nodes_are_left_alone"),
        (outside_the_plan, "plans_are_done_as_they_say"),
    ],
)
def test_the_proof_would_find_it(
    evidence: Evidence, tmp_path: Path, tamper: Callable[[Evidence, Path], Evidence], found: str
) -> None:
    told = violations(tamper(evidence, tmp_path))
    assert any(found in violation for violation in told), told
