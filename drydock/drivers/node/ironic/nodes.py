"""A node as Ironic's API shows it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from drydock.drivers.node.base import NodeState, Observation
from drydock.drivers.node.ironic import states

FIELDS = (
    "uuid", "name", "provision_state", "last_error", "maintenance", "maintenance_reason", "fault", "instance_uuid",
    "power_state", "provision_updated_at", "inspection_finished_at", "extra", "properties", "driver_internal_info",
    "retired", "protected", "protected_reason", "automated_clean",
)  # fmt: skip
#: What only enrolment compares.
ENROLMENT_FIELDS = (*FIELDS, "driver", "driver_info", "traits")

POWER_FAULT = "power failure"
STOPPED = "drydock_stopped"
"""In ``extra``: the instance that ``stop`` switched off after its installation had ended."""


@dataclass(frozen=True, slots=True)
class IronicNode:
    """``instance``: id of the deployment that it has or is to have. ``maintenance``, ``protected``: why, or None.
    ``inspection``: when the last one ended, as Ironic writes it; None if there was none, or it failed.
    ``fault``: what Ironic put it into maintenance for, None if it was an operator.

    ``retired``: its operator is to take it out. Ironic ends its cleaning in manageable, and makes it available no more.
    ``automated_clean``: None if Ironic's configuration decides. ``clean_steps``: of the cleaning that is going on.
    """

    uuid: str
    name: str | None
    state: str
    last_error: str | None
    maintenance: str | None
    fault: str | None
    protected: str | None
    retired: bool
    automated_clean: bool | None
    clean_steps: tuple[str, ...]
    instance: str | None
    power: str | None
    changed: datetime | None
    inspection: str | None
    heartbeat: datetime | None
    extra: Mapping[str, Any]
    properties: Mapping[str, Any]
    driver: str | None
    driver_info: Mapping[str, Any] = field(repr=False)
    traits: tuple[str, ...]

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        internal = row.get("driver_internal_info") or {}
        return cls(
            uuid=row["uuid"],
            name=row.get("name"),
            # Ironic's API before a node has a state, and for "available" of old.
            state=row.get("provision_state") or states.AVAILABLE,
            last_error=row.get("last_error"),
            maintenance=(row.get("maintenance_reason") or "no reason given") if row.get("maintenance") else None,
            fault=row.get("fault"),
            protected=(row.get("protected_reason") or "no reason given") if row.get("protected") else None,
            retired=bool(row.get("retired")),
            automated_clean=row.get("automated_clean"),
            clean_steps=step_names(internal.get("clean_steps")),
            instance=row.get("instance_uuid"),
            power=row.get("power_state"),
            changed=moment(row.get("provision_updated_at")),
            inspection=row.get("inspection_finished_at"),
            heartbeat=moment(internal.get("agent_last_heartbeat")),
            extra=row.get("extra") or {},
            properties=row.get("properties") or {},
            driver=row.get("driver"),
            driver_info=row.get("driver_info") or {},
            traits=tuple(row.get("traits") or ()),
        )

    @property
    def inspected(self) -> bool:
        return self.inspection is not None

    @property
    def stopped(self) -> bool:
        return self.instance is not None and self.extra.get(STOPPED) == self.instance

    @property
    def failed_silently(self) -> bool:
        """Ironic clears ``last_error`` when it next finds the power as it should be; the history keeps it."""
        return self.state in (states.DEPLOY_FAILED, states.ERROR) and not self.last_error

    @property
    def in_maintenance(self) -> str:
        return f"{self.name} is in maintenance in Ironic: {self.maintenance}"

    @property
    def is_protected(self) -> str:
        return f"{self.name} is protected in Ironic: {self.protected}; end that there to have it taken down"

    def observation(self, name: str) -> Observation:
        """A deployment that has ended counts more than maintenance, which its detail names."""
        state = states.STATES.get(self.state, NodeState.BUSY)
        detail = states.DOING.get(self.state, "")
        if state is NodeState.FAILED or (self.last_error and state is NodeState.DISCOVERED):
            detail = states.in_words(self.last_error)
        if state is NodeState.DEPLOYED and self.stopped:
            state, detail = NodeState.FAILED, "the machine was switched off when it had been installed: it was stopped"
        if self.maintenance is not None:
            detail = "; ".join(filter(None, (self.in_maintenance, detail)))
            if state not in (NodeState.DEPLOYED, NodeState.FAILED):
                state = NodeState.MAINTENANCE
        return Observation(name, state, self.instance, detail, self.heartbeat or self.changed)


def step_names(steps: object) -> tuple[str, ...]:
    """``interface.step`` of each, without its arguments."""
    rows = steps if isinstance(steps, list) else []
    return tuple(f"{row.get('interface')}.{row.get('step')}" for row in rows if isinstance(row, dict))


def moment(text: object) -> datetime | None:
    """UTC, which Ironic means and does not always say."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
