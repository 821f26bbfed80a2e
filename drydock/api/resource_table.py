"""What answers each route, by the names of the route table."""

from __future__ import annotations

from collections.abc import Mapping

from drydock.api.resources.boot_action import BootActionResource
from drydock.api.resources.boot_script import BootScriptResource
from drydock.api.resources.bootdata import BootDataResource
from drydock.api.resources.designs import DesignResource, DesignsResource, ValidateDesignResource
from drydock.api.resources.events import EventsResource
from drydock.api.resources.health import ExtendedHealthResource, HealthResource, MetricsResource
from drydock.api.resources.holds import HoldsResource, NodeHoldResource
from drydock.api.resources.machine_build_data import MachineBuildDataResource
from drydock.api.resources.machine_events import MachineEventsResource
from drydock.api.resources.nodes import NodeBuildDataResource, NodeFilterResource, NodeResource, NodesResource
from drydock.api.resources.plans import PlanNodesResource, PlanResource, PlansResource
from drydock.api.resources.tasks import (
    ConfirmResource,
    PauseResource,
    ResumeResource,
    TaskBuildDataResource,
    TaskResource,
    TasksResource,
    TerminateResource,
)
from drydock.api.resources.versions import VersionsResource
from drydock.api.services import ApiServices
from drydock.api.streams import EventStreams
from drydock.api.waiting import LongPolls
from drydock.model.boot_context import BundleKind


def resources(of: ApiServices) -> Mapping[str, object]:
    limits, at = of.limits, of.addresses
    polls = LongPolls(of.tasks, slots=limits.max_waiting, longest=limits.max_wait_seconds, metrics=of.metrics)
    # Besides those that wait, half as many streams: booting nodes always find a free thread.
    streams = EventStreams(of.tasks, slots=limits.max_waiting // 2, metrics=of.metrics)
    return {
        "versions": VersionsResource(),
        "health": HealthResource(of.health),
        "extended_health": ExtendedHealthResource(of.health),
        "metrics": MetricsResource(of.metrics),
        "tasks": TasksResource(of.tasks, of.policy, at),
        "task": TaskResource(of.tasks, of.policy, polls, at),
        "events": EventsResource(streams),
        "terminate": TerminateResource(of.tasks, at),
        "confirm": ConfirmResource(of.tasks, at),
        "pause": PauseResource(of.tasks, at),
        "resume": ResumeResource(of.tasks, at),
        "task_build_data": TaskBuildDataResource(of.tasks),
        "plans": PlansResource(of.plans, at),
        "plan": PlanResource(of.plans),
        "plan_nodes": PlanNodesResource(of.plans, at),
        "nodes": NodesResource(of.tasks),
        "node": NodeResource(of.nodes),
        "node_build_data": NodeBuildDataResource(of.tasks),
        "holds": HoldsResource(of.holds),
        "node_hold": NodeHoldResource(of.holds),
        "node_filter": NodeFilterResource(of.designs),
        "designs": DesignsResource(of.designs, at),
        "design": DesignResource(of.designs, of.policy),
        "validate_design": ValidateDesignResource(of.designs),
        "files": BootDataResource(of.boot, BundleKind.FILE),
        "units": BootDataResource(of.boot, BundleKind.UNIT),
        "boot_script": BootScriptResource(of.machines),
        "machine_build_data": MachineBuildDataResource(of.machines),
        "machine_events": MachineEventsResource(of.machines),
        "boot_action": BootActionResource(of.boot),
    }
