"""apply_plan does what the plan says: on real rows, with a provisioner and BMCs that are dictionaries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from drydock.drivers.node.base import NodeState, Observation
from drydock.drivers.node.records import ProvisionedSite
from drydock.drivers.progress import Progress, failed
from drydock.errors import PlanApplied, PlanNotFound, PlanStale, ScopeUnconfirmed, UnexpectedNodeCount
from drydock.model.actions import Action
from drydock.model.boot_action import ReportStatus
from drydock.model.node_filter import parse_node_filter
from drydock.model.operator_hold import NewHold
from drydock.model.plan import SITE_IS_PREPARED, Decision, PlanHead, PlannedNode
from drydock.model.rollout import PLAIN, Rollout
from drydock.model.task import NewTask, ResultStatus, Task, TaskStatus
from drydock.orchestrator.services.plans import planned_waves
from drydock.orchestrator.workflows.apply_plan import APPLY_PLAN
from tests.factories.site import site
from tests.factories.tasks import named_nodes
from tests.orchestrator.fakes import FakeProvisioner
from tests.orchestrator.world import World

NODES = ("n01", "n02", "n03")
DESIGN = site(NODES)
NOBLE = DESIGN.replace(b"image: jammy", b"image: noble")


def with_range(design: bytes, *, end: int) -> bytes:
    """A network that all nodes are on has other addresses to give: no node changes by it."""
    ranges = f"ranges: [{{type: dhcp, start: 10.1.200.1, end: 10.1.200.{end}}}]"
    return design.replace(b"cidr: 10.1.0.0/16", f"cidr: 10.1.0.0/16, {ranges}".encode())


@pytest.fixture
def world(world: World) -> World:
    world.provisioner.images = None
    return world


def planned(world: World, design: bytes = DESIGN, *, destroy_unlisted: bool = False) -> PlanHead:
    ref = world.store(design).ref
    return world.plans.create(
        ref, node_filter=None, chosen=None, destroy_unlisted=destroy_unlisted, created_by="tester"
    )


def request(plan: PlanHead, **fields: Any) -> NewTask:
    new = NewTask(Action.APPLY_PLAN, design_ref="", created_by="tester", plan=plan.id, all_nodes=True)
    return replace(new, **fields)


def run(world: World, task: Task) -> Task:
    world.run_until_idle(before=world.machines_report)
    return world.orchestrator.task(task.id)


def applied(world: World, plan: PlanHead, **fields: Any) -> Task:
    return run(world, world.orchestrator.create_task(request(plan, **fields)))


def decisions(world: World, plan: PlanHead) -> Mapping[str, int]:
    return {name: number for name, number in plan.counts.items() if number}


def hold(world: World, node: str, reason: str = "a fan") -> None:
    with world.database.unit_of_work() as uow:
        uow.operator_holds.add(NewHold(node, "maintenance", reason, "bob", None))
        uow.commit()


def test_a_new_site_is_prepared_and_deployed_and_then_there_is_nothing_to_do(world: World) -> None:
    ended = applied(world, planned(world))
    assert (ended.result.status, ended.result.successes) == (ResultStatus.SUCCESS, NODES)
    assert world.provisioner.installs == dict.fromkeys(NODES, 1)
    assert world.bmcs.resets == dict.fromkeys(NODES, 1), "switched on once, to be prepared"
    again = planned(world)
    assert decisions(world, again) == {"keep": 3}
    nothing = applied(world, again)
    assert (nothing.result.status, world.subtasks(nothing.id)) == (ResultStatus.SUCCESS, {})
    assert nothing.result.message == "the plan changes no node"


def test_what_is_kept_is_not_touched_and_what_changes_is_installed_again(world: World) -> None:
    applied(world, planned(world, site(("n01", "n02"))))
    asked = dict(world.bmcs.resets)
    plan = planned(world)
    assert decisions(world, plan) == {"keep": 2, "deploy": 1}
    ended = applied(world, plan)
    assert set(world.subtasks(ended.id)) == {"n03"}
    assert world.bmcs.resets == {**asked, "n03": 1}
    changed = planned(world, NOBLE)
    assert decisions(world, changed) == {"redeploy": 3}
    resets = dict(world.bmcs.resets)
    assert applied(world, changed).result.status is ResultStatus.SUCCESS
    assert world.provisioner.installs == dict.fromkeys(NODES, 2)
    assert world.bmcs.resets == resets, "a deployed machine is installed again as it is"
    assert decisions(world, planned(world, NOBLE)) == {"keep": 3}


def test_what_the_design_has_not_is_destroyed(world: World) -> None:
    applied(world, planned(world))
    plan = planned(world, site(("n01", "n02")), destroy_unlisted=True)
    ended = applied(world, plan)
    assert {name: sub.action for name, sub in world.subtasks(ended.id).items()} == {"n03": Action.DESTROY_NODE}
    assert world.provisioner.destroyed == {"n03"}


def ranges_there(world: World) -> list[str]:
    """The last addresses of the ranges that the provisioner has."""
    site = world.provisioner.site
    return [str(found.end) for network in site.networks for found in network.ranges] if site else []


def test_what_changes_of_the_site_alone_is_prepared_and_is_no_change_any_more(world: World) -> None:
    applied(world, planned(world))
    for end in (20, 30):
        changed = with_range(DESIGN, end=end)
        plan = planned(world, changed)
        assert (decisions(world, plan), [change.path for change in plan.site]) == (
            {"keep": 3},
            ["networks.pxe.ranges"],
        )
        ended = applied(world, plan, all_nodes=False, expect_nodes=0)
        assert (ended.result.status, ended.result.message) == (ResultStatus.SUCCESS, "the plan changes no node")
        assert ranges_there(world) == [f"10.1.200.{end}"]
        assert planned(world, changed).site == ()
    back = planned(world, with_range(DESIGN, end=20))
    assert [change.path for change in back.site] == ["networks.pxe.ranges"]


def test_what_changes_of_the_site_is_prepared_where_nodes_are_only_destroyed(world: World) -> None:
    applied(world, planned(world))
    smaller = with_range(site(("n01", "n02")), end=20)
    applied(world, planned(world, smaller, destroy_unlisted=True))
    assert (world.provisioner.destroyed, ranges_there(world)) == ({"n03"}, ["10.1.200.20"])
    assert planned(world, smaller).site == ()
    applied(world, planned(world, with_range(site(("n01",)), end=20), destroy_unlisted=True))
    assert world.provisioner.destroyed == {"n02", "n03"}


def test_a_site_that_could_not_be_prepared_still_changes(world: World) -> None:
    class Refusing(FakeProvisioner):
        refuses = False

        def prepare_site(self, site: ProvisionedSite) -> Progress:
            return failed("no") if self.refuses else super().prepare_site(site)

    provisioner = Refusing()
    provisioner.images = None
    world = World(world.sql, provisioner)
    applied(world, planned(world))
    changed = with_range(DESIGN, end=20)
    provisioner.refuses = True
    assert applied(world, planned(world, changed)).result.status is ResultStatus.FAILURE
    again = planned(world, changed)
    assert again.site
    provisioner.refuses = False
    assert applied(world, again).result.status is ResultStatus.SUCCESS
    assert planned(world, changed).site == ()


def test_the_site_is_of_the_newest_deployment_or_of_the_newest_plan(world: World) -> None:
    """Whichever is newer; a plan that only destroys, and changes nothing of the site, prepares none."""
    applied(world, planned(world))
    changed = with_range(DESIGN, end=20)
    applied(world, planned(world, changed))
    world.create("deploy_nodes", design_ref=world.store(site(("n08",))).ref)
    world.run_until_idle(before=world.machines_report)
    plan = planned(world, changed)
    assert [(change.path, change.old) for change in plan.site] == [("networks.pxe.ranges", [])]
    applied(world, plan)
    assert planned(world, changed).site == ()
    plan = planned(world, with_range(DESIGN, end=30))
    applied(world, planned(world, with_range(DESIGN, end=40)))
    with pytest.raises(PlanStale, match="the site: it was deployed or prepared from another design"):
        world.orchestrator.create_task(request(plan))


def test_a_retry_prepares_the_site_only_for_nodes_that_it_deploys(world: World) -> None:
    applied(world, planned(world))
    smaller = with_range(site(("n01", "n02")), end=20)
    hold_later = world.orchestrator.create_task(request(planned(world, smaller, destroy_unlisted=True)))
    hold(world, "n03")
    assert run(world, hold_later).result.failures == ("n03",)
    applied(world, planned(world, with_range(site(("n01", "n02")), end=30)))
    with world.database.unit_of_work() as uow:
        uow.operator_holds.release("n03")
        uow.commit()
    retry = world.orchestrator.retry_of(hold_later.id, created_by="tester")
    assert run(world, world.orchestrator.create_task(retry)).result.successes == ("n03",)
    assert ranges_there(world) == ["10.1.200.30"]
    assert planned(world, with_range(site(("n01", "n02")), end=30)).site == ()


def test_the_steps_after_the_sites_are_those_by_which_it_is_known_to_be_prepared() -> None:
    names = [step.name for step in APPLY_PLAN.steps]
    assert names[names.index("prepare_planned_site") + 1 :] == list(SITE_IS_PREPARED)


def test_a_plan_is_applied_once_and_the_same_work_later_is_another_plan(world: World) -> None:
    plan = planned(world)
    task = applied(world, plan)
    with pytest.raises(PlanApplied, match=str(task.id)):
        world.orchestrator.create_task(request(plan))
    world.create("destroy_nodes", design_ref=world.store(DESIGN).ref)
    world.run_until_idle(before=world.machines_report)
    again = planned(world)
    assert (again.counts, again.applied_by) == (plan.counts, None)
    assert again.id != plan.id
    assert applied(world, again).result.status is ResultStatus.SUCCESS


def test_a_request_that_is_repeated_with_its_key_is_the_same_task(world: World) -> None:
    plan = planned(world)
    new = request(plan, idempotency_key="k")
    assert world.orchestrator.create_task(new).id == world.orchestrator.create_task(new).id


class Interrupting(FakeProvisioner):
    """``meanwhile``: what happens, once, while it is asked."""

    meanwhile: Callable[[], object] | None = None

    def observe(self, nodes: Sequence[str]) -> Mapping[str, Observation]:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return super().observe(nodes)


def test_an_equal_request_that_is_answered_meanwhile_is_the_same_task(world: World) -> None:
    """And its nodes are no longer as they were planned."""
    provisioner = Interrupting()
    provisioner.images = None
    other = World(world.sql, provisioner)
    new = request(planned(other), idempotency_key="k")
    first: list[Task] = []

    def meanwhile() -> None:
        first.append(run(other, other.orchestrator.create_task(new)))

    provisioner.meanwhile = meanwhile
    assert other.orchestrator.create_task(new).id == first[0].id


def test_an_unknown_plan_is_not_found(world: World) -> None:
    with pytest.raises(PlanNotFound):
        world.orchestrator.create_task(NewTask(Action.APPLY_PLAN, "", "tester", plan="0" * 64))


def test_a_plan_whose_ground_has_changed_is_refused(world: World) -> None:
    plan = planned(world)
    hold(world, "n02")
    with pytest.raises(PlanStale, match="n02: its hold was none and is n02 is held by bob"):
        world.orchestrator.create_task(request(plan))
    with world.database.unit_of_work() as uow:
        uow.operator_holds.release("n02")
        uow.commit()
    world.provisioner.states["n01"] = NodeState.DEPLOYED
    with pytest.raises(PlanStale, match="n01: its state at the provisioner was not deployed and is deployed"):
        world.orchestrator.create_task(request(plan))
    assert world.all_tasks() == []


def test_nodes_of_another_design_may_come_and_go(world: World) -> None:
    plan, destroying = planned(world), planned(world, destroy_unlisted=True)
    world.create("deploy_nodes", design_ref=world.store(site(("n08",))).ref)
    world.run_until_idle(before=world.machines_report)
    with pytest.raises(PlanStale, match="n08: it is not in the plan"):
        world.orchestrator.create_task(request(destroying))
    assert applied(world, plan).result.successes == NODES


def test_what_changes_meanwhile_ends_that_node_and_not_the_others(world: World) -> None:
    task = world.orchestrator.create_task(request(planned(world), rollout={"waves": [1, "100%"]}))
    while "n02" not in world.subtasks(task.id):
        world.work()
    world.provisioner.states["n02"] = NodeState.DEPLOYED
    hold(world, "n03")
    ended = run(world, task)
    subtasks = world.subtasks(task.id)
    assert subtasks["n01"].result.status is ResultStatus.SUCCESS
    assert subtasks["n02"].result.reason == (
        "plan_stale: its state at the provisioner was not deployed and is deployed; make a new plan"
    )
    assert subtasks["n03"].result.reason.startswith("n03 is held by bob (maintenance: a fan)")
    assert ended.result.failures == ("n02", "n03")
    assert world.provisioner.installs == {"n01": 1}


def test_a_held_node_is_blocked_in_a_plan(world: World) -> None:
    hold(world, "N02")
    plan = planned(world)
    assert decisions(world, plan) == {"deploy": 2, "blocked": 1}
    assert set(world.subtasks(applied(world, plan).id)) == {"n01", "n03"}


def test_the_number_of_nodes_is_that_of_the_plan(world: World) -> None:
    plan = planned(world)
    with pytest.raises(UnexpectedNodeCount, match="expect_nodes is 2, but the plan changes 3 nodes"):
        world.orchestrator.create_task(request(plan, expect_nodes=2))
    assert applied(world, plan, expect_nodes=3, all_nodes=False).result.status is ResultStatus.SUCCESS


def test_a_whole_site_is_redeployed_only_if_the_request_says_so(world: World) -> None:
    assert applied(world, planned(world), all_nodes=False).result.status is ResultStatus.SUCCESS
    plan = planned(world, NOBLE)
    with pytest.raises(ScopeUnconfirmed, match=r"all nodes that run and are not blocked: 3 nodes \(n01, n02, n03\)"):
        world.orchestrator.create_task(request(plan, all_nodes=False))
    world.use_orchestrator(guard=False)
    assert applied(world, plan, all_nodes=False).result.status is ResultStatus.SUCCESS


def is_refused(world: World, plan: PlanHead, *, wiped: int, expect_nodes: int) -> None:
    with pytest.raises(ScopeUnconfirmed, match=f'blocked: {wiped} node.*"expect_nodes": {expect_nodes} or'):
        world.orchestrator.create_task(request(plan, all_nodes=False))


def test_new_blocked_and_leftover_nodes_do_not_make_a_whole_site_less(world: World) -> None:
    """Of each kind one: the plan wipes all that run and that it may touch."""
    applied(world, planned(world, site((*NODES, "n09"))))
    hold(world, "n03")
    plan = planned(world, site((*NODES, "n04")).replace(b"image: jammy", b"image: noble"))
    assert decisions(world, plan) == {"redeploy": 2, "deploy": 1, "blocked": 1, "keep": 1}
    is_refused(world, plan, wiped=2, expect_nodes=3)
    world.orchestrator.create_task(request(plan, all_nodes=False, expect_nodes=3))


def test_all_that_runs_and_is_in_no_design_is_a_whole_site_too(world: World) -> None:
    applied(world, planned(world, site(("n08", "n09"))))
    plan = planned(world, destroy_unlisted=True)
    assert decisions(world, plan) == {"deploy": 3, "destroy": 2}
    is_refused(world, plan, wiped=2, expect_nodes=5)


def test_a_plan_that_leaves_a_node_of_the_design_running_is_no_whole_site(world: World) -> None:
    applied(world, planned(world))
    n01 = b"host_profile: host\n  metadata: {tags: [test]"
    other = DESIGN.replace(n01, n01.replace(b"[test]", b"[test, other]"), 2)
    plan = planned(world, other)
    assert decisions(world, plan) == {"redeploy": 2, "keep": 1}
    assert applied(world, plan, all_nodes=False).result.status is ResultStatus.SUCCESS


def test_a_filter_that_leaves_out_what_runs_is_no_whole_site_and_one_node_is_taken_at_its_word(world: World) -> None:
    def of(*names: str) -> PlanHead:
        chosen = named_nodes(*names)
        ref = world.store(NOBLE).ref
        return world.plans.create(
            ref, node_filter=chosen, chosen=parse_node_filter(chosen), destroy_unlisted=False, created_by="tester"
        )

    world.create("deploy_nodes", design_ref=world.store(DESIGN).ref, node_filter=named_nodes("n01"))
    world.run_until_idle(before=world.machines_report)
    is_refused(world, of("n01", "n02"), wiped=1, expect_nodes=2)
    assert applied(world, of("n01"), all_nodes=False).result.status is ResultStatus.SUCCESS
    applied(world, planned(world, NOBLE))
    applied(world, planned(world))
    assert applied(world, of("n01", "n02"), all_nodes=False).result.status is ResultStatus.SUCCESS


def test_waves_and_a_budget_and_a_retry(world: World) -> None:
    task = world.orchestrator.create_task(request(planned(world), rollout={"waves": [1, "100%"], "max_failed": 1}))
    world.run_until_idle(before=lambda: world.machines_report(ReportStatus.FAILURE))
    task = world.orchestrator.task(task.id)
    assert (task.result.status, task.result.failures) == (ResultStatus.FAILURE, NODES)
    assert task.result.reason.startswith("failure budget of 1 spent: n01")
    assert world.subtasks(task.id)["n02"].status is TaskStatus.TERMINATED
    assert world.provisioner.installs == {"n01": 1}
    retry = world.orchestrator.retry_of(task.id, created_by="tester")
    assert (retry.plan, retry.rollout) == (task.plan, task.rollout)
    with pytest.raises(UnexpectedNodeCount, match="expect_nodes is 2, but 3 nodes are in scope"):
        world.orchestrator.create_task(replace(retry, expect_nodes=2))
    world.provisioner.site = None
    miscounted = run(world, world.database.add_task(replace(retry, expect_nodes=2), request_digest=None))
    assert miscounted.result.reason.startswith("expect_nodes is 2, but 3 nodes are in scope")
    assert world.provisioner.site is None
    assert run(world, world.orchestrator.create_task(retry)).result.successes == NODES
    assert world.provisioner.installs == {"n01": 2, "n02": 1, "n03": 1}
    assert decisions(world, planned(world)) == {"keep": 3}


def test_a_deployment_that_did_not_end_well_is_planned_again(world: World) -> None:
    task = world.orchestrator.create_task(request(planned(world)))
    world.run_until_idle(before=lambda: world.machines_report(ReportStatus.FAILURE))
    again = planned(world)
    assert decisions(world, again) == {"redeploy": 3}
    with world.database.statements() as statements:
        (reason,) = statements.plans.touched(again.id)[0].reasons
    assert reason.text == f"its last deployment did not end well: task {task.id}"
    assert applied(world, again).result.successes == NODES


def test_the_waves_of_a_plan_are_those_of_the_options(world: World) -> None:
    assert planned(world).waves == (3,)


def test_what_is_new_begins_before_what_is_lost_whatever_the_racks(world: World) -> None:
    """A node that the design has not is in no rack of it: spread over the racks, it would begin second."""
    applied(world, planned(world, site(("n04", "n05"))))
    design = site(("n04", *NODES, "n06")).replace(b"image: jammy", b"image: noble")
    rollout: dict[str, Any] = {"waves": [2, 5, "100%"]}
    task = applied(world, planned(world, design, destroy_unlisted=True), rollout=rollout)
    waves = {name: sub.wave for name, sub in world.subtasks(task.id).items()}
    assert waves == {"n01": 0, "n02": 0, "n03": 1, "n06": 1, "n04": 1, "n05": 2}


def test_the_nodes_of_each_decision_are_spread_over_the_racks() -> None:
    def node(name: str, decision: Decision) -> PlannedNode:
        return PlannedNode(name, f"r{name[1]}", decision, (), {})

    nodes = [
        *(node(name, Decision.DESTROY) for name in ("d1", "d1x", "d3")),
        node("k3", Decision.KEEP),
        *(node(name, Decision.DEPLOY) for name in ("a1", "a1x", "a2")),
    ]
    found = planned_waves(nodes, Rollout.parse({"waves": [2, 3, 5]}, PLAIN))
    assert found == {"a1": 0, "a2": 0, "a1x": 1, "d1": 2, "d3": 2, "d1x": 3}


def test_a_wave_of_a_plan_that_adds_no_node_is_named_in_the_tasks_history(world: World) -> None:
    task = applied(world, planned(world), rollout={"waves": [2, "50%"]})
    assert "3 nodes to change; waves that add no node: 50%" in [line.message for line in task.result.messages]


def test_a_paused_plan_begins_no_node(world: World) -> None:
    task = world.orchestrator.create_task(request(planned(world)))
    world.orchestrator.pause(task.id, by="bob")
    for _ in range(8):
        world.work()
    assert (len(world.subtasks(task.id)), world.provisioner.installs) == (3, {})
    world.orchestrator.resume(task.id, by="bob")
    assert run(world, task).result.successes == NODES
