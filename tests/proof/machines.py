"""Machines that keep who was asked to change, and one that runs them to the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext

from sqlalchemy import func, select

from dev import postgres, unprivileged
from drydock.db import migrate
from drydock.db.engine import connect
from drydock.db.tables import boot_actions, tasks
from drydock.drivers.node.base import NO_NODES, Image
from drydock.drivers.node.records import Deployment, ProvisionedNode
from drydock.drivers.oob.base import BmcAccess, BootDevice, BootMode, PowerState
from drydock.drivers.progress import Progress
from drydock.model.boot_action import Report, ReportStatus
from drydock.model.hardware_facts import HardwareFacts
from drydock.model.task import TaskStatus
from tests.http_peer import Answer, Request, serving
from tests.orchestrator.fakes import FakeBmcs, FakeProvisioner
from tests.orchestrator.world import World

ROUNDS = 400


class Bmcs(FakeBmcs):
    """``asked``: every machine whose BMC got a request."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def power_state(self, bmc: BmcAccess) -> PowerState:
        self.asked.add(bmc.node)
        return super().power_state(bmc)

    def set_boot_device(self, bmc: BmcAccess, device: BootDevice, mode: BootMode | None) -> Progress:
        self.asked.add(bmc.node)
        return super().set_boot_device(bmc, device, mode)

    def facts(self, bmc: BmcAccess) -> HardwareFacts:
        self.asked.add(bmc.node)
        return super().facts(bmc)


class Provisioner(FakeProvisioner):
    """``touched``: every machine that was to change, by the verb."""

    def __init__(self) -> None:
        super().__init__()
        self.images = [Image(name, ("ga-22.04", "hwe-22.04")) for name in ("jammy", "noble")]
        self.touched: dict[str, set[str]] = {}

    def _touch(self, verb: str, nodes: Sequence[str]) -> None:
        self.touched.setdefault(verb, set()).update(nodes)

    def enroll(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]:
        self._touch("enroll", [node.name for node in nodes])
        return super().enroll(nodes)

    def configure_hardware(
        self, nodes: Sequence[ProvisionedNode], again: Mapping[str, str] = NO_NODES
    ) -> Mapping[str, Progress]:
        self._touch("configure_hardware", [node.name for node in nodes])
        return super().configure_hardware(nodes, again)

    def apply_networking(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]:
        self._touch("apply_networking", [node.name for node in nodes])
        return super().apply_networking(nodes)

    def apply_storage(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]:
        self._touch("apply_storage", [node.name for node in nodes])
        return super().apply_storage(nodes)

    def apply_platform(self, nodes: Sequence[ProvisionedNode]) -> Mapping[str, Progress]:
        self._touch("apply_platform", [node.name for node in nodes])
        return super().apply_platform(nodes)

    def deploy(self, deployments: Sequence[Deployment]) -> Mapping[str, Progress]:
        self._touch("deploy", [deployment.node.name for deployment in deployments])
        return super().deploy(deployments)

    def stop(self, nodes: Sequence[str]) -> Mapping[str, Progress]:
        self._touch("stop", nodes)
        return super().stop(nodes)

    def destroy(self, nodes: Sequence[str]) -> Mapping[str, Progress]:
        self._touch("destroy", nodes)
        return super().destroy(nodes)


class ProvenWorld(World):
    """A world that writes down what it does to machines."""

    provisioner: Provisioner
    bmcs: Bmcs
    #: What is behind references, by name, and where that is.
    files: Mapping[str, str]
    url: str

    def behind(self, request: Request) -> Answer:
        return Answer(body=self.files[request.path.partition("?")[0].removeprefix("/")].encode())

    def forget_touched(self) -> None:
        self.provisioner.touched.clear()
        self.bmcs.asked.clear()

    def empty(self) -> None:
        """No task, no design, no machine."""
        self.forget_everything()
        for held in (self.provisioner.deployments, self.provisioner.states, self.provisioner.installs):
            held.clear()
        self.provisioner.refused = {}
        self.forget_touched()

    def touched(self) -> set[str]:
        return self.bmcs.asked.union(*self.provisioner.touched.values())

    def report_all(self) -> None:
        """Each machine that was installed sends the final statuses that it owes."""
        owed = (
            select(boot_actions.c.id, boot_actions.c.context_id, boot_actions.c.node)
            .join(tasks, tasks.c.id == boot_actions.c.task_id)
            .where(
                boot_actions.c.signaling,
                boot_actions.c.status.is_(None),
                tasks.c.status.in_(_OPEN),
                tasks.c.terminate.is_(False),
            )
        )
        with self.sql.connect() as connection:
            rows = connection.execute(owed).all()
        for row in rows:
            given = self.provisioner.deployments.get(row.node)
            if given is not None and given.id == str(row.context_id):
                self.boot.report(row.id, self.key_of(row.node), Report(status=ReportStatus.SUCCESS))

    def open_count(self) -> int:
        with self.sql.connect() as connection:
            return connection.execute(select(func.count()).where(tasks.c.status.in_(_OPEN))).scalar_one()

    def run_to_the_end(self) -> None:
        for _ in range(ROUNDS):
            self.report_all()
            self.work()
            if not self.open_count():
                return
            self.pass_time(15)
        raise AssertionError(f"tasks do not end within {ROUNDS} rounds")


_OPEN = [status.value for status in TaskStatus if status.open]


@contextmanager
def proven_world(url: str | None = None) -> Iterator[ProvenWorld]:
    """On the database at ``url``, which has the schema, or on a server of its own."""
    with nullcontext(url) if url is not None else _own_database() as found:
        engine = connect(found, pool_size=8, max_overflow=8, application_name="proof")
        world = ProvenWorld(engine, Provisioner(), Bmcs())
        world.forget_everything()
        try:
            with serving(world.behind) as peer:
                world.files, world.url = {}, peer.url()
                yield world
        finally:
            world.forget_everything()
            world.database.close()


@contextmanager
def _own_database() -> Iterator[str]:
    with (
        unprivileged.temporary_directory("drydock-proof-") as directory,
        postgres.start(directory, durable=False) as server,
    ):
        migrate.upgrade(server.url)
        yield server.url
