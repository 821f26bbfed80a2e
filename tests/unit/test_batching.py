"""A batcher loses nothing, keeps the order, and lets threads wait only when too much is unwritten."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest

from drydock.batching import Batcher


class Writer:
    """Keeps what is written. ``block``: each write waits until it is allowed."""

    def __init__(self, *, block: bool = False) -> None:
        self.batches: list[list[int]] = []
        self.started = threading.Event()
        self.allowed = threading.Event()
        if not block:
            self.allowed.set()

    def __call__(self, items: Sequence[int]) -> None:
        self.started.set()
        assert self.allowed.wait(30)
        self.batches.append(list(items))

    @property
    def items(self) -> list[int]:
        return [item for batch in self.batches for item in batch]


class Timer:
    """Runs what is scheduled when the test says so."""

    def __init__(self) -> None:
        self.scheduled: list[tuple[float, Callable[[], None]]] = []

    def __call__(self, seconds: float, write: Callable[[], None]) -> None:
        self.scheduled.append((seconds, write))

    def expire(self) -> None:
        scheduled, self.scheduled = self.scheduled, []
        for _, write in scheduled:
            write()


def test_a_prompt_item_that_comes_alone_is_written_by_its_thread() -> None:
    writer, timer, now = Writer(), Timer(), [100.0]
    batcher = Batcher(writer, delay=5, at_most=10, prompt=True, clock=lambda: now[0], later=timer)
    batcher.add(1)
    assert (writer.batches, timer.scheduled) == ([[1]], [])
    now[0] += 4
    batcher.add(2)
    batcher.add(3)
    assert writer.batches == [[1]]
    assert [seconds for seconds, _ in timer.scheduled] == [5]
    timer.expire()
    assert writer.batches == [[1], [2, 3]]
    now[0] += 5
    batcher.add(4)
    assert (writer.batches[2:], timer.scheduled) == ([[4]], [])


def test_without_prompt_each_item_waits_for_the_timer() -> None:
    writer, timer = Writer(), Timer()
    batcher = Batcher(writer, delay=5, at_most=10, prompt=False, later=timer)
    for item in range(3):
        batcher.add(item)
    assert (writer.batches, len(timer.scheduled)) == ([], 1)
    timer.expire()
    batcher.add(3)
    timer.expire()
    assert writer.batches == [[0, 1, 2], [3]]


def test_the_item_above_the_bound_is_written_with_the_others_by_its_thread() -> None:
    writer, timer = Writer(), Timer()
    batcher = Batcher(writer, delay=5, at_most=3, prompt=False, later=timer)
    for item in range(3):
        batcher.add(item)
    assert writer.batches == []
    batcher.add(3)
    assert writer.batches == [[0, 1, 2, 3]]


def test_items_of_one_caller_are_written_together() -> None:
    writer = Writer()
    batcher = Batcher(writer, delay=0, at_most=10, prompt=True)
    batcher.add(1, more=True)
    batcher.add(2, more=True)
    assert writer.batches == []
    batcher.add(3)
    assert writer.batches == [[1, 2, 3]]


def test_flush_writes_what_waits() -> None:
    writer, timer = Writer(), Timer()
    batcher = Batcher(writer, delay=5, at_most=10, prompt=False, later=timer)
    batcher.add(1)
    batcher.add(2, more=True)
    batcher.flush()
    assert writer.batches == [[1, 2]]
    timer.expire()
    batcher.flush()
    assert writer.batches == [[1, 2]]


def test_flush_returns_when_another_thread_has_written() -> None:
    writer = Writer(block=True)
    batcher = Batcher(writer, delay=0, at_most=10, prompt=True)
    other = threading.Thread(target=batcher.add, args=(1,))
    other.start()
    assert writer.started.wait(30)
    flushing = threading.Thread(target=batcher.flush)
    flushing.start()
    flushing.join(0.05)
    assert flushing.is_alive()
    writer.allowed.set()
    flushing.join(30)
    assert writer.items == [1]
    other.join(30)


def test_a_thread_leaves_its_item_to_the_one_that_writes() -> None:
    writer = Writer(block=True)
    batcher = Batcher(writer, delay=0, at_most=10, prompt=True)
    other = threading.Thread(target=batcher.add, args=(1,))
    other.start()
    assert writer.started.wait(30)
    batcher.add(2)
    batcher.add(3)
    writer.allowed.set()
    other.join(30)
    assert writer.batches == [[1], [2, 3]]


def test_threads_wait_when_too_much_is_unwritten() -> None:
    writer = Writer(block=True)
    batcher = Batcher(writer, delay=0, at_most=2, prompt=True)
    threads = [threading.Thread(target=batcher.add, args=(item,)) for item in (1, 4)]
    threads[0].start()
    assert writer.started.wait(30)
    batcher.add(2)
    batcher.add(3)
    threads[1].start()
    threads[1].join(0.05)
    assert threads[1].is_alive()
    writer.allowed.set()
    for thread in threads:
        thread.join(30)
    assert writer.items == [1, 2, 3, 4]


def test_an_error_goes_to_the_thread_that_wrote_and_later_items_are_written() -> None:
    written: list[list[int]] = []

    def write(items: Sequence[int]) -> None:
        if 1 in items:
            raise OSError("disk full")
        written.append(list(items))

    batcher = Batcher(write, delay=0, at_most=10, prompt=True)
    with pytest.raises(OSError, match="disk full"):
        batcher.add(1)
    batcher.add(2)
    assert written == [[2]]


def test_where_no_thread_can_be_started_the_caller_writes() -> None:
    def refuse(seconds: float, write: Callable[[], None]) -> None:
        raise RuntimeError("can't start new thread")

    writer = Writer()
    batcher = Batcher(writer, delay=5, at_most=10, prompt=False, later=refuse)
    batcher.add(1)
    batcher.add(2)
    assert writer.batches == [[1], [2]]


def test_many_threads_lose_nothing_and_keep_their_order() -> None:
    writer = Writer()
    batcher = Batcher(writer, delay=0.002, at_most=50, prompt=True)

    def add_many(base: int) -> None:
        for number in range(500):
            batcher.add(base + number)

    threads = [threading.Thread(target=add_many, args=(base,)) for base in range(0, 8000, 1000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    batcher.flush()
    assert sorted(writer.items) == [base + n for base in range(0, 8000, 1000) for n in range(500)]
    for base in range(0, 8000, 1000):
        own = [item for item in writer.items if base <= item < base + 1000]
        assert own == sorted(own)
