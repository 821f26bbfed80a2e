"""References fetched once for all nodes of a task, a few at a time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from drydock.bootaction.fetching import SharedFetch
from drydock.errors import ReferenceUnavailable

TASK, LATER = UUID(int=1), UUID(int=2)


def test_one_fetch_for_all_nodes_of_a_task_and_a_new_one_for_the_next() -> None:
    asked: list[str] = []
    inside = threading.Event()
    go_on = threading.Event()

    def fetch(url: str) -> bytes:
        asked.append(url)
        inside.set()
        assert go_on.wait(10)
        return url.encode()

    shared = SharedFetch(fetch, at_most=8)
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(shared.for_task(TASK), "a")
        assert inside.wait(10)
        others = [threads.submit(shared.for_task(TASK), "a") for _ in range(7)]
        go_on.set()
        assert {future.result(10) for future in [first, *others]} == {b"a"}
    assert asked == ["a"]
    assert shared.for_task(LATER)("a") == b"a"
    assert shared.for_task(TASK)("b") == b"b"
    assert asked == ["a", "a", "b"]


def test_the_number_of_fetches_at_a_time_is_bounded() -> None:
    meeting = threading.Barrier(3)
    lock = threading.Lock()
    now = most = 0

    def fetch(url: str) -> bytes:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        meeting.wait(10)
        with lock:
            now -= 1
        return b""

    shared = SharedFetch(fetch, at_most=3).for_task(TASK)
    with ThreadPoolExecutor(9) as threads:
        list(threads.map(shared, map(str, range(9))))
    assert most == 3


@pytest.mark.parametrize("error", [ReferenceUnavailable("not now"), RuntimeError("a bug")])
def test_a_failure_is_not_kept(error: Exception) -> None:
    troubles = [error]

    def fetch(url: str) -> bytes:
        if troubles:
            raise troubles.pop()
        return b"now"

    shared = SharedFetch(fetch, at_most=8).for_task(TASK)
    with pytest.raises(type(error), match=str(error)):
        shared("a")
    assert shared("a") == b"now"


def test_what_is_kept_is_bounded() -> None:
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return b"x" * 40

    shared = SharedFetch(fetch, at_most=8, keep_bytes=100).for_task(TASK)
    for url in ("a", "b", "a", "c", "a", "b"):
        shared(url)
    assert asked == ["a", "b", "c", "b"]


def test_a_content_above_the_bound_is_not_kept() -> None:
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return b"x" * 101

    shared = SharedFetch(fetch, at_most=8, keep_bytes=100).for_task(TASK)
    assert shared("a") == shared("a") == b"x" * 101
    assert asked == ["a", "a"]
