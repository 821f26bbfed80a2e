"""Jobs run when they are due, in order, and one that raises takes nobody with it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from drydock.simulator.delays import Delays, Dice, Range
from drydock.simulator.exchange import Answer, NodeHttp
from drydock.simulator.life import Life
from drydock.simulator.machine import BootAction, Deployment, Machine, Phase, State
from drydock.simulator.reporting import Reporting
from drydock.simulator.scheduler import Scheduler
from tests.eventually import eventually


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    scheduler = Scheduler(threads=1)
    scheduler.start()
    yield scheduler
    scheduler.stop()


def test_the_earlier_goes_first(scheduler: Scheduler) -> None:
    ran: list[str] = []
    done = threading.Event()
    scheduler.after(0.06, done.set)
    scheduler.after(0.04, lambda: ran.append("second"))
    scheduler.after(0.02, lambda: ran.append("first"))
    assert done.wait(5)
    assert ran == ["first", "second"]


def test_jobs_may_schedule_jobs_from_many_threads() -> None:
    scheduler = Scheduler(threads=8)
    scheduler.start()
    done = threading.Semaphore(0)
    for _ in range(500):
        scheduler.after(0.001, lambda: scheduler.after(0.001, done.release))
    assert all(done.acquire(timeout=5) for _ in range(500))
    scheduler.stop()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_job_that_raises_leaves_the_others_alone(scheduler: Scheduler) -> None:
    done = threading.Event()

    def defect() -> None:
        raise KeyError("a defect")

    scheduler.after(0, defect)
    scheduler.after(0.01, done.set)
    assert done.wait(5)


def test_stop_drops_what_waits(scheduler: Scheduler) -> None:
    ran = threading.Event()
    scheduler.after(0.05, ran.set)
    scheduler.stop()
    scheduler.after(0, ran.set)
    assert not ran.wait(0.1)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_machine_whose_thread_fails_says_so_at_once(tmp_path: Path, scheduler: Scheduler) -> None:
    nothing = Range(0, 0)
    life = Life(scheduler, Delays(nothing, nothing, nothing, nothing), Dice(0))

    def broken(machine: Machine, epoch: int) -> None:
        raise TypeError("no such argument")

    life.install = broken
    machine = Machine("n01", tmp_path / "n01")
    life.deploy(machine, Deployment("d", ""))
    eventually(lambda: machine.state, lambda state: state is State.FAILED)
    assert machine.deployment is not None
    assert machine.deployment.phase is Phase.FAILED
    assert machine.deployment.detail == "the simulator failed: TypeError: no such argument"


class BrokenHttp(NodeHttp):
    """Fails as no server makes it fail, until a final status is posted."""

    def __init__(self) -> None:
        super().__init__()
        self.posted: list[Mapping[str, Any]] = []

    def post(self, url: str, key: str, document: Mapping[str, Any]) -> Answer:
        if "status" not in document:
            raise TypeError("no such argument")
        self.posted.append(document)
        return Answer(url, 200)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_one_that_fails_while_it_reports_says_so_of_what_it_owes(tmp_path: Path, scheduler: Scheduler) -> None:
    nothing, http = Range(0, 0), BrokenHttp()
    life = Life(scheduler, Delays(nothing, nothing, nothing, nothing), Dice(0))
    reporting = Reporting(life, http)
    life.failed = reporting.fail
    machine = Machine("n01", tmp_path / "n01")
    owed = [BootAction(name, f"http://192.0.2.1/{name}", "0" * 64) for name in "ab"]
    machine.deployment = Deployment("d", "", installed=True, owed=owed)
    reporting.come_up(machine, machine.epoch)
    eventually(lambda: len(machine.reported), lambda count: count == 2)
    assert machine.state is State.FAILED
    reason = "the simulator failed: TypeError: no such argument"
    assert http.posted == [{"status": "failure", "details": [{"message": reason, "error": True}]}] * 2
