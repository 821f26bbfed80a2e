"""What plans are made from: what is recorded of each node, observed, held, at work on it, and known of its hardware."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from drydock.db.database import Database
from drydock.design.compiler import CompiledDesign
from drydock.design.filters import select_nodes
from drydock.design.hardware_check import differences, switches_of
from drydock.drivers.node.base import NodeProvisioner, NodeState, Observation
from drydock.errors import DriverError
from drydock.model.deployed_node import DeployedNode
from drydock.model.hardware_check import HardwareCheck
from drydock.model.hardware_sources import merged
from drydock.model.node_filter import NodeFilterSet
from drydock.model.operator_hold import HoldsByNode
from drydock.model.plan import PreparedSite
from drydock.orchestrator.services.designs import DesignService
from drydock.orchestrator.services.hardware import newest_facts
from drydock.plan.decision import NodeFacts, Observed, Recorded, Sections

Found = TypeVar("Found")

#: Nodes whose sections, or facts of hardware, are in memory at a time.
NODES_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """``names``: the nodes of a plan. ``seen`` is empty if the provisioner does not answer.

    ``respelled``: what the provisioner calls those that it has in other capitals only.
    """

    names: Sequence[str]
    recorded: Mapping[str, DeployedNode]
    at_work: Mapping[str, str]
    holds: HoldsByNode
    seen: Mapping[str, Observation]
    respelled: Mapping[str, str]
    mismatches: Mapping[str, tuple[str, ...]]
    unsuccessful: Mapping[str, str]
    prepared_site: PreparedSite | None

    @property
    def site_design(self) -> str | None:
        """The digest of the design that the site is of: of the newest deployment, or prepared by a plan since."""
        newest = max(self.recorded.values(), key=lambda each: each.deployed, default=None)
        prepared = self.prepared_site
        if prepared is not None and (newest is None or newest.deployed < prepared.since):
            return prepared.design_digest
        return None if newest is None else newest.design_digest

    def runs_as_recorded(self, name: str) -> bool:
        """Whether the provisioner has it as deployed by the deployment that is recorded."""
        seen = self.seen.get(name)
        return observed(seen) is Observed.DEPLOYED and known(self.recorded.get(name), seen) is not None

    def of(self, name: str, before: Sections | None) -> NodeFacts:
        """``before``: the recorded sections, where they are not those of the design."""
        seen, hold, task = self.seen.get(name), self.holds.get(name.lower()), self.at_work.get(name)
        recorded = known(self.recorded.get(name), seen)
        task = task and f"{task} is at work on it"
        if seen is not None and seen.state is NodeState.MAINTENANCE:
            task = f"the provisioner has it in maintenance{': ' + seen.detail if seen.detail else ''}"
        if name in self.respelled:
            other = f"the provisioner has it as {self.respelled[name]}: spell it so in the design, or rename it there"
            task = "; ".join(filter(None, (task, other)))
        return NodeFacts(
            None if recorded is None else _recorded(recorded, before),
            observed(seen),
            hold=None if hold is None else str(hold),
            task=task,
            mismatches=self.mismatches.get(name, ()),
            unsuccessful=self.unsuccessful.get(name),
        )


class FactsReader:
    def __init__(
        self,
        database: Database,
        designs: DesignService,
        provisioner: NodeProvisioner,
        *,
        finders: Collection[str],
        hardware_check: HardwareCheck,
    ) -> None:
        """``finders``: whose facts of hardware count."""
        self._database = database
        self._designs = designs
        self._provisioner = provisioner
        self._finders = finders
        self.hardware_check = hardware_check

    def read(self, design: CompiledDesign, chosen: NodeFilterSet | None, *, must_answer: bool = False) -> SiteFacts:
        """Without ``chosen``, deployed nodes that the design does not have are the last ones.

        ``must_answer``: raise ``DriverError`` if the provisioner does not.
        """
        with self._database.statements() as statements:
            recorded = _spelled(design, statements.deployed_nodes.all())
            at_work = _spelled(design, statements.plans.at_work())
            names = list(select_nodes(design.site, chosen))
            if chosen is None:
                names += sorted(set(recorded) - set(design.site.nodes))
            holds = statements.operator_holds.of_nodes(names)
            prepared = statements.plans.prepared_site()
        seen, respelled = self._observed(names, must_answer=must_answer)
        mismatches = {} if self.hardware_check is HardwareCheck.OFF else dict(self._mismatches(design, names))
        unsuccessful = dict(self._unsuccessful(seen, recorded))
        return SiteFacts(names, recorded, at_work, holds, seen, respelled, mismatches, unsuccessful, prepared)

    def _observed(
        self, names: Sequence[str], *, must_answer: bool
    ) -> tuple[Mapping[str, Observation], Mapping[str, str]]:
        """By the names given, also of nodes that the provisioner has in other capitals; and these names there."""
        try:
            seen = self._provisioner.observe(names)
            respelled = self._respelled([name for name in names if seen[name].state is NodeState.UNKNOWN])
            there = self._provisioner.observe(list(respelled.values())) if respelled else {}
        except DriverError:
            if must_answer:
                raise
            return {}, {}
        return {**seen, **{name: there[other] for name, other in respelled.items()}}, respelled

    def _respelled(self, unknown: Sequence[str]) -> Mapping[str, str]:
        if not unknown:
            return {}
        listed = {node.hostname for node in self._provisioner.list_nodes()}
        by_folded = {name.lower(): name for name in sorted(listed)}
        return {name: by_folded[name.lower()] for name in unknown if name not in listed and name.lower() in by_folded}

    def _unsuccessful(
        self, seen: Mapping[str, Observation], recorded: Mapping[str, DeployedNode]
    ) -> Iterator[tuple[str, str]]:
        """Of deployed nodes without a record: the task that deployed them, if it did not end well."""
        lacking = [name for name, look in seen.items() if look.state is NodeState.DEPLOYED and name not in recorded]
        for part in parts(lacking):
            ids = {name: _uuid(seen[name].deployment_id) for name in part}
            with self._database.statements() as statements:
                found = statements.plans.unsuccessful([each for each in ids.values() if each is not None])
            for name, deployment_id in ids.items():
                if deployment_id is not None and deployment_id in found:
                    yield name, str(found[deployment_id])

    def _mismatches(self, design: CompiledDesign, names: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Of nodes whose hardware is not as the design has it, as far as it is known."""
        for part in parts([name for name in names if name in design.site.nodes]):
            for name, found in newest_facts(self._database, part, self._finders).items():
                facts = merged(found, provisioner=self._provisioner.name)
                if facts is not None and name in design.site.nodes:
                    node = self._designs.provisioned_node(design, name)
                    different = tuple(differences(node, facts, switches_of(design.site, name)))
                    if different:
                        yield name, different


def _spelled(design: CompiledDesign, found: Mapping[str, Found]) -> Mapping[str, Found]:
    """By the design's names of its nodes: a node that is spelled otherwise since is not another one."""
    names = {name.lower(): name for name in design.site.nodes}
    return {names.get(name.lower(), name): each for name, each in found.items()}


def parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), NODES_AT_ONCE):
        yield names[start : start + NODES_AT_ONCE]


def observed(seen: Observation | None) -> Observed:
    if seen is None:
        return Observed.UNREACHABLE
    return Observed.DEPLOYED if seen.state is NodeState.DEPLOYED else Observed.NOT_DEPLOYED


def known(recorded: DeployedNode | None, seen: Observation | None) -> DeployedNode | None:
    """A record of a deployment that the provisioner does not know any more counts for nothing."""
    if recorded is None or seen is None or seen.deployment_id in (None, str(recorded.deployment_id)):
        return recorded
    return None


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None


def _recorded(found: DeployedNode, before: Sections | None) -> Recorded:
    since = f"{found.deployed:%Y-%m-%d %H:%M} UTC by {found.deployed_by}, task {found.task_id}"
    return Recorded(str(found.deployment_id), since, before)
