"""The orchestrator on a real database with dictionary hardware, driven by hand in one thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Engine as SqlEngine
from sqlalchemy import exists, func, select, update

from drydock.bootaction.prompt_sources import FetchWithin
from drydock.db.database import Database
from drydock.db.predicates import is_open
from drydock.db.tables import operator_holds, tasks
from drydock.design.loader import DesignLoader
from drydock.metrics import EngineMetrics
from drydock.model.actions import REQUESTABLE
from drydock.model.boot_action import BootAction, Report, ReportStatus
from drydock.model.design import DesignSnapshot
from drydock.model.hardware_check import HardwareCheck
from drydock.model.rollout import PLAIN, Rollout
from drydock.model.task import Lane, NewTask, Task, TaskQuery
from drydock.orchestrator.engine.step_runner import StepRunner
from drydock.orchestrator.services.boot_actions import BootService
from drydock.orchestrator.services.changes import ChangeWaiter
from drydock.orchestrator.services.designs import DesignService
from drydock.orchestrator.services.hardware import finders
from drydock.orchestrator.services.images import ImageCatalogue
from drydock.orchestrator.services.node_sections import NodeSections
from drydock.orchestrator.services.plan_application import PlanApplication
from drydock.orchestrator.services.plan_contents import PlanContents
from drydock.orchestrator.services.plan_facts import FactsReader
from drydock.orchestrator.services.plan_site import SiteChanges
from drydock.orchestrator.services.plans import PlanService
from drydock.orchestrator.services.scope_check import ScopeCheck
from drydock.orchestrator.services.tasks import TaskService
from drydock.orchestrator.workflows.table import WORKFLOWS
from drydock.orchestrator.workflows.workflow import StepServices
from tests.factories.rows import delete_rows
from tests.factories.settings import OF_HTTP, SECRET, boot_preparation, boot_settings, content_settings, references
from tests.factories.site import site
from tests.orchestrator.fakes import FakeBmcs, FakeLabels, FakeProvisioner

TIMEOUT_SECONDS = 600.0


class Timeouts(dict[str, float]):
    """The same for every step, whatever it asks for."""

    def __missing__(self, name: str) -> float:
        return TIMEOUT_SECONDS


class World:
    """Everything but processes. ``owner`` names the worker on whose behalf tasks are claimed."""

    def __init__(
        self, engine: SqlEngine, provisioner: FakeProvisioner | None = None, bmcs: FakeBmcs | None = None
    ) -> None:
        self.sql = engine
        self.database = Database(engine)
        self.provisioner = provisioner or FakeProvisioner()
        self.bmcs = bmcs or FakeBmcs()
        self.labels = FakeLabels()
        stored = references(read_snapshot=self._read_snapshot, **OF_HTTP | {"allowed_schemes": ["drydock", "http"]})
        self.fetch: FetchWithin = stored.fetch_within
        images = ImageCatalogue(self.provisioner, seconds=0, patience=10)
        self.designs = DesignService(self.database, DesignLoader(stored, cache_size=2), images)
        self.boot_settings = boot_settings()
        self.services = StepServices(
            database=self.database,
            designs=self.designs,
            sections=NodeSections([SECRET]),
            boot=boot_preparation(),
            provisioner=self.provisioner,
            oob_drivers={"redfish": self.bmcs},
            labels=self.labels,
            observe_seconds=1,
            start_rate=1e6,
            deployment_slots=1000,
            hardware_check=HardwareCheck.FAIL,
        )
        self.facts = FactsReader(
            self.database,
            self.designs,
            self.provisioner,
            finders=finders(self.provisioner.name, ["redfish"]),
            hardware_check=HardwareCheck.FAIL,
        )
        self.plans = self.make_plans()
        self.use_orchestrator()
        self.boot = BootService(self.database, hold_seconds=0)
        self.owner = "worker-1"
        self.use_runner()

    def make_plans(
        self, facts: FactsReader | None = None, *, slots: int = 100, rollout: Rollout = PLAIN, **settings: Any
    ) -> PlanService:
        """What plans; with other facts, options or settings of contents."""
        contents = PlanContents(self.database, self.fetch, content_settings(**settings))
        return PlanService(
            self.database,
            self.designs,
            NodeSections(settings["secrets"]) if "secrets" in settings else self.services.sections,
            facts or self.facts,
            contents,
            slots=slots,
            rollout=rollout,
        )

    def use_orchestrator(self, *, guard: bool = True) -> None:
        """What operators' requests come to."""
        site_changes = SiteChanges(self.designs, self.services.sections)
        self.orchestrator = TaskService(
            self.database,
            self.provisioner,
            ChangeWaiter(self.database),
            ScopeCheck(self.designs),
            PlanApplication(self.database, self.designs, self.facts, site_changes),
            guard=guard,
            rollout=PLAIN,
        )

    def use_runner(self, kind: type[StepRunner] = StepRunner) -> None:
        """A worker's inside, made of what ``services`` is now."""
        self.runner = kind(
            self.services,
            WORKFLOWS,
            Timeouts(),
            EngineMetrics(),
            stopping=lambda: False,
            certainly_ours=lambda task: True,
        )

    def use_slots(self, slots: int) -> None:
        self.services = replace(self.services, deployment_slots=slots)
        self.use_runner()

    def _read_snapshot(self, digest: str) -> bytes:
        with self.database.unit_of_work() as uow:
            content = uow.designs.content(digest)
            uow.commit()
        return content

    def store(self, content: bytes | None = None) -> DesignSnapshot:
        return self.designs.store(site() if content is None else content, created_by="tester")

    def create(self, action: str, *, design_ref: str | None = None, **fields: object) -> Task:
        """Asked for with ``all_nodes``, unless ``fields`` say otherwise."""
        ref = design_ref or self.store().ref
        new = NewTask(action=REQUESTABLE[action], design_ref=ref, created_by="tester", all_nodes=True)
        return self.orchestrator.create_task(replace(new, **fields))  # type: ignore[arg-type]

    def claim(self, *, owner: str | None = None, lease_seconds: float = 30) -> tuple[Task, ...]:
        """What is due, of all lanes."""
        with self.database.unit_of_work() as uow:
            claimed = uow.leases.claim(
                owner or self.owner,
                dict.fromkeys(Lane, 100),
                lease_seconds=lease_seconds,
                steps=self.runner.known.names,
            )
            uow.commit()
        return tuple(task for lane in Lane for task in claimed.get(lane, ()))

    def work(self) -> None:
        """One round: claim what is due and run it."""
        due = [*self.runner.together(self.claim())]
        while due:
            due += self.runner.together(self.runner.run(due.pop(0)))

    def pass_time(self, seconds: float) -> None:
        """Move the clock: everything that is due, leased or limited in time is nearer by so much."""
        delta = func.make_interval(0, 0, 0, 0, 0, 0, seconds)
        with self.sql.begin() as connection:
            connection.execute(
                update(tasks).values(
                    wake_at=tasks.c.wake_at - delta,
                    deadline_at=tasks.c.deadline_at - delta,
                    lease_until=tasks.c.lease_until - delta,
                )
            )

    def expire_holds(self) -> None:
        with self.sql.begin() as connection:
            connection.execute(update(operator_holds).values(until=func.now()))

    def run_until_idle(self, *, at_most: int = 60, before: Callable[[], None] = lambda: None) -> None:
        """Claim and work, letting time pass, until nothing is open; ``before`` each round: what machines do."""
        for _ in range(at_most):
            before()
            self.work()
            with self.sql.begin() as connection:
                if not connection.scalar(select(exists().where(is_open(tasks)))):
                    return
            self.pass_time(15)
        left = [(task.action, task.node, task.step, task.reason) for task in self.all_tasks() if task.status.open]
        raise AssertionError(f"still open after {at_most} rounds: {left}")

    def all_tasks(self) -> list[Task]:
        return list(self.orchestrator.all_tasks(TaskQuery()))

    def open_tasks(self) -> list[Task]:
        return [task for task in self.all_tasks() if task.status.open]

    def subtasks(self, task_id: UUID) -> dict[str, Task]:
        return {task.node or "": task for task in self.orchestrator.layers(task_id, -1)[1:]}

    def key_of(self, node: str) -> bytes:
        """The node's key, read as its machine does: out of the user-data it was given."""
        for line in self.provisioner.deployments[node].user_data.splitlines():
            if "DRYDOCK_BOOTACTION_KEY=" in line:
                return bytes.fromhex(line.split("=", 1)[1].strip().strip("'\""))
        raise AssertionError("no key in the user-data")

    def actions_of(self, task_id: UUID) -> dict[str, BootAction]:
        with self.database.unit_of_work() as uow:
            return {action.name: action for action in uow.boot_actions.of_tasks([task_id]).get(task_id, ())}

    def machines_report(self, status: ReportStatus = ReportStatus.SUCCESS) -> None:
        """Every machine that was given a deployment and has not reported yet sends its final status."""
        deployments = self.provisioner.deployments
        if not deployments:
            return
        installing = select(tasks.c.id, tasks.c.node).where(is_open(tasks), tasks.c.node.in_(list(deployments)))
        with self.sql.begin() as connection:
            found = connection.execute(installing.order_by(tasks.c.seq)).all()
        for task_id, node in found:
            action = self.actions_of(task_id).get("greet")
            if action is not None and action.status is None and str(action.context_id) == deployments[node].id:
                self.boot.report(action.id, self.key_of(node), Report(status=status))

    def forget_everything(self) -> None:
        with self.sql.begin() as connection:
            delete_rows(connection)
