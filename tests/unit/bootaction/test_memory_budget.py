"""The memory budget of boot preparation."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from drydock.bootaction.memory_budget import MemoryBudget


def test_concurrent_reservations_stay_within_the_limit() -> None:
    budget = MemoryBudget(100)
    inside, most = 0, 0
    lock = threading.Lock()

    def make(_: int) -> None:
        nonlocal inside, most
        with budget.reserve("task") as record_size:
            with lock:
                inside += 1
                most = max(most, inside)
            record_size(40)
            with lock:
                inside -= 1

    make(0)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(make, range(200)))
    assert 1 <= most <= 2
    assert budget._used == 0


def test_a_reservation_over_the_limit_runs_alone() -> None:
    budget = MemoryBudget(100)
    with budget.reserve("large") as record_size:
        record_size(500)
    with budget.reserve("large") as record_size:
        record_size(500)
        entered = threading.Event()

        def small() -> None:
            with budget.reserve("small"):
                entered.set()

        thread = threading.Thread(target=small)
        thread.start()
        assert not entered.wait(0.2)
    assert entered.wait(10)
    thread.join()
