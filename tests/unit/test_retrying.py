"""Pauses grow and are bounded; attempts end by number or by time."""

from __future__ import annotations

import math

import pytest

from drydock.retrying import Pauses, Retries


class Clock:
    """Time passes while somebody waits."""

    def __init__(self) -> None:
        self.now = 100.0
        self.pauses: list[float] = []

    def wait(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


class Failing:
    def __init__(self, times: float, error: type[Exception] = OSError) -> None:
        self.calls = 0
        self._times = times
        self._error = error

    def __call__(self, answer: str) -> str:
        self.calls += 1
        if self.calls <= self._times:
            raise self._error(self.calls)
        return answer


def retries(clock: Clock, *, times: float = math.inf, seconds: float = math.inf) -> Retries:
    pauses = Pauses(first=1, longest=5, spread=0)
    return Retries(OSError, pauses, times=times, seconds=seconds, wait=clock.wait, clock=lambda: clock.now)


def test_pauses_double_up_to_the_longest() -> None:
    pauses = Pauses(first=0.5, longest=3, spread=0)
    assert [pauses.after(attempt) for attempt in (1, 2, 3, 4, 10_000)] == [0.5, 1, 2, 3, 3]


def test_a_spread_pause_is_shorter_by_up_to_its_share() -> None:
    found = [Pauses(first=8, longest=8, spread=0.5).after(1) for _ in range(200)]
    assert 4 <= min(found) < max(found) <= 8


def test_it_ends_with_success() -> None:
    clock, work = Clock(), Failing(4)
    assert retries(clock).run(work, "x") == "x"
    assert clock.pauses == [1, 2, 4, 5]


def test_it_ends_after_a_number_of_attempts() -> None:
    clock, work = Clock(), Failing(math.inf)
    with pytest.raises(OSError, match="3"):
        retries(clock, times=2).run(work, "x")
    assert clock.pauses == [1, 2]


def test_no_attempt_begins_when_the_time_is_up() -> None:
    clock, work = Clock(), Failing(math.inf)
    with pytest.raises(OSError, match="3"):
        retries(clock, seconds=6.5).run(work, "x")
    assert clock.now == 103


def test_without_time_there_is_one_attempt() -> None:
    clock, work = Clock(), Failing(1)
    with pytest.raises(OSError, match="1"):
        retries(clock, seconds=0).run(work, "x")
    assert clock.pauses == []


def test_a_class_that_is_left_out_is_raised_at_once() -> None:
    clock, work = Clock(), Failing(1, FileNotFoundError)
    again = Retries(OSError, Pauses(1, longest=4, spread=0), but=(FileNotFoundError,), wait=clock.wait)
    with pytest.raises(FileNotFoundError):
        again.run(work, "x")
    assert clock.pauses == []


def test_another_error_is_raised_at_once() -> None:
    clock, work = Clock(), Failing(1, ValueError)
    with pytest.raises(ValueError, match="1"):
        retries(clock).run(work, "x")


def test_the_first_failure_is_announced_once() -> None:
    announced: list[int] = []
    clock, work = Clock(), Failing(3)
    again = Retries(
        OSError,
        Pauses(first=1, longest=1, spread=0),
        at_first_failure=lambda: announced.append(work.calls),
        wait=clock.wait,
    )
    again.run(work, "x")
    assert announced == [1]
