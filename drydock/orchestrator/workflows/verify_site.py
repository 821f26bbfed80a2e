"""The action verify_site: check_provisioner → resolve_design → check_design → check_drivers.

Nothing is changed, and no machine is asked: all of it runs in the lane of quick steps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from drydock.counting import counted
from drydock.design.provisioning import provisioned_node
from drydock.drivers.node.base import NodeProvisioner
from drydock.drivers.node.records import ProvisionedNode
from drydock.model.actions import Action
from drydock.model.task import Lane
from drydock.orchestrator.workflows.outcome import Done, Failed, Outcome
from drydock.orchestrator.workflows.planner import check_design, resolve_design
from drydock.orchestrator.workflows.prepare_nodes import network_device
from drydock.orchestrator.workflows.workflow import Step, StepContext, StepServices, Workflow

#: Nodes that are named with what cannot be done for them; the others are counted.
NAMED = 3


def check_provisioner(ctx: StepContext) -> Outcome:
    provisioner = ctx.services.provisioner
    provisioner.check()
    return Done(f"{provisioner.name} answers and is able to work")


def check_drivers(ctx: StepContext) -> Outcome:
    """Whether the drivers can do what the design needs of them, before anything is touched."""
    nodes = [provisioned_node(ctx.site, name) for name in ctx.site.nodes]
    types = Counter("none" if node.bmc is None else node.bmc.type for node in nodes)
    lacks = (
        *_bmc_lacks(ctx.services, types),
        *_provisioner_lacks(ctx.services.provisioner, nodes),
    )
    if lacks:
        return Failed("the drivers cannot do what the design needs", details=lacks)
    if ctx.services.labels is not None:
        ctx.services.labels.check()
    return Done(f"the site can be worked on: {counted(len(nodes), 'node')}{_by_hand(ctx.services, types)}")


def _bmc_lacks(services: StepServices, types: Counter[str]) -> Iterator[str]:
    if services.provisioner.capabilities.owns_power:
        return
    enabled = ", ".join(sorted(services.oob_drivers)) or "none"
    of_type = ("node has out-of-band type", "nodes have out-of-band type")
    for kind, count in types.items():
        driver = services.oob_drivers.get(kind)
        if driver is None:
            yield f"{counted(count, *of_type)} {kind}; enabled drivers: {enabled}"
        elif network_device(driver.capabilities) is None:
            yield f"{counted(count, *of_type)} {kind}, whose driver cannot have them boot from the network"


def _provisioner_lacks(provisioner: NodeProvisioner, nodes: Sequence[ProvisionedNode]) -> Iterator[str]:
    """Once for each thing that cannot be done: thousands of nodes may share a layout."""
    found: dict[str, list[str]] = {}
    for node in nodes:
        for text in provisioner.unsupported(node):
            found.setdefault(text, []).append(node.name)
    for text, names in found.items():
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        yield f"{provisioner.name}: {text} ({', '.join(names[:NAMED])}{more})"


def _by_hand(services: StepServices, types: Counter[str]) -> str:
    if services.provisioner.capabilities.owns_power:
        return ""
    by_hand = sum(
        count
        for kind, count in types.items()
        if kind in services.oob_drivers and services.oob_drivers[kind].capabilities.by_hand
    )
    return f", {by_hand} of them switched by hand" if by_hand else ""


VERIFY_SITE = Workflow(
    Action.VERIFY_SITE,
    (
        Step("check_provisioner", check_provisioner, timeout="verify_site", lane=Lane.TASK),
        Step("resolve_design", resolve_design, timeout="resolve_design", lane=Lane.TASK),
        Step("check_design", check_design, timeout="resolve_design", lane=Lane.TASK),
        Step("check_drivers", check_drivers, timeout="verify_site", lane=Lane.TASK),
    ),
)
