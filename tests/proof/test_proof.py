"""The short form of the proof, with fixed seeds; and that it would find what it is there for."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from drydock.design.compiler import compile_design
from tests.proof import rollouts
from tests.proof.chain import Chain, Counts
from tests.proof.changes import CHANGES
from tests.proof.machines import ProvenWorld, proven_world
from tests.proof.mutations import run_chain
from tests.proof.promises import Disproved
from tests.proof.rollout_laws import check_after_the_end, check_budget, check_waves
from tests.proof.site import Site
from tests.proof.witness import Seen, watched
from tests.proof.writing import oddly, plainly

CHAINS, CHAIN = range(1, 5), 12
RUNS = range(1, 13)


@pytest.fixture(scope="module")
def world(database_url: str) -> Iterator[ProvenWorld]:
    with proven_world(database_url) as world:
        yield world


def test_what_is_planned_is_what_must_be_done_and_what_is_done(world: ProvenWorld) -> None:
    counts = Counts()
    for seed in CHAINS:
        run_chain(world, seed, CHAIN, counts)
    assert counts.mutations == CHAIN * len(CHAINS)
    assert counts.text_only > 5
    assert all(counts.decisions[name] for name in ("deploy", "redeploy", "destroy", "keep")), counts.decisions
    assert len(counts.kinds) > len(CHANGES) / 2


def test_a_node_that_differs_and_is_kept_is_found(world: ProvenWorld) -> None:
    chain = Chain(world, 2, Counts())
    chain.running = dict.fromkeys(chain.running, "something else")
    with pytest.raises(Disproved, match="must be redeploy, is keep"):
        mutated_often(chain)


def test_a_content_that_changes_and_is_not_compared_is_found(world: ProvenWorld) -> None:
    comparing, world.plans = world.plans, world.make_plans(seconds=0)
    try:
        with pytest.raises(Disproved, match="must be redeploy, is keep"):
            mutated_often(Chain(world, 8, Counts()))
    finally:
        world.plans = comparing


def mutated_often(chain: Chain) -> None:
    for _ in range(10):
        chain.mutate()


def test_a_machine_that_is_touched_without_a_plan_is_found(world: ProvenWorld) -> None:
    chain = Chain(world, 1, Counts())
    world.bmcs.asked = Sticky({"n99"})
    with pytest.raises(Disproved, match="touched without a plan"):
        chain.mutate()
    world.bmcs.asked = set()


class Sticky(set[str]):
    """Cannot be emptied: as if one more was asked each time."""

    def clear(self) -> None:
        pass


def test_oddly_written_is_the_same_design_and_not_the_same_text() -> None:
    documents = Site(3, random.Random(1), "http://127.0.0.1").documents  # noqa: S311
    texts = {oddly(documents, seed) for seed in range(20)}
    assert len(texts) == 20
    plain = compile_design(plainly(documents)).site
    for text in texts:
        assert dict(compile_design(text).site.networks) == dict(plain.networks)


def test_rollouts_with_faults_keep_their_promises(world: ProvenWorld) -> None:
    counts = rollouts.Counts()
    with watched(world.sql):
        for seed in RUNS:
            rollouts.run_one(world, seed, counts)
    assert counts.runs == len(RUNS)
    assert counts.kills > 5
    assert all(any(name.startswith(end) for name in counts.ends) for end in ("failure budget", "held by", "broken"))


def event(node: str, old: str, new: str, result: str = "incomplete", **fields: Any) -> Seen:
    given = {"wave": 0, "old_step": "a", "step": "b", "terminate": False, **fields}
    return Seen(node=node, old_status=old, status=new, result=result, **given)


BEGINS = [event("a", "queued", "running"), event("b", "queued", "running")]
FAILS = event("a", "running", "complete", "failure")


def test_a_node_that_begins_after_the_budget_was_spent_is_found() -> None:
    check_budget([*BEGINS, FAILS], 1)
    check_budget([*BEGINS, FAILS, event("c", "queued", "running")], 2)
    with pytest.raises(Disproved, match="c began after the budget of 1 was spent"):
        check_budget([*BEGINS, FAILS, event("c", "queued", "running")], 1)


def test_a_node_that_an_operator_terminated_spends_no_budget() -> None:
    terminated = event("a", "running", "terminated", "failure", terminate=True)
    check_budget([*BEGINS, terminated, event("c", "queued", "running")], 1)


def test_a_node_that_begins_after_the_end_of_its_task_is_found() -> None:
    end = event("", "running", "complete", "failure")
    check_after_the_end([*BEGINS, end])
    with pytest.raises(Disproved, match="b began after the end of"):
        check_after_the_end([BEGINS[0], end, BEGINS[1]])


def test_a_wave_that_begins_too_early_is_found() -> None:
    waves = {"a": 0, "b": 0, "c": 1}
    late = event("b", "running", "complete", "success")
    check_waves([*BEGINS, FAILS, late, event("c", "queued", "running")], waves)
    with pytest.raises(Disproved, match="c of wave 1 began before"):
        check_waves([*BEGINS, FAILS, event("c", "queued", "running")], waves)
