"""Leases, fences, holds and termination: what the rows promise when workers misbehave."""

from __future__ import annotations

from dataclasses import replace

import pytest

from drydock.drivers.oob.base import BmcAccess, PowerState
from drydock.drivers.progress import Progress, pending
from drydock.errors import BootActionFinal, Forbidden
from drydock.metrics import EngineMetrics
from drydock.model.actions import Action
from drydock.model.boot_action import Report, ReportDetail, ReportStatus
from drydock.model.boot_context import BundleKind
from drydock.model.message import NewMessage
from drydock.model.task import Lane, ResultStatus, Task, TaskResult, TaskStatus
from drydock.model.task_change import Finish, Pause
from drydock.orchestrator.engine.recorder import Record, Recorder
from tests.factories.site import site
from tests.orchestrator.fakes import FakeBmcs
from tests.orchestrator.world import World


def test_a_claimed_task_is_not_claimed_again(world: World) -> None:
    world.create("validate_design")
    assert len(world.claim(owner="a")) == 1
    assert world.claim(owner="b") == ()


def test_a_lapsed_lease_is_claimed_and_its_old_holder_cannot_write(world: World) -> None:
    world.create("validate_design")
    (zombie,) = world.claim(owner="a")
    world.pass_time(31)
    (mine,) = world.claim(owner="b")
    assert mine.lease is not None
    assert zombie.lease is not None
    assert mine.lease.epoch == zombie.lease.epoch + 1
    recorder = Recorder(world.database, EngineMetrics())
    recorder.write(
        [Record(Finish(zombie, TaskResult(ResultStatus.FAILURE)), [NewMessage(zombie.id, "not ours to tell")])]
    )
    assert world.orchestrator.task(mine.id).status.open
    recorder.write([Record(Finish(mine, TaskResult(ResultStatus.SUCCESS)))])
    assert world.orchestrator.task(mine.id).result.messages == ()
    assert world.orchestrator.task(mine.id).result.status is ResultStatus.SUCCESS


def test_a_lapsed_lease_cannot_be_renewed(world: World) -> None:
    world.create("validate_design")
    (zombie,) = world.claim(owner="a")
    world.pass_time(31)
    with world.database.unit_of_work() as uow:
        uow.leases.renew("a", [zombie.id], lease_seconds=30)
        uow.commit()
    assert len(world.claim(owner="b")) == 1


def test_a_wake_up_during_a_step_is_not_lost(world: World) -> None:
    task = world.create("validate_design")
    (claimed,) = world.claim()
    with world.database.unit_of_work() as uow:
        uow.task_signals.wake(task.id)
        uow.commit()
    Recorder(world.database, EngineMetrics()).write([Record(Pause(claimed, 3600, "the step saw the world before"))])
    assert len(world.claim()) == 1


def test_one_node_one_writer_and_the_later_task_says_for_whom_it_waits(world: World) -> None:
    content = world.store(site(["n01"])).ref
    first = world.create("deploy_nodes", design_ref=content)
    second = world.create("destroy_nodes", design_ref=content)
    for _ in range(4):
        world.work()
        world.pass_time(15)
    deploying = world.subtasks(first.id)["n01"]
    waiting = world.subtasks(second.id)["n01"]
    assert waiting.status is TaskStatus.QUEUED
    assert waiting.reason == f"waiting for task {deploying.id}, which has n01"
    assert world.provisioner.destroyed == set()
    world.run_until_idle(before=world.machines_report)
    assert world.orchestrator.task(first.id).result.status is ResultStatus.SUCCESS
    assert world.orchestrator.task(second.id).result.status is ResultStatus.SUCCESS
    assert world.provisioner.destroyed == {"n01"}


def test_terminating_a_queued_task_ends_it_at_once(world: World) -> None:
    task = world.create("deploy_nodes")
    ended = world.orchestrator.terminate(task.id, by="operator")
    assert (ended.status, ended.terminate, ended.terminated_by) == (TaskStatus.TERMINATED, True, "operator")
    assert world.claim() == ()


def test_terminating_a_running_tree_stops_every_node_and_is_idempotent(world: World) -> None:
    task = world.create("deploy_nodes")
    for _ in range(2):
        world.work()
    world.orchestrator.terminate(task.id, by="operator")
    again = world.orchestrator.terminate(task.id, by="somebody else")
    assert again.terminated_by == "operator"
    world.run_until_idle()
    ended = world.orchestrator.task(task.id)
    assert (ended.status, ended.result.status) == (TaskStatus.TERMINATED, ResultStatus.FAILURE)
    assert ended.result.failures == ("n01", "n02", "n03")
    assert {sub.status for sub in world.subtasks(task.id).values()} == {TaskStatus.TERMINATED}


def test_a_deadline_fails_the_node_with_the_last_reason(world: World) -> None:
    task = world.create("deploy_nodes", design_ref=world.store(site(["n01"])).ref)
    world.run_until_idle(at_most=90)
    (failed,) = world.subtasks(task.id).values()
    assert failed.step == "await_boot_actions"
    assert failed.result.reason == (
        "no final status yet of boot actions greet; gave up after 10 min of await_boot_actions"
    )
    assert world.orchestrator.task(task.id).result.failures == ("n01",)


def test_partial_success_names_both_sides(world: World) -> None:
    task = world.create("deploy_nodes", design_ref=world.store(site(["n01", "n02"])).ref)

    def report() -> None:
        for subtask in world.open_tasks():
            action = world.actions_of(subtask.id).get("greet")
            if action is None or action.status or subtask.node not in world.provisioner.deployments:
                continue
            status = ReportStatus.SUCCESS if subtask.node == "n01" else ReportStatus.FAILURE
            details = (ReportDetail("disk is full", error=True),)
            world.boot.report(action.id, world.key_of(subtask.node), Report(status, details))

    world.run_until_idle(before=report)
    ended = world.orchestrator.task(task.id)
    assert ended.result.status is ResultStatus.PARTIAL_SUCCESS
    assert (ended.result.successes, ended.result.failures) == (("n01",), ("n02",))
    assert [m.message for m in ended.result.messages if m.error] == ["n02: boot actions failed: greet (disk is full)"]
    failed = world.subtasks(task.id)["n02"]
    assert [(m.message, m.context_type) for m in failed.result.messages if m.context_type == "bootaction"] == [
        ("disk is full", "bootaction")
    ]


def test_a_final_status_wins_once_and_bundles_open_only_with_the_nodes_key(world: World) -> None:
    task = world.create("deploy_nodes", design_ref=world.store(site(["n01", "n02"])).ref)
    world.run_until_idle(before=world.machines_report)
    action = world.actions_of(world.subtasks(task.id)["n01"].id)["greet"]
    with pytest.raises(BootActionFinal):
        world.boot.report(action.id, world.key_of("n01"), Report(ReportStatus.FAILURE))
    with pytest.raises(Forbidden):
        world.boot.report(action.id, world.key_of("n02"), Report(ReportStatus.FAILURE))
    with pytest.raises(Forbidden):
        world.boot.bundle("n01", BundleKind.FILE, world.key_of("n02"))
    assert world.boot.bundle("n01", BundleKind.FILE, world.key_of("n01")).content[:2] == b"\x1f\x8b"


def test_a_redeploy_revokes_the_key_before(world: World) -> None:
    ref = world.store(site(["n01"])).ref
    world.create("deploy_nodes", design_ref=ref)
    world.run_until_idle(before=world.machines_report)
    old = world.key_of("n01")
    world.create("deploy_nodes", design_ref=ref, force=True)
    world.run_until_idle(before=world.machines_report)
    assert world.key_of("n01") != old
    with pytest.raises(Forbidden):
        world.boot.bundle("n01", BundleKind.UNIT, old)


def test_an_invalid_design_fails_the_task_with_every_message(world: World) -> None:
    broken = site(["n01"]).replace(b"10.1.0.0/16", b"10.1.0.7/16")
    task = world.create("deploy_nodes", design_ref=world.store(broken).ref)
    world.run_until_idle()
    ended = world.orchestrator.task(task.id)
    assert ended.result.status is ResultStatus.FAILURE
    assert any("DD2006" in message.message for message in ended.result.messages)
    assert ended.subtask_ids == ()


def test_a_reference_that_cannot_work_fails_the_task_and_says_why(world: World) -> None:
    task = world.create("deploy_nodes", design_ref="gopher://example.invalid/design")
    world.run_until_idle()
    assert "gopher" in world.orchestrator.task(task.id).result.reason


def test_no_nodes_in_scope_succeeds_and_says_so(world: World) -> None:
    nobody = {
        "filter_set_type": "union",
        "filter_set": [{"filter_type": "union", "node_names": ["n99"]}],
    }
    task = world.create("deploy_nodes", node_filter=nobody)
    world.run_until_idle()
    ended = world.orchestrator.task(task.id)
    assert (ended.result.status, ended.result.message) == (ResultStatus.SUCCESS, "no nodes in scope")


def test_places_for_installations_are_limited_and_given_back(world: World) -> None:
    world.use_slots(2)
    task = world.create("deploy_nodes", design_ref=world.store(site(["n01", "n02", "n03", "n04", "n05"])).ref)
    most = 0

    def look() -> None:
        nonlocal most
        installing = [sub for sub in world.open_tasks() if sub.step in ("await_deployment", "await_boot_actions")]
        most = max(most, len(installing))
        waiting = [sub.reason for sub in world.open_tasks() if sub.step == "await_place" and sub.reason]
        assert set(waiting) <= {"all 2 slots for installations are taken"}
        world.machines_report()

    world.run_until_idle(before=look)
    assert most == 2
    assert world.orchestrator.task(task.id).result.status is ResultStatus.SUCCESS


def test_a_large_task_does_not_go_before_a_small_one_that_comes_later(world: World) -> None:
    world.services = replace(world.services, start_rate=1.0)
    world.use_runner()
    large = world.create("destroy_nodes", design_ref=world.store(site([f"n{i:02}" for i in range(40)])).ref)
    world.work()
    small = world.create("destroy_nodes", design_ref=world.store(site(["m01"])).ref)
    for _ in range(3):
        world.pass_time(1)
        world.work()
    assert not world.subtasks(small.id)["m01"].status.open
    assert sum(sub.status.open for sub in world.subtasks(large.id).values()) > 30


def test_a_lane_that_is_full_does_not_hide_what_another_lane_has(world: World) -> None:
    world.create("deploy_nodes")
    world.work()
    with world.database.unit_of_work() as uow:
        nodes = uow.leases.claim("other", {Lane.WATCH: 100}, lease_seconds=30, steps=world.runner.known.names)[
            Lane.WATCH
        ]
        uow.commit()
    assert len(nodes) == 3
    world.create("validate_design")
    assert [task.action for task in world.claim()] == [Action.VALIDATE_DESIGN]


def until_installing(world: World) -> Task:
    task = world.create("deploy_nodes", design_ref=world.store(site(["n01", "n02"])).ref)
    for _ in range(30):
        if {sub.step for sub in world.subtasks(task.id).values()} == {"await_deployment"}:
            return task
        world.work()
        world.pass_time(0.5)
    raise AssertionError([sub.step for sub in world.subtasks(task.id).values()])


def test_a_machine_whose_installation_is_terminated_is_switched_off(world: World) -> None:
    task = until_installing(world)
    for node in ("n01", "n02"):
        world.bmcs.power[node] = PowerState.ON
    world.orchestrator.terminate(world.subtasks(task.id)["n01"].id, by="operator")
    with world.database.unit_of_work() as uow:
        assert uow.boot_contexts.live_context("n01") is None
    while world.subtasks(task.id)["n01"].status.open:
        world.work()
        world.pass_time(5)
    world.run_until_idle(before=world.machines_report)
    assert world.bmcs.power == {"n01": PowerState.OFF, "n02": PowerState.ON}
    stopped = world.subtasks(task.id)["n01"]
    assert (stopped.status, stopped.step) == (TaskStatus.TERMINATED, "stop_machine")
    assert stopped.result.reason == "terminated by operator at step stop_machine; the machine is switched off"


def test_a_machine_that_cannot_be_switched_off_holds_no_termination_up(world: World) -> None:
    class Deaf(FakeBmcs):
        def power_off(self, bmc: BmcAccess) -> Progress:
            """It says yes and does nothing."""
            return pending("waiting for the BMC to switch the power off", look_in=2)

    task = until_installing(world)
    world.bmcs = Deaf()
    world.bmcs.power = {"n01": PowerState.ON, "n02": PowerState.ON}
    world.services = replace(world.services, oob_drivers={"redfish": world.bmcs})
    world.use_runner()
    world.orchestrator.terminate(task.id, by="operator")
    world.run_until_idle(at_most=90)
    for stopped in world.subtasks(task.id).values():
        assert stopped.status is TaskStatus.TERMINATED
        assert stopped.result.reason.startswith("terminated by operator at step stop_machine; waiting for the BMC")
