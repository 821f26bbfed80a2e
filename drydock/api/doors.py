"""What the API asks of the floors below: just the methods its resources call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from drydock.design.compiler import CompiledDesign
from drydock.model.boot_action import BootAction, Report
from drydock.model.boot_context import Bundle, BundleKind
from drydock.model.build_data import BuildData
from drydock.model.design import DesignSnapshot, ValidationReport
from drydock.model.event import EventPage, Position
from drydock.model.health import DependencyHealth
from drydock.model.machine import MachineEvent, NewBuildData
from drydock.model.message import TaskMessage
from drydock.model.node_filter import NodeFilterSet
from drydock.model.task import NewTask, Task, TaskPage, TaskQuery


class NodeSummary(Protocol):
    """A machine as the provisioner sees it. ``memory`` in MiB."""

    @property
    def hostname(self) -> str: ...
    @property
    def memory(self) -> int: ...
    @property
    def cpu_count(self) -> int: ...
    @property
    def status_name(self) -> str: ...
    @property
    def boot_mac(self) -> str: ...
    @property
    def power_state(self) -> str: ...
    @property
    def power_address(self) -> str: ...
    @property
    def boot_ip(self) -> str: ...


class Tasks(Protocol):
    """Raises ``TaskNotFound`` for unknown ids and markers."""

    def create_task(self, new: NewTask) -> Task: ...

    def retry_of(self, task_id: UUID, *, created_by: str) -> NewTask:
        """A request for the same work on the nodes that failed. Raises ``Conflict`` when there is nothing to retry."""
        ...

    def task(self, task_id: UUID) -> Task: ...

    def page(self, query: TaskQuery) -> TaskPage: ...

    def all_tasks(self, query: TaskQuery) -> Iterator[Task]: ...

    def layers(self, task_id: UUID, depth: int) -> tuple[Task, ...]:
        """The task itself first, ``depth`` layers in all; -1: every one."""
        ...

    def subtask_errors(self, task_id: UUID) -> Mapping[UUID, tuple[TaskMessage, ...]]: ...

    def wait_for_change(self, task_id: UUID, seconds: float) -> None:
        """Returns when the task or a subtask changed, at once if it has ended, or after ``seconds``."""
        ...

    def terminate(self, task_id: UUID, *, by: str) -> Task: ...

    def delete_tasks(self, *, older_than_days: int) -> int: ...

    def build_data(self, task_id: UUID) -> tuple[BuildData, ...]: ...


class Events(Protocol):
    """``mark_changes`` before a look, ``wait_for_changes`` after it: no change in between is missed."""

    def events(self, task_id: UUID, after: Position, *, at_most: int) -> EventPage:
        """Raises ``TaskNotFound``."""
        ...

    def mark_changes(self) -> int: ...

    def wait_for_changes(self, mark: int, seconds: float) -> None:
        """Returns after a change of whatever task, or after so many seconds or fewer."""
        ...


class Nodes(Protocol):
    def list_nodes(self) -> Sequence[NodeSummary]: ...

    def node_build_data(self, node: str, *, latest: bool) -> tuple[BuildData, ...]: ...


class Operations(Tasks, Events, Nodes, Protocol):
    """The orchestrator's door."""


class Designs(Protocol):
    """Raises ``DesignNotFound`` and the other ``DesignError``s for references that do not lead to a design."""

    def store(self, content: bytes, *, created_by: str) -> DesignSnapshot: ...

    def read(self, digest: str) -> bytes: ...

    def list(self) -> tuple[DesignSnapshot, ...]: ...

    def checked(self, digest: str) -> CompiledDesign: ...

    def validate(self, ref: str) -> ValidationReport: ...

    def validate_content(self, content: bytes) -> ValidationReport: ...

    def select_nodes(self, ref: str, node_filter: NodeFilterSet | None) -> tuple[str, ...]: ...


class Boot(Protocol):
    """The nodes' door. Raises ``NotFound`` and ``Forbidden``; ``Conflict`` for reports that come too late."""

    def bundle(self, node: str, kind: BundleKind, key: bytes) -> Bundle: ...

    def admit(self, action_id: str, key: bytes) -> None:
        """Returns if the key may report on the action; asked before the report of somebody unknown is read."""
        ...

    def report(
        self, action_id: str, key: bytes, report: Report, *, idempotency_key: str | None = None
    ) -> BootAction: ...


class Machines(Protocol):
    """The machines' door beside ``Boot``. Raises ``BootContextNotFound``, ``Forbidden``; ``Conflict`` for too much."""

    def script(self, node: str, key: bytes) -> str: ...

    def admit(self, node: str, credential: bytes, *, events: bool = False) -> str:
        """The node's name, if the credential will do; asked before a large body is read from somebody unknown."""
        ...

    def event(self, node: str, credential: bytes, event: MachineEvent) -> None: ...

    def add_build_data(self, node: str, key: bytes, data: NewBuildData) -> None: ...


class Health(Protocol):
    def ping(self) -> None:
        """Raises ``DatabaseUnavailable``."""
        ...

    def dependencies(self) -> tuple[DependencyHealth, ...]: ...
