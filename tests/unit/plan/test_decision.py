"""What is decided for one node."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from drydock.model.plan import Decision, PlannedNode, ReasonKind
from drydock.plan.decision import Decider, NodeFacts, Observed, Recorded
from drydock.plan.fingerprint import recordable

WANTED: dict[str, dict[str, Any]] = {
    "platform": {"image": "jammy", "owner_data": {"ldap_password": "hunter2"}},
    "networking": {"addresses": {"oam": ["10.0.0.1"]}},
    "placement": {"rack": "r1"},
    "out_of_band": {"credential": "hunter2"},
}
DEPLOYED = NodeFacts(Recorded("1", "2026-11-01 by task 1", recordable(WANTED)), Observed.DEPLOYED)
NEVER = NodeFacts(None, Observed.NOT_DEPLOYED)


def decided(
    wanted: dict[str, dict[str, Any]] | None, facts: NodeFacts, *, destroy: bool = False, strict: bool = False
) -> PlannedNode:
    return Decider(destroy_unlisted=destroy, hardware_blocks=strict).decide("n01", "r1", wanted, facts)


def changed(**platform: Any) -> dict[str, dict[str, Any]]:
    return {**WANTED, "platform": {**WANTED["platform"], **platform}}


def kinds(planned: PlannedNode) -> list[ReasonKind]:
    return [reason.kind for reason in planned.reasons]


def test_what_is_deployed_as_wanted_is_kept() -> None:
    assert decided(WANTED, DEPLOYED).decision is Decision.KEEP


def test_what_is_recorded_as_the_same_is_kept() -> None:
    assert (
        decided(changed(image="noble"), replace(DEPLOYED, recorded=Recorded("1", "then", None))).decision
        is Decision.KEEP
    )


def test_what_was_never_deployed_is_deployed() -> None:
    assert decided(WANTED, NEVER).decision is Decision.DEPLOY


def test_a_change_deploys_again_and_says_what_and_what_it_interrupts() -> None:
    planned = decided(changed(image="noble"), DEPLOYED)
    assert planned.decision is Decision.REDEPLOY
    assert kinds(planned) == [ReasonKind.CHANGE, ReasonKind.INTERRUPTS]
    assert (planned.reasons[0].path, planned.reasons[0].old, planned.reasons[0].new) == (
        "platform.image",
        "jammy",
        "noble",
    )
    assert "2026-11-01" in planned.reasons[1].text


def test_a_secret_is_shown_only_as_changed() -> None:
    planned = decided(changed(owner_data={"ldap_password": "hunter3"}), DEPLOYED)
    assert planned.decision is Decision.REDEPLOY
    assert "hunter" not in repr(planned)


def test_the_rack_and_the_bmc_need_no_deployment_and_are_not_recorded() -> None:
    other = {**WANTED, "placement": {"rack": "r2"}, "out_of_band": {"credential": "hunter3"}}
    planned = decided(other, DEPLOYED)
    assert planned.decision is Decision.KEEP
    assert "hunter" not in repr(planned)
    assert "hunter2" not in repr(recordable({"out_of_band": WANTED["out_of_band"]}))


def test_what_is_gone_from_the_machine_is_deployed() -> None:
    planned = decided(WANTED, replace(DEPLOYED, observed=Observed.NOT_DEPLOYED))
    assert planned.decision is Decision.DEPLOY
    assert kinds(planned)[0] is ReasonKind.STATE


def test_what_the_design_has_not_is_destroyed_only_on_request() -> None:
    assert decided(None, DEPLOYED).decision is Decision.KEEP
    assert decided(None, DEPLOYED, destroy=True).decision is Decision.DESTROY


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        (replace(DEPLOYED, hold="held by ops: RAM is replaced"), ReasonKind.HOLD),
        (replace(DEPLOYED, task="task 7 is at work on it"), ReasonKind.TASK),
        (replace(DEPLOYED, mismatches=("BIOS 1.0, expected 2.0",)), ReasonKind.HARDWARE),
        (replace(DEPLOYED, observed=Observed.UNREACHABLE), ReasonKind.UNREACHABLE),
        (replace(NEVER, observed=Observed.DEPLOYED), ReasonKind.UNKNOWN),
    ],
)
def test_what_stands_against_a_change_blocks_it(facts: NodeFacts, kind: ReasonKind) -> None:
    planned = decided(changed(image="noble"), facts, strict=True)
    assert planned.decision is Decision.BLOCKED
    assert kinds(planned)[0] is kind


@pytest.mark.parametrize("facts", [replace(DEPLOYED, hold="held"), replace(DEPLOYED, task="task 7")])
def test_what_is_kept_is_not_blocked(facts: NodeFacts) -> None:
    assert decided(WANTED, facts).decision is Decision.KEEP


@pytest.mark.parametrize(
    "facts",
    [
        replace(DEPLOYED, hold="held"),
        replace(DEPLOYED, observed=Observed.NOT_DEPLOYED),
        replace(DEPLOYED, recorded=None),
        replace(DEPLOYED, recorded=Recorded("2", "2026-11-02 by task 2", None)),
        replace(DEPLOYED, mismatches=("BIOS",)),
    ],
)
def test_a_plan_rests_on_each_fact(facts: NodeFacts) -> None:
    assert facts.rests_on() != DEPLOYED.rests_on()


def test_hardware_that_differs_blocks_only_where_it_fails_deployments() -> None:
    facts = replace(NEVER, mismatches=("vda has 8 GB",))
    assert (decided(WANTED, facts).decision, kinds(decided(WANTED, facts))[0]) == (Decision.DEPLOY, ReasonKind.HARDWARE)
    assert decided(WANTED, facts, strict=True).decision is Decision.BLOCKED
    kept = replace(DEPLOYED, mismatches=("vda has 8 GB",))
    assert (decided(WANTED, kept, strict=True).decision, kinds(decided(WANTED, kept))) == (Decision.KEEP, [])
    assert decided(None, kept, destroy=True, strict=True).decision is Decision.DESTROY


def test_a_plan_rests_on_hardware_only_where_something_is_installed() -> None:
    assert set(decided(WANTED, NEVER).rests_on) == {"recorded", "observed", "hold", "hardware"}
    assert set(decided(WANTED, DEPLOYED).rests_on) == {"recorded", "observed", "hold"}
