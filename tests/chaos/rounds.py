"""One round: sites are deployed and destroyed while things break; then it is quiet, and the books are checked."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2

from tests.chaos import audit, evidence
from tests.chaos.checks import violations
from tests.chaos.client_log import ClientLog
from tests.chaos.evidence import Evidence
from tests.chaos.faults import FaultDriver, schedule
from tests.chaos.operators import Known, Operator, SitePlan, plan_sites, upload
from tests.chaos.reporters import Reporters
from tests.chaos.stack import ChaosStack

#: After the last fault: longer than any deadline of a step, and what comes after it.
QUIET_SECONDS = 90.0


LARGE_SITE = 24


@dataclass(frozen=True, slots=True)
class Size:
    """``small``: sites. ``large``: nodes of the one large site. ``mean_pause``: seconds between faults."""

    small: int = 4
    large: int = LARGE_SITE
    fault_seconds: float = 6.0
    mean_pause: float = 0.4


@dataclass(slots=True)
class RoundResult:
    seed: int
    seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    counted: Counter[str] = field(default_factory=Counter)
    violations: Sequence[str] = ()


def run_round(stack: ChaosStack, seed: int, size: Size, directory: Path) -> tuple[RoundResult, Evidence]:
    """``directory`` gets the clients' log, and what the witnesses in the database saw."""
    directory.mkdir(parents=True)
    began = time.monotonic()
    rng = random.Random(seed)  # noqa: S311 - to be replayed
    plans = plan_sites(rng, seed, small=size.small, large=size.large)
    faults = schedule(rng, seconds=size.fault_seconds, mean_pause=size.mean_pause)
    nodes = [node for plan in plans for node in plan.nodes]
    stack.start_site(seed)
    since = evidence.marks(stack)
    log = ClientLog(directory / "clients.jsonl")
    give_up, over = threading.Event(), threading.Event()
    known = Known()
    operators = _operators(stack, plans, log, known, give_up)
    reporters = Reporters(rng.randrange(2**32), nodes, stack.machines, (stack.url, stack.simulator_url), log)
    reporting = threading.Thread(target=reporters.run, args=(over,))
    driver = FaultDriver(stack, nodes, known, log, give_up)
    for thread in (*operators, reporting):
        thread.start()
    try:
        driver.run(faults)
        _wait_until_all_has_ended(stack, operators, since)
    finally:
        give_up.set()
        over.set()
        for thread in (*operators, reporting):
            thread.join()
    found = evidence.collect(stack, since, log)
    log.close()
    _keep(found, directory / "changes.jsonl")
    result = RoundResult(seed, time.monotonic() - began, driver.injected, _counted(found, log), violations(found))
    return result, found


def _operators(
    stack: ChaosStack, plans: Sequence[SitePlan], log: ClientLog, known: Known, give_up: threading.Event
) -> list[threading.Thread]:
    references = {plan.name: upload(stack.url, plan.nodes) for plan in plans}
    return [
        threading.Thread(target=Operator(plan, references[plan.name], stack.url, log, known, give_up).run)
        for plan in plans
    ]


def _wait_until_all_has_ended(stack: ChaosStack, operators: Sequence[threading.Thread], since: evidence.Marks) -> None:
    deadline = time.monotonic() + QUIET_SECONDS
    while time.monotonic() < deadline:
        try:
            still_open = stack.query(
                "SELECT count(*) FROM tasks WHERE seq > %s AND status NOT IN ('complete', 'terminated')", since.seq
            )[0][0]
        except psycopg2.OperationalError:
            still_open = 1
        if not still_open and not any(thread.is_alive() for thread in operators):
            return
        time.sleep(0.2)


def _counted(found: Evidence, log: ClientLog) -> Counter[str]:
    counted = Counter(tasks=len(found.tasks), nodes=len(found.machines))
    for task in found.tasks.values():
        if task.node is not None:
            counted[f"{task.action} {'terminated' if task.status == 'terminated' else task.result}"] += 1
        if task.node is not None and task.result != "success" and not task.terminate:
            counted[f"because {task.reason.split(' did not ')[0].split(':')[0]}"] += 1
        if task.budget is not None:
            counted["rollouts with a budget"] += 1
        if task.plan is not None and task.parent_id is None:
            counted["plans applied"] += 1
    counted["rollouts"] = sum(task.parent_id is None and task.wave is not None for task in found.tasks.values())
    counted["pauses"] = sum(change.pauses for changes in found.changes.values() for change in changes)
    counted["holds"] = sum(held for moments in found.shut.values() for _, held in moments)
    counted["claims"] = sum(change.claimed for changes in found.changes.values() for change in changes)
    counted["claims of lapsed leases"] = sum(
        change.claimed and change.old_until is not None for changes in found.changes.values() for change in changes
    )
    for entry in log.entries("report"):
        counted[f"reports of rogues answered {entry['status']}"] += 1
    for machine in found.machines.values():
        for post in evidence.posts(machine):
            counted[f"reports of machines answered {post.status}"] += 1
    counted["requests of operators unanswered or 503"] = sum(
        entry["status"] in (None, 503) for entry in log.entries("create", "terminate")
    )
    return counted


def _keep(found: Evidence, path: Path) -> None:
    with path.open("w") as file:
        for changes in found.changes.values():
            for change in changes:
                record = {name: getattr(change, name) for name in audit.TaskChange.__slots__}
                file.write(json.dumps(record, default=str) + "\n")
