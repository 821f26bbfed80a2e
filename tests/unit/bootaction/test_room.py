"""Memory for boots in the making."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from drydock.bootaction.room import Room


def test_as_many_as_fit_are_in_the_making() -> None:
    room = Room(100)
    inside, most = 0, 0
    lock = threading.Lock()

    def make(_: int) -> None:
        nonlocal inside, most
        with room.taken("task") as found:
            with lock:
                inside += 1
                most = max(most, inside)
            found(40)
            with lock:
                inside -= 1

    make(0)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(make, range(200)))
    assert 1 <= most <= 2
    assert room._used == 0


def test_what_is_larger_than_all_there_is_goes_by_itself() -> None:
    room = Room(100)
    with room.taken("large") as found:
        found(500)
    with room.taken("large") as found:
        found(500)
        entered = threading.Event()

        def small() -> None:
            with room.taken("small"):
                entered.set()

        thread = threading.Thread(target=small)
        thread.start()
        assert not entered.wait(0.2)
    assert entered.wait(10)
    thread.join()
