"""One task in waves, with all that goes wrong, from a seed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID

from drydock.errors import DriverRefused, DriverUnavailable, TaskEnded
from drydock.model.actions import Action
from drydock.model.operator_hold import NewHold
from drydock.model.plan import PlanHead, PlannedNode
from drydock.model.rollout import AWAIT_WAVE, PLAIN, Rollout
from drydock.model.task import NewTask, ResultStatus, Task
from drydock.orchestrator.engine.step_runner import StepRunner
from drydock.orchestrator.services.operator_holds import OperatorHoldService
from drydock.orchestrator.workflows.outcome import Outcome, of_error
from drydock.orchestrator.workflows.workflow import AnyStep
from tests.factories.site import site
from tests.orchestrator.test_laws import WorkerKilled, steps_below
from tests.proof.chain import named
from tests.proof.machines import ProvenWorld
from tests.proof.promises import Disproved, expect
from tests.proof.rollout_laws import check_after_the_end, check_budget, check_ends, check_waves
from tests.proof.witness import seen

ROUNDS = 600
ACTIONS: Mapping[Action, int] = {
    Action.APPLY_PLAN: 6,
    Action.DEPLOY_NODES: 4,
    Action.PREPARE_NODES: 1,
    Action.DESTROY_NODES: 1,
}


class Faulty(StepRunner):
    """Kills its worker before or after it writes, and has nodes fail. ``faults``: by node and step."""

    chance: random.Random
    kill: float
    kills: int
    faults: dict[tuple[str, str], Exception]

    def attempt(self, step: AnyStep, tasks: Sequence[Task]) -> Mapping[UUID, Outcome]:
        struck = {task.id: error for task in tasks if (error := self._fault(step, task)) is not None}
        whole = [task for task in tasks if task.id not in struck]
        answered = dict(super().attempt(step, whole)) if whole else {}
        return {**answered, **{task_id: of_error(error) for task_id, error in struck.items()}}

    def _fault(self, step: AnyStep, task: Task) -> Any:
        key = (task.node or "", step.name)
        error = self.faults.get(key)
        if isinstance(error, DriverUnavailable):
            del self.faults[key]
        return error

    def record(self, step: AnyStep, answered: Sequence[tuple[Task, Outcome]]) -> Sequence[Task]:
        self._maybe_killed()
        following = super().record(step, answered)
        self._maybe_killed()
        return following

    def _maybe_killed(self) -> None:
        if self.chance.random() < self.kill:
            self.kills += 1
            raise WorkerKilled


class Run:
    """One task with a rollout, from a seed."""

    def __init__(self, world: ProvenWorld, seed: int) -> None:
        self.world = world
        self.chance = random.Random(seed)  # noqa: S311
        self.names = [f"n{number:02}" for number in range(1, self.chance.randint(1, 14) + 1)]
        self.action = self.chance.choices(list(ACTIONS), list(ACTIONS.values()))[0]
        self.holds = OperatorHoldService(world.database)
        #: Nodes that are held and had not begun when they were.
        self.shut: set[str] = set()
        world.empty()
        world.services = replace(world.services, start_rate=self.chance.choice((1e6, 1e6, 1.0, 0.05)))
        self.installed_before = Counter[str]()
        content = site(self.names)
        if self.action is Action.APPLY_PLAN:
            content = self._ran_before(content)
        for name in self.names:
            if self.chance.random() < 0.12:
                self._hold(name)
        self.rollout = self._rollout()
        self.ref = world.store(content).ref
        self.task = self._applied() if self.action is Action.APPLY_PLAN else self._created()
        self.retries = 0
        self.runner = self._runner()

    def _created(self) -> Task:
        return self.world.create(self.action, design_ref=self.ref, rollout=self.rollout)

    def _ran_before(self, content: bytes) -> bytes:
        """Some of the nodes run, and one or two that the design has no more. Returns a design that changes some."""
        world, chance = self.world, self.chance
        ran = [name for name in self.names if chance.random() < 0.5]
        gone = [f"gone{number}" for number in range(chance.randint(0, 2))]
        if not ran + gone:
            return content
        world.use_runner()
        world.create(
            "deploy_nodes", design_ref=world.store(site([*self.names, *gone])).ref, node_filter=named(ran + gone)
        )
        world.run_to_the_end()
        world.forget_touched()
        self.installed_before = Counter(world.provisioner.installs)
        self.names += gone
        return content.replace(b"ga-22.04", b"hwe-22.04") if chance.random() < 0.6 else content

    def _applied(self) -> Task:
        """From here on the nodes are those that the plan changes: what is held already is blocked in it."""
        plan, nodes = self._planned()
        self.names = [node.name for node in nodes if node.decision.touches]
        new = NewTask(Action.APPLY_PLAN, "", "proof", plan=plan.id, all_nodes=True, rollout=self.rollout)
        return self.world.orchestrator.create_task(new)

    def _runner(self) -> Faulty:
        self.world.use_runner(Faulty)
        runner = self.world.runner
        assert isinstance(runner, Faulty)
        runner.chance, runner.kill, runner.kills = self.chance, self.chance.choice((0.0, 0.02, 0.06)), 0
        steps = [step.name for step in steps_below(self.action)]
        bad = self.chance.choice((0.0, 0.1, 0.3, 1.0))
        runner.faults = {}
        for name in self.names:
            step = self.chance.choice(steps)
            if self.chance.random() < bad:
                runner.faults[name, step] = DriverRefused(f"broken at {step}")
            elif self.chance.random() < 0.1:
                runner.faults[name, step] = DriverUnavailable("away")
        return runner

    def _rollout(self) -> dict[str, Any]:
        chance, total = self.chance, len(self.names)
        if chance.random() < 0.5:
            waves: list[int | str] = sorted(chance.choices(range(1, total + 3), k=chance.randint(1, 5)))
        else:
            waves = [f"{share}%" for share in sorted(chance.choices(range(1, 101), k=chance.randint(1, 5)))]
            if chance.random() < 0.3:
                waves.insert(0, 1)
        return {
            "waves": waves,
            "max_failed": chance.choice([None, 0, 1, 1, 2, 3, "10%", "50%"]),
            "pause": chance.choice(["never", "never", "after_first", "after_each"]),
        }

    def go(self) -> None:
        """Round after round until all has ended. Raises ``Disproved``."""
        for _ in range(ROUNDS):
            self.world.report_all()
            try:
                self.world.work()
            except WorkerKilled:
                self.world.pass_time(31)
            touched = self.world.touched() & self.shut
            expect(not touched, "a held node was touched", touched)
            if not self.world.open_count():
                self._check()
                if self.chance.random() < 0.5:
                    self._try_again()
                return
            self._operators()
            self.world.pass_time(15)
        left = [(task.action, task.node, task.step, task.reason) for task in self.world.all_tasks() if task.status.open]
        raise Disproved(f"it does not end: {left}")

    def _try_again(self) -> None:
        """With all mended and released, a retry does what was left; a plan has nothing to do then."""
        world = self.world
        if not world.orchestrator.task(self.task.id).result.failures:
            return
        self.runner.faults, self.runner.kill = {}, 0.0
        for hold in self.holds.holds():
            self.holds.release(hold.node)
        again = world.orchestrator.create_task(world.orchestrator.retry_of(self.task.id, created_by="proof"))
        self.retries += 1
        for _ in range(ROUNDS):
            world.report_all()
            world.work()
            if not world.open_count():
                break
            with suppress(TaskEnded):
                world.orchestrator.resume(again.id, by="ann")
            world.pass_time(15)
        ended = world.orchestrator.task(again.id)
        reasons = {name: sub.result.reason for name, sub in world.subtasks(again.id).items()}
        expect(ended.result.status is ResultStatus.SUCCESS, "the retry", (ended.status, ended.result.reason, reasons))
        if self.action is Action.APPLY_PLAN:
            left = [node.name for node in self._planned()[1] if node.name in self.names and node.decision.touches]
            expect(not left, "left after the retry", left)

    def _planned(self) -> tuple[PlanHead, Sequence[PlannedNode]]:
        plans = self.world.plans
        plan = plans.create(self.ref, node_filter=None, chosen=None, destroy_unlisted=True, created_by="proof")
        return plan, [node for _, node in plans.nodes(plan.id, limit=1000, after=-1, decision=None)]

    def _operators(self) -> None:
        chance, task_id = self.chance, self.task.id
        try:
            if chance.random() < 0.1:
                self.world.orchestrator.pause(task_id, by="ann")
            elif chance.random() < 0.4:
                self.world.orchestrator.resume(task_id, by="ann")
            if chance.random() < 0.004:
                self.world.orchestrator.terminate(task_id, by="bob")
        except TaskEnded:
            return
        if self.names and chance.random() < 0.08:
            name = chance.choice(self.names)
            held = {hold.node for hold in self.holds.holds()}
            if name not in held:
                self._hold(name)
            else:
                self.holds.release(name)
                self.shut.discard(name)

    def _hold(self, name: str) -> None:
        self.holds.hold(NewHold(name, "maintenance", "DIMM replaced", "ann", None))
        self.shut.update({name} - self._begun())

    def _begun(self) -> set[str]:
        task = getattr(self, "task", None)
        if task is None:
            return set()
        return {name for name, sub in self.world.subtasks(task.id).items() if sub.step not in (None, AWAIT_WAVE)}

    def _check(self) -> None:
        task = self.world.orchestrator.task(self.task.id)
        nodes = self.world.subtasks(self.task.id)
        check_ends(task, nodes, self.names)
        installs = self.world.provisioner.installs - self.installed_before
        twice = {name: count for name, count in installs.items() if count > 1}
        expect(not twice, "installed twice", twice)
        if self.action is Action.APPLY_PLAN:
            outside = self.world.touched() - set(self.names)
            expect(not outside, "touched without a plan", outside)
        events = seen(self.world.sql, self.task.id)
        check_after_the_end(events)
        events = [event for event in events if event.node]
        check_waves(events, {name: sub.wave or 0 for name, sub in nodes.items()})
        check_budget(events, Rollout.parse(self.rollout, PLAIN).budget(len(self.names)))
