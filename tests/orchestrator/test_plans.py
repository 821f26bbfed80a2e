"""Plans against a real database and a provisioner that is a dictionary."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from sqlalchemy import func, select, update

from drydock.db.tables import boot_contexts, task_messages, tasks
from drydock.drivers.node.base import NodeState
from drydock.errors import DesignInvalid, DriverUnavailable, PlanNotFound
from drydock.model.hardware_check import HardwareCheck
from drydock.model.plan import Decision, PlanHead, PlannedNode, ReasonKind
from drydock.model.rollout import PLAIN, Rollout
from drydock.model.task import ResultStatus
from drydock.orchestrator.services.plan_facts import FactsReader
from drydock.orchestrator.services.plans import PlanService
from tests.factories.site import site
from tests.factories.tasks import named_nodes
from tests.orchestrator.world import World

NODES = ("n01", "n02", "n03")
DESIGN = site(NODES)


@pytest.fixture
def plans(world: World) -> PlanService:
    return world.plans


def deployed(world: World, nodes: tuple[str, ...] = NODES, design: bytes = DESIGN) -> str:
    ref = world.store(design).ref
    chosen = named_nodes(*nodes)
    world.create("deploy_nodes", design_ref=ref, node_filter=chosen)
    world.run_until_idle(before=world.machines_report)
    return ref


def create(world: World, plans: PlanService, design: bytes, *, destroy_unlisted: bool = False) -> PlanHead:
    ref = world.store(design).ref
    return plans.create(ref, node_filter=None, chosen=None, destroy_unlisted=destroy_unlisted, created_by="tester")


def nodes_of(plans: PlanService, plan: PlanHead) -> Mapping[str, PlannedNode]:
    return {node.name: node for _, node in plans.nodes(plan.id, limit=1000, after=-1, decision=None)}


def decisions(plans: PlanService, plan: PlanHead) -> dict[str, str]:
    return {name: str(node.decision) for name, node in nodes_of(plans, plan).items()}


def changed(design: bytes) -> bytes:
    assert b"image: jammy" in design
    return design.replace(b"image: jammy", b"image: noble")


def test_a_new_site_is_deployed(world: World, plans: PlanService) -> None:
    assert decisions(plans, create(world, plans, DESIGN)) == dict.fromkeys(NODES, "deploy")


def test_after_a_deployment_there_are_no_changes(world: World, plans: PlanService) -> None:
    deployed(world)
    plan = create(world, plans, DESIGN)
    assert decisions(plans, plan) == dict.fromkeys(NODES, "keep")
    assert create(world, plans, DESIGN).id == plan.id


def test_a_changed_profile_is_a_redeployment_with_old_and_new_value(world: World, plans: PlanService) -> None:
    world.provisioner.images = None
    deployed(world, ("n01", "n02"))
    plan = create(world, plans, changed(DESIGN))
    assert decisions(plans, plan) == {"n01": "redeploy", "n02": "redeploy", "n03": "deploy"}
    reasons = nodes_of(plans, plan)["n01"].reasons
    assert [(reason.path, reason.old, reason.new) for reason in reasons if reason.kind is ReasonKind.CHANGE] == [
        ("platform.image", "jammy", "noble")
    ]
    assert any(reason.kind is ReasonKind.INTERRUPTS and "by tester" in reason.text for reason in reasons)
    assert plan.counts == {"keep": 0, "deploy": 1, "redeploy": 2, "destroy": 0, "blocked": 0}


def test_nodes_that_the_design_has_not_are_kept_unless_asked_for(world: World, plans: PlanService) -> None:
    deployed(world)
    smaller = site(("n01", "n02"))
    assert decisions(plans, create(world, plans, smaller))["n03"] == "keep"
    assert decisions(plans, create(world, plans, smaller, destroy_unlisted=True))["n03"] == "destroy"


def test_a_provisioner_that_does_not_answer_blocks(world: World, plans: PlanService) -> None:
    class Away:
        name = "away"

        def observe(self, nodes: object) -> object:
            raise DriverUnavailable("no answer")

    facts = FactsReader(
        world.database,
        world.designs,
        Away(),  # type: ignore[arg-type]
        finders=(),
        hardware_check=HardwareCheck.FAIL,
    )
    away = world.make_plans(facts)
    assert set(decisions(away, create(world, away, DESIGN)).values()) == {"blocked"}


def test_what_another_deployed_is_unknown(world: World, plans: PlanService) -> None:
    world.provisioner.states["n01"] = NodeState.DEPLOYED
    node = nodes_of(plans, create(world, plans, DESIGN))["n01"]
    assert (node.decision, node.reasons[0].kind) == (Decision.BLOCKED, ReasonKind.UNKNOWN)


def test_a_node_that_a_task_has_is_blocked(world: World, plans: PlanService) -> None:
    ref = world.store(DESIGN).ref
    world.create("prepare_nodes", design_ref=ref)
    world.work()
    world.work()
    found = nodes_of(plans, create(world, plans, DESIGN))["n01"]
    assert (found.decision, found.reasons[0].kind) == (Decision.BLOCKED, ReasonKind.TASK)


def test_an_invalid_design_has_no_plan(world: World, plans: PlanService) -> None:
    with pytest.raises(DesignInvalid):
        create(world, plans, DESIGN.replace(b"image: jammy", b"image: unheard-of"))


def test_an_unknown_plan(plans: PlanService) -> None:
    with pytest.raises(PlanNotFound):
        plans.get("0" * 64)
    with pytest.raises(PlanNotFound):
        plans.nodes("0" * 64, limit=1, after=-1, decision=None)


def test_nodes_are_paged_in_the_plans_order(world: World, plans: PlanService) -> None:
    plan = create(world, plans, DESIGN)
    pages = []
    after = -1
    while page := plans.nodes(plan.id, limit=2, after=after, decision=None):
        pages.append([node.name for _, node in page])
        after = page[-1][0]
    assert pages == [["n01", "n02"], ["n03"]]
    assert plans.nodes(plan.id, limit=2, after=-1, decision=Decision.KEEP) == []


def test_how_long_it_takes_is_known_from_before(world: World, plans: PlanService) -> None:
    assert create(world, plans, DESIGN).estimate is None
    world.provisioner.images = None
    deployed(world)
    estimate = create(world, plans, changed(DESIGN)).estimate
    assert estimate is not None
    assert (estimate.samples, 0 < estimate.p50 <= estimate.p90) == (3, True)


def test_nodes_to_which_nothing_was_done_say_nothing_of_how_long_it_takes(world: World, plans: PlanService) -> None:
    world.provisioner.images = None
    ref = deployed(world, ("n01",))
    world.create("destroy_nodes", design_ref=ref, node_filter=named_nodes("n02"))
    world.run_until_idle()
    for _ in range(3):
        world.create("deploy_nodes", design_ref=ref, node_filter=named_nodes("n01"))
        world.run_until_idle()
    assert {task.result.status for task in world.all_tasks()} == {ResultStatus.SUCCESS}
    estimate = create(world, plans, changed(site(("n01",)))).estimate
    assert estimate is not None
    assert estimate.samples == 1, "n01 was left alone three times"
    assert create(world, plans, site(("n02",)), destroy_unlisted=True).estimate is None, "n02 was unknown"


def test_the_wait_for_a_place_is_no_part_of_how_long_it_takes(world: World, plans: PlanService) -> None:
    world.provisioner.images = None
    world.use_slots(0)
    world.create("deploy_nodes", design_ref=world.store(DESIGN).ref)
    for _ in range(20):
        world.work()
        world.pass_time(15)
    hour = func.make_interval(0, 0, 0, 0, 1)
    with world.sql.begin() as connection:
        waiting = connection.scalars(select(tasks.c.node).where(tasks.c.step == "await_place", tasks.c.reason != ""))
        assert set(waiting) == set(NODES)
        connection.execute(update(task_messages).values(ts=task_messages.c.ts - hour))
        connection.execute(update(boot_contexts).values(created=boot_contexts.c.created - hour))
    world.use_slots(3)
    world.run_until_idle(before=world.machines_report)
    estimate = create(world, plans, changed(DESIGN)).estimate
    assert estimate is not None
    assert estimate.samples == 3
    assert 0 < estimate.p50 <= estimate.p90 < 60


def test_installations_share_the_places_whether_new_or_repeated(world: World, plans: PlanService) -> None:
    """One that is new and two that are repeated are two rounds of two, from the one history."""
    world.provisioner.images = None
    deployed(world, ("n01", "n02"))
    with world.sql.begin() as connection:
        begun = func.make_interval(0, 0, 0, 0, 0, 10)
        connection.execute(update(task_messages).values(ts=task_messages.c.ts - begun))
    of_site = create(world, world.make_plans(slots=2), changed(DESIGN))
    assert (of_site.counts["deploy"], of_site.counts["redeploy"]) == (1, 2)
    assert of_site.estimate is not None
    assert of_site.estimate.samples == 2
    assert 1200 <= of_site.estimate.p50 < 1260


def test_the_same_plan_again_has_the_waves_of_the_present_options(world: World, plans: PlanService) -> None:
    first = create(world, plans, DESIGN)
    one_by_one = Rollout.parse({"waves": [1, 2, 3]}, PLAIN)
    again = create(world, world.make_plans(rollout=one_by_one), DESIGN)
    assert (first.id, first.waves, again.waves) == (again.id, (3,), (1, 2, 3))
