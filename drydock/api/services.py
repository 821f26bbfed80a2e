"""What the API is made of."""

from __future__ import annotations

from dataclasses import dataclass

from drydock.api.addresses import Addresses
from drydock.api.limits import Limits
from drydock.api.route import Authorizer
from drydock.metrics import ApiMetrics
from drydock.orchestrator.services.boot_actions import BootService
from drydock.orchestrator.services.designs import DesignService
from drydock.orchestrator.services.health import Health
from drydock.orchestrator.services.machines import MachineService
from drydock.orchestrator.services.node_records import NodeRecords
from drydock.orchestrator.services.operator_holds import OperatorHoldService
from drydock.orchestrator.services.plans import PlanService
from drydock.orchestrator.services.tasks import TaskService


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiServices:
    tasks: TaskService
    designs: DesignService
    plans: PlanService
    boot: BootService
    machines: MachineService
    nodes: NodeRecords
    holds: OperatorHoldService
    health: Health
    policy: Authorizer
    limits: Limits
    metrics: ApiMetrics
    addresses: Addresses
