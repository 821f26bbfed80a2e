"""Long polls: a bounded number at once."""

from __future__ import annotations

import threading
from uuid import UUID, uuid4

import pytest

from drydock.api.waiting import LongPolls
from drydock.errors import TaskNotFound
from drydock.metrics import ApiMetrics


class Changes:
    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.change = threading.Event()
        self.asked: list[float] = []

    def wait_for_change(self, task_id: UUID, seconds: float) -> None:
        self.asked.append(seconds)
        self.entered.release()
        assert self.change.wait(10)


def test_who_finds_no_seat_is_answered_at_once() -> None:
    changes = Changes()
    room = LongPolls(changes, slots=2, longest=60, metrics=ApiMetrics())
    waiters = [threading.Thread(target=room.wait, args=(uuid4(), 5)) for _ in range(2)]
    for waiter in waiters:
        waiter.start()
        assert changes.entered.acquire(timeout=10)
    assert room.wait(uuid4(), 5) is False
    changes.change.set()
    for waiter in waiters:
        waiter.join(10)
    assert room.wait(uuid4(), 5) is True


def test_nobody_waits_longer_than_allowed_or_for_nothing() -> None:
    changes = Changes()
    changes.change.set()
    room = LongPolls(changes, slots=1, longest=60, metrics=ApiMetrics())
    assert room.wait(uuid4(), 3600)
    assert changes.asked == [60]
    assert not room.wait(uuid4(), 0)
    assert not LongPolls(changes, slots=0, longest=60, metrics=ApiMetrics()).wait(uuid4(), 5)


def test_a_seat_is_given_back_after_an_error() -> None:
    class Missing:
        def wait_for_change(self, task_id: UUID, seconds: float) -> None:
            raise TaskNotFound("no")

    room = LongPolls(Missing(), slots=1, longest=60, metrics=ApiMetrics())
    for _ in range(3):
        with pytest.raises(TaskNotFound):
            room.wait(uuid4(), 5)
