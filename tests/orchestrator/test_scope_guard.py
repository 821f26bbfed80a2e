"""What destroys or forces a whole site says its size; what it names and the design does not have is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from drydock.errors import InvalidInput, ScopeUnconfirmed, UnexpectedNodeCount
from drydock.model.actions import Action
from drydock.model.task import NewTask, ResultStatus, Task
from tests.factories.site import site
from tests.orchestrator.world import World

Filter = Mapping[str, Any]
UNION, INTERSECTION = "union", "intersection"


def names(*nodes: str, kind: str = UNION, **more: object) -> Filter:
    return {"filter_set_type": kind, "filter_set": [{"filter_type": kind, "node_names": list(nodes), **more}]}


EVERY_NODE: dict[str, Filter | None] = {
    "null": None,
    "no filter": {"filter_set_type": INTERSECTION, "filter_set": []},
    "an empty filter": names(kind=INTERSECTION),
    "empty criteria": names(kind=INTERSECTION, node_tags=[], node_labels={}, rack_names=[], rack_labels=None),
    "an empty one in a union": {
        "filter_set_type": UNION,
        "filter_set": [{"filter_type": UNION, "node_names": ["n01"]}, {"filter_type": INTERSECTION}],
    },
}
FOUND_OUT: dict[str, Filter] = {
    "every name": names("n01", "n02", "n03"),
    "a tag of all": names(kind=INTERSECTION, node_tags=["test"]),
    "a rack of all": names(rack_names=["r1"]),
    "one name and the rack of all": names("n01", rack_names=["r1"]),
}
GUARDED = [("destroy_nodes", False), ("destroy_node", False), ("deploy_nodes", True), ("prepare_node", True)]


def ended(world: World, task: Task) -> Task:
    world.run_until_idle(before=world.machines_report)
    return world.orchestrator.task(task.id)


def untouched(world: World) -> bool:
    return not (world.provisioner.installs or world.provisioner.destroyed or world.bmcs.resets)


@pytest.mark.parametrize(("action", "force"), GUARDED)
@pytest.mark.parametrize("node_filter", EVERY_NODE.values(), ids=EVERY_NODE.keys())
def test_what_is_for_every_node_of_any_design_is_refused_at_once(
    world: World, action: str, force: bool, node_filter: Filter | None
) -> None:
    with pytest.raises(ScopeUnconfirmed, match='add "expect_nodes": N, their number, or "all_nodes": true'):
        world.create(action, node_filter=node_filter, force=force, all_nodes=False)
    assert world.all_tasks() == []


@pytest.mark.parametrize(("action", "force"), GUARDED)
@pytest.mark.parametrize("node_filter", FOUND_OUT.values(), ids=FOUND_OUT.keys())
def test_a_filter_that_selects_every_node_is_refused(
    world: World, action: str, force: bool, node_filter: Filter
) -> None:
    with pytest.raises(ScopeUnconfirmed, match=r"all 3 nodes of the design here \(n01, n02, n03\)"):
        world.create(action, node_filter=node_filter, force=force, all_nodes=False)
    assert world.all_tasks() == []


def test_what_an_api_without_the_check_lets_through_fails_before_any_node_is_touched(world: World) -> None:
    new = NewTask(Action.DESTROY_NODES, world.store().ref, "tester", node_filter=FOUND_OUT["every name"])
    task = ended(world, world.database.add_task(new, request_digest=None))
    assert task.result.status is ResultStatus.FAILURE
    assert "all 3 nodes of the design here (n01, n02, n03)" in task.result.reason
    assert 'add "expect_nodes": 3 or "all_nodes": true' in task.result.reason
    assert (world.subtasks(task.id), untouched(world)) == ({}, True)


@pytest.mark.parametrize("said", [{"all_nodes": True}, {"expect_nodes": 3, "all_nodes": False}])
@pytest.mark.parametrize("node_filter", [None, FOUND_OUT["every name"]])
def test_a_request_that_says_the_size_is_let_through(
    world: World, said: dict[str, Any], node_filter: Filter | None
) -> None:
    task = ended(world, world.create("destroy_nodes", node_filter=node_filter, **said))
    assert (task.result.status, len(task.result.successes)) == (ResultStatus.SUCCESS, 3)


@pytest.mark.parametrize("action", ["verify_nodes", "prepare_nodes", "deploy_nodes", "destroy_nodes", "relabel_nodes"])
@pytest.mark.parametrize("all_nodes", [True, False])
def test_another_size_than_expected_is_refused_naming_both(world: World, action: str, all_nodes: bool) -> None:
    with pytest.raises(UnexpectedNodeCount, match=r"expect_nodes is 3, but 2 nodes are in scope \(n01, n03\)"):
        world.create(action, node_filter=names("n01", "n03"), expect_nodes=3, all_nodes=all_nodes)
    assert world.all_tasks() == []


def test_the_task_works_on_the_design_that_was_counted(world: World) -> None:
    snapshot = world.store()
    task = world.create("verify_nodes", design_ref=snapshot.ref, expect_nodes=3)
    assert task.design_digest == snapshot.digest


def test_a_design_that_cannot_be_read_is_the_tasks_matter(world: World) -> None:
    task = ended(world, world.create("verify_nodes", design_ref=f"drydock://designs/{'0' * 64}", expect_nodes=3))
    assert "no design" in task.result.reason


def test_a_part_of_a_site_needs_no_confirmation(world: World) -> None:
    for action, force in GUARDED:
        task = ended(world, world.create(action, node_filter=names("n01", "n02"), force=force, all_nodes=False))
        assert task.result.status is ResultStatus.SUCCESS, action


@pytest.mark.parametrize("action", ["verify_nodes", "prepare_nodes", "deploy_nodes", "relabel_nodes"])
def test_what_leaves_machines_as_they_are_needs_no_confirmation(world: World, action: str) -> None:
    assert ended(world, world.create(action, all_nodes=False)).result.status is ResultStatus.SUCCESS


def test_a_node_that_is_the_whole_site_may_be_named(world: World) -> None:
    ref = world.store(site(["n01"])).ref
    task = ended(world, world.create("destroy_nodes", design_ref=ref, node_filter=names("n01"), all_nodes=False))
    assert task.result.status is ResultStatus.SUCCESS


def test_a_size_of_what_works_on_no_node_is_refused(world: World) -> None:
    with pytest.raises(InvalidInput, match="expect_nodes: is for actions on nodes"):
        world.create("verify_site", expect_nodes=3)


def test_without_the_guard_each_such_task_has_a_warning(world: World) -> None:
    world.use_orchestrator(guard=False)
    for node_filter in (None, FOUND_OUT["every name"]):
        task = ended(world, world.create("destroy_nodes", node_filter=node_filter, all_nodes=False))
        assert task.result.status is ResultStatus.SUCCESS
        assert warnings(task) == [
            "destroy_nodes is for every node of the design (3 nodes), and the request did not say so: "
            "[orchestrator] guard is off, or was when it came"
        ]
    part = ended(world, world.create("destroy_nodes", node_filter=names("n01"), all_nodes=False))
    said = ended(world, world.create("destroy_nodes", all_nodes=True))
    assert (warnings(part), warnings(said)) == ([], [])


def warnings(task: Task) -> list[str]:
    return [message.message for message in task.result.messages if message.extra.get("level") == "Warning"]


def test_a_retry_of_what_was_confirmed_needs_no_second_confirmation(world: World) -> None:
    task = world.create("destroy_nodes", expect_nodes=3, all_nodes=False)
    world.work()
    world.orchestrator.terminate(task.id, by="operator")
    world.run_until_idle()
    again = world.orchestrator.create_task(world.orchestrator.retry_of(task.id, created_by="tester"))
    assert (again.all_nodes, again.expect_nodes) == (True, None)
    assert ended(world, again).result.status is ResultStatus.SUCCESS


def test_a_retry_that_adds_force_to_a_whole_site_is_asked_for_its_size(world: World) -> None:
    task = world.create("deploy_nodes", all_nodes=False)
    world.work()
    world.orchestrator.terminate(task.id, by="operator")
    world.run_until_idle()
    forced = replace(world.orchestrator.retry_of(task.id, created_by="tester"), force=True)
    with pytest.raises(ScopeUnconfirmed, match="deploy_nodes with force is for all 3 nodes"):
        world.orchestrator.create_task(forced)
    again = ended(world, world.database.add_task(forced, request_digest=None))
    assert "deploy_nodes with force is for all 3 nodes" in again.result.reason
    assert untouched(world)
    confirmed = ended(world, world.orchestrator.create_task(replace(forced, expect_nodes=3)))
    assert confirmed.result.status is ResultStatus.SUCCESS


def test_a_retry_of_another_size_than_expected_is_refused(world: World) -> None:
    task = world.create("deploy_nodes", all_nodes=False)
    while "n02" not in world.subtasks(task.id):
        world.work()
    world.orchestrator.terminate(world.subtasks(task.id)["n02"].id, by="operator")
    world.orchestrator.terminate(task.id, by="operator")
    world.run_until_idle()
    world.create("deploy_nodes", node_filter=names("n02"), all_nodes=False)
    world.run_until_idle(before=world.machines_report)
    retry = world.orchestrator.retry_of(task.id, created_by="tester")
    before = len(world.all_tasks())
    with pytest.raises(UnexpectedNodeCount, match=r"expect_nodes is 3, but 2 nodes are in scope \(n01, n03\)"):
        world.orchestrator.create_task(replace(retry, expect_nodes=3))
    assert len(world.all_tasks()) == before
    new = replace(retry, expect_nodes=2, force=True, idempotency_key="k")
    again = world.orchestrator.create_task(new)
    assert ended(world, again).result.successes == ("n01", "n03")
    assert world.orchestrator.create_task(new).id == again.id


def test_a_retry_with_force_of_a_part_of_a_site_is_let_through(world: World) -> None:
    task = world.create("deploy_nodes", node_filter=names("n01", "n02"), all_nodes=False)
    world.work()
    world.orchestrator.terminate(task.id, by="operator")
    world.run_until_idle()
    forced = replace(world.orchestrator.retry_of(task.id, created_by="tester"), force=True)
    assert ended(world, world.orchestrator.create_task(forced)).result.successes == ("n01", "n02")


def test_names_that_the_design_does_not_have_are_told(world: World) -> None:
    several = names("n01", "n1", rack_names=["r9"], node_tags=["gpu"], node_labels={"a": "b"}, rack_labels={"c": "d"})
    task = ended(world, world.create("verify_nodes", node_filter=several))
    assert task.result.successes == ("n01",)
    assert warnings(task) == [
        "the node filter: the design has no node n1; did you mean n01?",
        "the node filter: the design has no rack r9",
        "the node filter: the design has no node with tag gpu",
        "the node filter: the design has no node with label a=b",
        "the node filter: the design has no rack with label c=d",
    ]
    many = ended(world, world.create("verify_nodes", node_filter=names(*(f"x{number}" for number in range(12)))))
    assert many.result.message == "no nodes in scope"
    assert warnings(many)[0].endswith("x8, x9 and 2 more")
