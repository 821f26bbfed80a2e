"""The route table: path, resource, who may come in, and the policy rule of each method. Tests walk it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from drydock.api.access import Access, Authorizer
from drydock.api.addresses import Addresses
from drydock.api.doors import Boot, Designs, Health, Machines, Operations
from drydock.api.limits import Limits
from drydock.api.resources.boot_script import BootScriptResource
from drydock.api.resources.bootaction import BootActionResource
from drydock.api.resources.bootdata import BootDataResource
from drydock.api.resources.designs import DesignResource, DesignsResource, ValidateDesignResource
from drydock.api.resources.events import EventsResource
from drydock.api.resources.health import ExtendedHealthResource, HealthResource, MetricsResource
from drydock.api.resources.machine_events import MachineEventsResource
from drydock.api.resources.node_build_data import MachineBuildDataResource
from drydock.api.resources.nodes import NodeBuildDataResource, NodeFilterResource, NodesResource
from drydock.api.resources.tasks import TaskBuildDataResource, TaskResource, TasksResource, TerminateResource
from drydock.api.resources.versions import VersionsResource
from drydock.api.streams import StreamRoom
from drydock.api.waiting import WaitingRoom
from drydock.metrics import ApiMetrics
from drydock.model.boot_context import BundleKind
from drydock.policies.designs import INGEST_DATA, READ_DATA, VALIDATE_SITE_DESIGN
from drydock.policies.health import HEALTH_DATA
from drydock.policies.nodes import READ_BUILD_DATA
from drydock.policies.tasks import CREATE_TASK, DELETE_TASKS, READ_TASK, TERMINATE_TASK

PREFIX = "/api/v1.0"


@dataclass(frozen=True, slots=True)
class Services:
    """What the resources are made of."""

    orchestrator: Operations
    designs: Designs
    boot: Boot
    health: Health
    policy: Authorizer
    limits: Limits
    metrics: ApiMetrics
    machines: Machines
    addresses: Addresses


@dataclass(frozen=True, slots=True)
class Route:
    """``path`` is a falcon template; it also matches with a slash behind it. ``rules``: by method, OPERATOR only."""

    path: str
    resource: object
    access: Access
    rules: Mapping[str, str] = field(default_factory=dict)


def routes(services: Services) -> tuple[Route, ...]:
    return (
        *_open_routes(services),
        *_operator_routes(services),
        *_node_routes(services.boot, services.machines, services.limits),
    )


def _open_routes(services: Services) -> tuple[Route, ...]:
    versions = VersionsResource()
    return (
        Route("/versions", versions, Access.OPEN),
        Route("/api/versions", versions, Access.OPEN),
        Route(f"{PREFIX}/versions", versions, Access.OPEN),
        Route(f"{PREFIX}/health", HealthResource(services.health), Access.OPEN),
        Route(f"{PREFIX}/metrics", MetricsResource(services.metrics), Access.OPEN),
    )


def _operator_routes(services: Services) -> tuple[Route, ...]:
    tasks, designs, policy, limits = services.orchestrator, services.designs, services.policy, services.limits
    at = services.addresses
    waiting = WaitingRoom(tasks, seats=limits.max_waiting, longest=limits.max_wait_seconds, metrics=services.metrics)
    # Besides those that wait, half as many that listen: booting nodes always find a free thread.
    streams = StreamRoom(
        tasks, seats=limits.max_waiting // 2, lasts=limits.max_stream_seconds, metrics=services.metrics
    )

    def operator(path: str, resource: object, **rules: str) -> Route:
        return Route(PREFIX + path, resource, Access.OPERATOR, rules)

    return (
        operator(
            "/tasks", TasksResource(tasks, policy, limits, at), GET=READ_TASK, POST=CREATE_TASK, DELETE=DELETE_TASKS
        ),
        operator("/tasks/{task_id}", TaskResource(tasks, policy, waiting, at), GET=READ_TASK),
        operator("/tasks/{task_id}/events", EventsResource(streams), GET=READ_TASK),
        operator("/tasks/{task_id}/terminate", TerminateResource(tasks, at), POST=TERMINATE_TASK),
        operator("/tasks/{task_id}/builddata", TaskBuildDataResource(tasks), GET=READ_BUILD_DATA),
        operator("/nodes", NodesResource(services.orchestrator), GET=READ_DATA),
        operator("/nodes/{hostname}/builddata", NodeBuildDataResource(services.orchestrator), GET=READ_BUILD_DATA),
        operator("/nodefilter", NodeFilterResource(designs, limits), POST=READ_DATA),
        operator("/designs", DesignsResource(designs, limits, at), GET=READ_DATA, POST=INGEST_DATA),
        operator("/designs/{digest}", DesignResource(designs, policy), GET=READ_DATA),
        operator("/validatedesign", ValidateDesignResource(designs, limits), POST=VALIDATE_SITE_DESIGN),
        operator("/health/extended", ExtendedHealthResource(services.health), GET=HEALTH_DATA),
    )


def _node_routes(boot: Boot, machines: Machines, limits: Limits) -> tuple[Route, ...]:
    """Under the documented names, and under those that deployed clients call."""
    of_node = {
        "files": BootDataResource(boot, BundleKind.FILE),
        "units": BootDataResource(boot, BundleKind.UNIT),
        "script": BootScriptResource(machines),
        "builddata": MachineBuildDataResource(machines, limits),
        # Installers that can send no header of their own put a token into the path, or into OAuth's header.
        "events": MachineEventsResource(machines, limits),
        "events/{token}": MachineEventsResource(machines, limits),
    }
    report = BootActionResource(boot, limits)
    return tuple(
        Route(PREFIX + path, resource, Access.NODE_KEY)
        for path, resource in (
            *((f"/bootdata/{{hostname}}/{name}", resource) for name, resource in of_node.items()),
            *((f"/bootactions/nodes/{{hostname}}/{name}", resource) for name, resource in of_node.items()),
            ("/bootaction/{action_id}", report),
            ("/bootactions/{action_id}", report),
        )
    )
