"""A worker that may have lost its lease drives no machine."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from drydock.errors import LeaseLost
from drydock.model.task import Lease, Task
from drydock.orchestrator.engine.fencing import fenced
from drydock.orchestrator.engine.lease_clock import LeaseClock, claim_of
from tests.factories.tasks import task_record

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Machine:
    name = "machine"
    installed = 0

    def deploy(self, node: str, *, image: str) -> str:
        self.installed += 1
        return f"{node} {image}"


def task(epoch: int) -> Task:
    return task_record(id=UUID(int=1), lease=Lease("us", epoch, LONG_AGO))


def test_a_claim_is_ours_as_long_as_the_lease_lasts() -> None:
    clock = Clock()
    leases = LeaseClock(30, now=clock)
    leases.kept([claim_of(task(1))], asked=clock.now)
    clock.now += 29.9
    assert leases.certainly_ours(task(1))
    leases.kept([claim_of(task(1))], asked=clock.now)
    clock.now += 29.9
    assert leases.certainly_ours(task(1))
    clock.now += 0.2
    assert not leases.certainly_ours(task(1))


def test_another_claim_of_the_same_task_says_nothing_about_this_one() -> None:
    leases = LeaseClock(30, now=Clock())
    leases.kept([claim_of(task(2))], asked=1000.0)
    assert not leases.certainly_ours(task(1))
    leases.forget(claim_of(task(2)))
    assert not leases.certainly_ours(task(2))


def test_a_fenced_driver_does_as_told_only_while_the_check_passes() -> None:
    lost: list[Exception] = []

    def check() -> None:
        if lost:
            raise lost[0]

    machine = Machine()
    driver = fenced(machine, check)
    assert (driver.name, driver.deploy("n01", image="jammy")) == ("machine", "n01 jammy")
    lost.append(LeaseLost("frozen"))
    with pytest.raises(LeaseLost):
        driver.deploy("n01", image="jammy")
    assert machine.installed == 1
