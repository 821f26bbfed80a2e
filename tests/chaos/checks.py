"""The proof: each check takes the evidence of a round and names every violation of one promise."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from drydock.model.actions import Action
from drydock.orchestrator.workflows.table import WORKFLOWS
from tests.chaos.audit import Hold
from tests.chaos.evidence import Evidence, Post, TaskRow, posts
from tests.chaos.rollout_checks import (
    a_paused_task_begins_nothing,
    a_spent_budget_lets_nothing_begin,
    held_nodes_are_left_alone,
    plans_are_done_as_they_say,
    waves_follow_each_other,
)

CLOSED = ("complete", "terminated")
#: Between the clock that a statement read and the one that its trigger read.
TOLERANCE = timedelta(milliseconds=100)
Check = Callable[[Evidence], Iterator[str]]


def acknowledged_tasks_exist_and_have_ended(evidence: Evidence) -> Iterator[str]:
    told: dict[str, set[str]] = defaultdict(set)
    for entry in evidence.log.entries("create"):
        if entry["status"] == 201:
            told[entry["key"]].add(entry["task_id"])
        elif entry["status"] not in (None, 503) and (entry["action"], entry["reason"]) != ("apply_plan", "plan_stale"):
            yield f"POST /tasks answered {entry['status']} {entry['reason']}"
    # The key is stored behind the id of its user.
    by_key = Counter(task.key.partition(":")[2] for task in evidence.tasks.values() if task.key is not None)
    for key, ids in told.items():
        if len(ids) != 1 or by_key[key] != 1:
            yield f"request {key} was acknowledged as {sorted(ids)}, and {by_key[key]} tasks have its key"
        for task_id in ids:
            if UUID(task_id) not in evidence.tasks:
                yield f"task {task_id} was acknowledged and does not exist"
    for task in evidence.tasks.values():
        if task.status not in CLOSED or task.result == "incomplete":
            yield f"{task.action} {task.id} of {task.node}: {task.status}, {task.result}, {task.step}: {task.waits_for}"
    yield from (f"{held} is still held" for held in evidence.held)


def acknowledged_endings_stay(evidence: Evidence) -> Iterator[str]:
    """What an operator was told of a task that had ended is what is there now."""
    for entry in evidence.log.entries("ended"):
        task, told = evidence.tasks[UUID(entry["task_id"])], entry["result"]
        now = {"status": task.result, "successes": task.successes, "failures": task.failures}
        if (entry["status"], told) != (task.status, now):
            yield f"task {task.id} had ended as {told}, and is now {now}"


def acknowledged_reports_are_stored_once(evidence: Evidence) -> Iterator[str]:
    stored = Counter(evidence.stored)
    for entry in evidence.log.entries("report"):
        times, status = stored[entry["action"], entry["message"]], entry["status"]
        if status == 200 and times != 1:
            yield f"{entry['message']!r} was acknowledged and is stored {times} times"
        elif status is not None and 400 <= status < 500 and times:
            yield f"{entry['message']!r} was refused with {status} and is stored"
        elif times > 1:
            yield f"{entry['message']!r} is stored {times} times"
        elif status is not None and status >= 500 and status != 503:
            yield f"{entry['message']!r} was answered with {status}"
    for name, machine in evidence.machines.items():
        yield from _machine_reports(evidence, stored, name, machine)


def _machine_reports(
    evidence: Evidence, stored: Mapping[tuple[str, str], int], name: str, machine: Mapping[str, Any]
) -> Iterator[str]:
    """Machines' messages are all alike: they are counted. A machine that loses power forgets the answer it got."""
    lost_power = sum(entry["event"] == "power off" for entry in machine["history"])
    by_action: dict[str, list[Post]] = defaultdict(list)
    for post in posts(machine):
        by_action[post.action].append(post)
        if post.status is not None and post.status >= 500 and post.status != 503:
            yield f"{name} was answered with {post.status}"
    for action, made in by_action.items():
        if action not in evidence.actions:
            yield f"{name} reported on {action}, which does not exist"
        progress = [post for post in made if post.final is None]
        told = sum(post.status == 200 for post in progress)
        unknown = sum(post.status is None or post.status >= 500 for post in progress) + lost_power
        times = stored[action, f"{name} runs the boot action"]
        if not told <= times <= told + unknown:
            yield f"{name}, {action}: {told} messages acknowledged, {unknown} unanswered, {times} stored"
        texts = {"success": "the boot action is done", "failure": "the boot action failed"}
        for final, text in texts.items():
            if any(post.final == final and post.status == 200 for post in made) and stored[action, text] != 1:
                yield f"{name}, {action}: the final {final} was acknowledged, {stored[action, text]} stored"


def at_most_one_final_status(evidence: Evidence) -> Iterator[str]:
    told, unsure = _told_finals(evidence)
    for action, changes in evidence.finals.items():
        if len(changes) != 1 or changes[0][0] is not None:
            yield f"{action} got its final status more than once: {changes}"
    for action, row in evidence.actions.items():
        if len(told[action]) > 1:
            yield f"{action}: {len(told[action])} finals were acknowledged: {told[action]}"
        if told[action] and row.status != told[action][0]:
            yield f"{action}: {told[action][0]} was acknowledged, {row.status} is stored"
        if row.status is not None and not told[action] and action not in unsure:
            yield f"{action}: {row.status} is stored, and nobody was told so"


def _told_finals(evidence: Evidence) -> tuple[Mapping[str, list[str]], set[str]]:
    """By boot action, the finals that were acknowledged; and the actions of which somebody got no answer."""
    told: dict[str, list[str]] = defaultdict(list)
    unsure: set[str] = set()
    made = [Post(e["action"], e["final"], e["status"]) for e in evidence.log.entries("report")]
    for machine in evidence.machines.values():
        its = posts(machine)
        made.extend(its)
        # What it was told in the moment in which it lost its power, it does not know.
        if any(entry["event"] == "power off" for entry in machine["history"]):
            unsure.update(post.action for post in its)
    for post in made:
        if post.final and post.status == 200:
            told[post.action].append(post.final)
        elif post.status is None or post.status >= 500:
            unsure.add(post.action)
    return told, unsure


def one_writer_per_node(evidence: Evidence) -> Iterator[str]:
    """Steps of a node's task, and the deployments that its machine saw, lie within the time that the task held it."""
    yield from evidence.hold_errors
    for task_id, changes in evidence.changes.items():
        task = evidence.tasks.get(task_id)
        if task is None or task.node is None:
            continue
        mine = [hold for hold in evidence.holds.get(task.node, ()) if hold.task_id == task_id]
        for change in changes:
            # What ends before it has begun has not had its node.
            unbegun = change.by_its_rollout or (change.ends and change.old_status == "queued")
            if change.progressed and not unbegun and not _within(change.at, mine):
                yield f"{task.action} {task_id} wrote {change.old_step} → {change.step} without holding {task.node}"
    by_context = {str(context): task for task, context in evidence.contexts.items()}
    for name, machine in evidence.machines.items():
        for moment, deployment in _deployments(machine):
            owner = by_context.get(deployment)
            if owner is None:
                yield f"{name} was given deployment {deployment}, which no task has"
            elif not _within(moment, [h for h in evidence.holds.get(name, ()) if h.task_id == owner]):
                yield f"{name} was given deployment {deployment} when its task {owner} did not hold it"


def _within(moment: datetime, holds: list[Hold]) -> bool:
    return any(
        hold.since - TOLERANCE <= moment and (hold.until is None or moment <= hold.until + TOLERANCE) for hold in holds
    )


def _deployments(machine: Mapping[str, Any]) -> Iterator[tuple[datetime, str]]:
    for entry in machine["history"]:
        match = re.fullmatch(r"deployment (\S+) accepted", entry["event"])
        if match:
            yield datetime.fromisoformat(entry["time"]), match[1]


def only_the_owner_of_a_lease_writes(evidence: Evidence) -> Iterator[str]:
    for task_id, changes in evidence.changes.items():
        for change in changes:
            if change.claimed:
                lapsed = change.old_until is None or change.old_until <= change.at + TOLERANCE
                if change.epoch != change.old_epoch + 1 or not lapsed:
                    yield f"{task_id} was claimed as {change.epoch} while {change.old_owner} had it"
            elif change.progressed and not change.by_its_rollout:
                in_time = change.old_until is not None and change.at <= change.old_until + TOLERANCE
                if change.old_owner is None or not in_time:
                    yield f"{task_id}: {change.old_step} → {change.step} was written without a lease"


def what_has_ended_does_not_change(evidence: Evidence) -> Iterator[str]:
    for task_id, changes in evidence.changes.items():
        yield from (
            f"{task_id} was {change.old_status} and became {change.status}, {change.result}"
            for change in changes
            if change.old_status in CLOSED
        )


def nothing_begins_after_terminate(evidence: Evidence) -> Iterator[str]:
    """The step in hand may end. No worker ends another one, and none that lies further on."""
    for entry in evidence.log.entries("terminate"):
        if entry["status"] not in (None, 200, 503):
            yield f"terminate answered {entry['status']}"
        elif entry["status"] == 200 and not evidence.tasks[UUID(entry["asked"])].terminate:
            # A task that had ended already stays as it was.
            ended = _ended_before(evidence, UUID(entry["asked"]), datetime.fromisoformat(entry["at"]))
            yield from () if ended else (f"terminate of {entry['asked']} was acknowledged, and it is not to terminate",)
    for task_id, changes in evidence.changes.items():
        for change in changes:
            if change.terminated_now:
                yield from _steps_after(evidence, evidence.tasks[task_id], change.step, change.at)


def _ended_before(evidence: Evidence, task_id: UUID, moment: datetime) -> bool:
    return any(c.status in CLOSED and c.at <= moment + TOLERANCE for c in evidence.changes.get(task_id, ()))


def _steps_after(evidence: Evidence, task: TaskRow, step: str | None, moment: datetime) -> Iterator[str]:
    workflow = WORKFLOWS[Action(task.action)]
    names = [known.name for known in (*workflow.planned, *workflow.steps)]
    if step in (in_waves := [known.name for known in workflow.rollout]):
        names = in_waves
    stop = None if workflow.stop is None else workflow.stop.step.name
    latest = names.index(step) if step in names else -1
    ended: Counter[str] = Counter()
    for end in evidence.steps:
        # What stops the machine is tried until its BMC answers.
        if end.task == task.id and end.at > moment + TOLERANCE and end.step != stop:
            ended[end.worker] += 1
            if end.step in names and names.index(end.step) > latest:
                yield f"{task.id} was terminated at {step}, and {end.worker} ran {end.step}"
    yield from (f"{w} ran {count} steps of {task.id} after terminate" for w, count in ended.items() if count > 1)


def parents_tell_what_their_nodes_told(evidence: Evidence) -> Iterator[str]:
    for task in evidence.tasks.values():
        if task.parent_id is not None or task.status != "complete":
            continue
        below = evidence.subtasks(task.id)
        good = sorted(child.node or "" for child in below if child.result == "success")
        bad = sorted(child.node or "" for child in below if child.result != "success")
        wanted = "success" if not bad else "partial_success" if good else "failure"
        if (sorted(task.successes), sorted(task.failures), task.result) != (good, bad, wanted):
            yield f"{task.action} {task.id} says {task.result} {task.successes} {task.failures}; nodes: {good} {bad}"


def results_agree_with_machines(evidence: Evidence) -> Iterator[str]:
    for task in evidence.tasks.values():
        if task.node is None or task.status not in CLOSED:
            continue
        events = [entry["event"] for entry in evidence.machines.get(task.node, {"history": []})["history"]]
        if task.action == "deploy_node":
            yield from _deployment_agrees(evidence, task, events)
        if task.result != "success" and not task.terminate and not _described(task.reason):
            yield f"{task.action} of {task.node} failed for a reason nobody foresaw: {task.reason}"
    yield from _final_states(evidence)


def _deployment_agrees(evidence: Evidence, task: TaskRow, events: list[str]) -> Iterator[str]:
    context = evidence.contexts.get(task.id)
    given = f"deployment {context} accepted"
    since = events[events.index(given) :] if given in events else []
    statuses = [a.status for a in evidence.actions.values() if a.task_id == task.id and a.signaling]
    if task.result == "success" and context is not None:
        if "booted from disk" not in since:
            yield f"{task.node} is told to be deployed by {task.id}, and its machine never was: {events}"
        if set(statuses) != {"success"}:
            yield f"{task.node} is told to be deployed by {task.id}, and its boot actions say {statuses}"
    elif task.result == "success" and "booted from disk" not in events:
        yield f"{task.node} is told to be deployed already, and never was"
    elif task.reason.startswith("installation failed") and not any("installation failed" in e for e in since):
        yield f"{task.node}: {task.reason}; the machine knows nothing of it: {events}"
    elif task.reason.startswith("boot actions failed") and "failure" not in statuses:
        yield f"{task.node}: {task.reason}; the boot actions say {statuses}"


DESCRIBED = (
    "installation failed: ",
    "boot actions failed: ",
    "terminated by ",
    r"\w+ did not finish within ",
    r".*: destroy it first",
    "no contact from ",
    ".*; gave up after ",
    r"\S+ is held by ",
    r"failure budget of \d+ spent: ",
    "its task has ended",
    "plan_stale: ",
)


def _described(reason: str) -> bool:
    return any(re.match(pattern, reason) for pattern in DESCRIBED) and "unexpected" not in reason


def _final_states(evidence: Evidence) -> Iterator[str]:
    """The machine is as the last task that held it said, however many came before."""
    for node, holds in evidence.holds.items():
        task, machine = evidence.tasks.get(holds[-1].task_id), evidence.machines.get(node)
        if task is None or machine is None or task.result != "success":
            continue
        expected = evidence.contexts.get(task.id)
        there = machine["deployment_id"]
        if task.action == "destroy_node" and there is not None:
            yield f"{node} was destroyed by {task.id}, and has deployment {there}"
        if task.action == "deploy_node" and (there is None or (expected and str(expected) != there)):
            yield f"{node} was deployed as {expected} by {task.id}, and has {there}"


def nothing_unforeseen(evidence: Evidence) -> Iterator[str]:
    yield from evidence.tracebacks
    for entry in evidence.log.entries("look"):
        yield f"GET {entry['path']} answered {entry['status']}: {entry['body']}"


CHECKS: tuple[Check, ...] = (
    acknowledged_tasks_exist_and_have_ended,
    acknowledged_endings_stay,
    acknowledged_reports_are_stored_once,
    at_most_one_final_status,
    one_writer_per_node,
    only_the_owner_of_a_lease_writes,
    what_has_ended_does_not_change,
    nothing_begins_after_terminate,
    parents_tell_what_their_nodes_told,
    results_agree_with_machines,
    nothing_unforeseen,
    waves_follow_each_other,
    a_spent_budget_lets_nothing_begin,
    a_paused_task_begins_nothing,
    held_nodes_are_left_alone,
    plans_are_done_as_they_say,
)


def violations(evidence: Evidence) -> list[str]:
    return [f"{check.__name__}: {found}" for check in CHECKS for found in check(evidence)]
