"""A design that spells the names of its nodes in other capitals than the one before: they are the same nodes."""

from __future__ import annotations

import json

import pytest

from drydock.db.tables import node_holds
from drydock.model.hardware_facts import HardwareFacts, facts_document
from drydock.model.plan import Decision
from drydock.orchestrator.services.hardware import newest_facts
from tests.factories.site import site
from tests.orchestrator.test_deployed_nodes import recorded, run
from tests.orchestrator.world import World

LOWER, UPPER = site(["n01", "n02"]), site(["N01", "n02"])


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
    ref = deployed.store(UPPER).ref
    plan = deployed.plans.create(ref, node_filter=None, chosen=None, destroy_unlisted=False, created_by="tester")
    nodes = {node.name: node for _, node in deployed.plans.nodes(plan.id, limit=10, after=-1, decision=None)}
    assert str(task.id) in str(nodes["N01"].reasons)


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
