"""What a node runs is kept in the transaction that ends its deployment, and forgotten when it is destroyed."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from drydock.drivers.node.base import NodeState
from drydock.errors import DriverUnavailable, NodeNotFound
from drydock.model.deployed_node import DeployedNode
from drydock.model.task import ResultStatus, Task
from drydock.orchestrator.services.hardware import HardwareService
from drydock.orchestrator.services.node_records import NodeRecord, NodeRecords
from tests.factories.site import site
from tests.orchestrator.world import World

NODES = ("n01", "n02")


def recorded(world: World) -> Mapping[str, DeployedNode]:
    with world.database.statements() as statements:
        return statements.deployed_nodes.all()


def run(world: World, action: str, ref: str, **fields: object) -> Task:
    task = world.create(action, design_ref=ref, **fields)
    world.run_until_idle(before=world.machines_report)
    return world.orchestrator.task(task.id)


def test_a_deployment_that_ends_well_is_kept(world: World) -> None:
    ref = world.store(site(NODES)).ref
    task = run(world, "deploy_nodes", ref)
    assert task.result.status is ResultStatus.SUCCESS
    found = recorded(world)
    assert set(found) == set(NODES)
    one = found["n01"]
    assert (one.task_id, one.deployed_by, one.design_digest) == (task.id, "tester", task.design_digest)
    with world.database.statements() as statements:
        sections = statements.deployed_nodes.sections(["n01", "nothing"])["n01"]
    assert one.image == sections["platform"]["image"]
    assert set(one.fingerprints) == set(sections)
    assert "out_of_band" not in sections
    assert str(one.deployment_id) == world.provisioner.observe(["n01"])["n01"].deployment_id


def test_the_same_design_again_is_the_same_record(world: World) -> None:
    ref = world.store(site(NODES)).ref
    run(world, "deploy_nodes", ref)
    before = recorded(world)
    run(world, "deploy_nodes", ref, force=True)
    after = recorded(world)
    assert {node: each.fingerprints for node, each in after.items()} == {
        node: each.fingerprints for node, each in before.items()
    }
    assert after["n01"].deployment_id != before["n01"].deployment_id


def test_what_was_deployed_already_keeps_its_record(world: World) -> None:
    ref = world.store(site(NODES)).ref
    run(world, "deploy_nodes", ref)
    before = recorded(world)
    run(world, "deploy_nodes", ref)
    assert recorded(world) == before


def test_a_deployment_that_fails_leaves_no_record(world: World) -> None:
    ref = world.store(site(NODES)).ref
    run(world, "deploy_nodes", ref)
    world.provisioner.outcome = NodeState.FAILED
    assert run(world, "deploy_nodes", ref, force=True).result.status is ResultStatus.FAILURE
    assert recorded(world) == {}


def test_destroying_forgets(world: World) -> None:
    ref = world.store(site(NODES)).ref
    run(world, "deploy_nodes", ref)
    run(world, "destroy_nodes", ref)
    assert recorded(world) == {}


def test_a_node_that_only_the_provisioner_knows_is_known(world: World) -> None:
    """As one that was deployed before 0.3.0, and whose hardware nobody looked at."""
    hardware = HardwareService(world.database, provisioner="fake", oob_drivers=["redfish"])
    records = NodeRecords(world.database, hardware, world.provisioner)
    world.provisioner.states["n01"] = NodeState.DEPLOYED
    assert records.of_node("N01") == NodeRecord("n01", None, None, None, None)
    with pytest.raises(NodeNotFound, match=r"nothing is known of node n02.*nor does fake know it"):
        records.of_node("n02")


def test_where_the_provisioner_does_not_answer_that_is_said(world: World) -> None:
    class Away:
        name = "away"

        def list_nodes(self) -> object:
            raise DriverUnavailable("no answer")

    hardware = HardwareService(world.database, provisioner="fake", oob_drivers=["redfish"])
    with pytest.raises(NodeNotFound, match=r"nothing is known of node n01.*away does not answer"):
        NodeRecords(world.database, hardware, Away()).of_node("n01")  # type: ignore[arg-type]
