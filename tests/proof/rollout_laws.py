"""What must be true of a rollout, whatever happened on the way."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from drydock.model.task import ResultStatus, Task, TaskStatus
from tests.proof.promises import expect
from tests.proof.witness import Seen

#: Why a node may fail, or not begin, and in which words.
DESCRIBED = (
    "broken at ",
    r"\S+ is held by ann \(",
    "failure budget of ",
    "the worker died or hung at this step",
    "terminated by bob",
    "its task has ended",
    r".*; gave up after ",
)


def check_waves(events: Sequence[Seen], waves: Mapping[str, int]) -> None:
    """A node begins when all of the waves before its own have ended."""
    still = dict(waves)
    for event in events:
        if event.begins:
            before = [name for name, wave in still.items() if wave < waves[event.node]]
            expect(not before, f"{event.node} of wave {waves[event.node]} began before", before)
        if event.ends:
            still.pop(event.node, None)


def check_after_the_end(events: Sequence[Seen]) -> None:
    """No node begins once the task itself has ended."""
    ended = False
    for event in events:
        ended = ended or (not event.node and event.ends)
        expect(not (ended and event.node and event.begins), f"{event.node} began after the end of", "its task")


def check_budget(events: Sequence[Seen], budget: int | None) -> None:
    """Once it is spent no node begins: failures are at most the budget and what was in flight then."""
    failed, in_flight, allowed = 0, set[str](), None
    for event in events:
        if event.begins:
            expect(allowed is None, f"{event.node} began after the budget of {budget} was spent", failed)
            in_flight.add(event.node)
        if event.ends:
            in_flight.discard(event.node)
        failed += event.fails
        if event.fails and allowed is None and budget is not None and failed >= budget:
            allowed = budget + len(in_flight)
    expect(allowed is None or failed <= allowed, f"{failed} failed, at most", allowed)


def check_ends(task: Task, nodes: Mapping[str, Task], names: Sequence[str]) -> None:
    """The task and each of its nodes have a described end, and the task says what its nodes say."""
    expect(task.status in (TaskStatus.COMPLETE, TaskStatus.TERMINATED), "the task has not ended", task.status)
    for name, sub in nodes.items():
        reason = sub.result.reason or sub.result.message
        expect(not sub.status.open, f"{name} has not ended", sub.status)
        described = any(re.match(words, reason) for words in DESCRIBED)
        expect(_succeeded(sub) or described, f"{name} ended for a reason that is not described", (sub.status, reason))
    if task.terminate or died(task):
        return
    expect(set(nodes) == set(names), "not every node has a subtask", sorted(nodes))
    good = sorted(name for name, sub in nodes.items() if _succeeded(sub))
    expect(sorted(task.result.successes) == good, "the task's successes", task.result)
    expect(sorted(task.result.failures) == sorted(set(nodes) - set(good)), "the task's failures", task.result)
    if not any("failure budget" in sub.result.reason for sub in nodes.values()):
        left = [name for name, sub in nodes.items() if sub.step is None and not _never_let_in(sub)]
        expect(not left, "nodes that did not begin for no reason", left)


def _succeeded(sub: Task) -> bool:
    return sub.result.status is ResultStatus.SUCCESS


def _never_let_in(sub: Task) -> bool:
    """Held, or its worker was killed at its beginning too often."""
    return "is held by" in sub.result.reason or died(sub)


def died(task: Task) -> bool:
    return task.result.reason.startswith("the worker died or hung")
