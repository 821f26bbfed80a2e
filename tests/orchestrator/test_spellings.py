"""A design that spells the names of its nodes in other capitals than the one before: they are the same nodes."""

from __future__ import annotations

import json

import pytest

from drydock.db.tables import node_holds
from drydock.drivers.node.base import NodeState
from drydock.model.hardware_facts import HardwareFacts, facts_document
from drydock.model.plan import Decision, PlannedNode
from drydock.orchestrator.services.hardware import newest_facts
from tests.factories.site import site
from tests.orchestrator.test_deployed_nodes import recorded, run
from tests.orchestrator.world import World

LOWER, UPPER = site(["n01", "n02"]), site(["N01", "n02"])
CHANGED = UPPER.replace(b"ga-22.04", b"hwe-22.04")


@pytest.fixture
def deployed(world: World) -> World:
    run(world, "deploy_nodes", world.store(LOWER).ref)
    assert set(recorded(world)) == {"n01", "n02"}
    return world


def test_a_plan_destroys_no_node_for_its_capitals(deployed: World) -> None:
    ref = deployed.store(UPPER).ref
    plan = deployed.plans.create(ref, node_filter=None, chosen=None, destroy_unlisted=True, created_by="tester")
    nodes = [node for _, node in deployed.plans.nodes(plan.id, limit=10, after=-1, decision=None)]
    assert {node.name for node in nodes} == {"N01", "n02"}
    assert Decision.DESTROY not in {node.decision for node in nodes}


def planned(world: World, content: bytes) -> dict[str, PlannedNode]:
    ref = world.store(content).ref
    plan = world.plans.create(ref, node_filter=None, chosen=None, destroy_unlisted=False, created_by="tester")
    return {node.name: node for _, node in world.plans.nodes(plan.id, limit=10, after=-1, decision=None)}


def test_what_runs_is_not_deployed_for_its_capitals(world: World) -> None:
    """The provisioner distinguishes them: it is asked by its own spelling."""
    lower, upper = (content.replace(b"{{ node.hostname }}", b"x") for content in (LOWER, UPPER))
    run(world, "deploy_nodes", world.store(lower).ref)
    assert {node.decision for node in planned(world, upper).values()} == {Decision.KEEP}


def test_a_name_that_is_written_to_a_machine_is_another_content(deployed: World) -> None:
    node = planned(deployed, UPPER)["N01"]
    assert node.decision is Decision.BLOCKED
    assert "contents.greet./etc/greeting" in [reason.path for reason in node.reasons]


def test_what_is_to_be_redeployed_is_blocked_for_its_capitals(deployed: World) -> None:
    changed = planned(deployed, CHANGED)
    assert {name: node.decision for name, node in changed.items()} == {
        "N01": Decision.BLOCKED,
        "n02": Decision.REDEPLOY,
    }
    assert "the provisioner has it as n01: spell it so in the design" in str(changed["N01"].reasons)


@pytest.mark.parametrize("state", [NodeState.DEPLOYED, NodeState.READY])
def test_what_only_the_provisioner_knows_is_blocked_for_its_capitals(world: World, state: NodeState) -> None:
    world.provisioner.states["n01"] = state
    nodes = planned(world, UPPER)
    assert {name: node.decision for name, node in nodes.items()} == {"N01": Decision.BLOCKED, "n02": Decision.DEPLOY}
    assert state is NodeState.DEPLOYED or "the provisioner has it as n01" in str(nodes["N01"].reasons)
    world.provisioner.states["N01"] = NodeState.READY
    assert planned(world, UPPER)["N01"].decision is Decision.DEPLOY, "one that has the name itself is the node"


def test_one_record_for_one_node(deployed: World) -> None:
    run(deployed, "deploy_nodes", deployed.store(UPPER).ref, force=True)
    assert set(recorded(deployed)) == {"N01", "n02"}
    with deployed.database.statements() as statements:
        assert set(statements.deployed_nodes.of_nodes(["n01", "N02", "n03"])) == {"n01", "N02"}
        assert set(statements.deployed_nodes.sections(["n01", "N02"])) == {"n01", "N02"}
    run(deployed, "destroy_nodes", deployed.store(LOWER).ref)
    assert recorded(deployed) == {}


def test_a_task_that_has_the_node_blocks_it(deployed: World) -> None:
    task = deployed.create("prepare_nodes", design_ref=deployed.store(LOWER).ref, force=True)
    for _ in range(3):
        deployed.work()
    with deployed.sql.connect() as connection:
        assert connection.execute(node_holds.select()).all()
    assert str(task.id) in str(planned(deployed, CHANGED)["N01"].reasons)


def test_facts_are_found_by_the_spelling_that_is_asked_for(deployed: World) -> None:
    task = deployed.create("validate_design")
    facts = HardwareFacts(vendor="Example")
    with deployed.database.unit_of_work() as uow:
        uow.build_data.add(
            node="N01",
            task_id=task.id,
            generator="redfish",
            data_format="application/json",
            data_element=json.dumps(facts_document(facts)),
        )
        uow.commit()
    assert list(newest_facts(deployed.database, ["n01"], ["redfish"])) == ["n01"]
