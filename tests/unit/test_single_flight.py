"""One thread works, the others get its result or its error."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor

import pytest

from drydock.single_flight import NoThreadError, SingleFlight
from tests.no_threads import no_more_threads


class Work:
    """Waits until it is allowed to end."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.calls = 0
        self.started = threading.Event()
        self.allowed = threading.Event()
        self._error = error

    def __call__(self) -> object:
        self.calls += 1
        self.started.set()
        assert self.allowed.wait(30)
        if self._error is not None:
            raise self._error
        return object()


def together(flight: SingleFlight[str, object], work: Work) -> list[Future[object]]:
    """Eight threads want the same; the first works until the others wait for it, as far as can be seen."""
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(flight.run, "key", work)
        assert work.started.wait(30)
        others = [threads.submit(flight.run, "key", work) for _ in range(7)]
        joined = flight.start("key", work)
        work.allowed.set()
    return [first, *others, joined]


def test_all_get_the_result_of_one() -> None:
    flight: SingleFlight[str, object] = SingleFlight()
    work = Work()
    first, *others = together(flight, work)
    assert first.result() is others[-1].result()
    assert work.calls == len({id(future.result()) for future in (first, *others)})


def test_what_is_done_is_not_kept() -> None:
    flight: SingleFlight[str, int] = SingleFlight()
    results = iter((1, 2))
    assert [flight.run("key", lambda: next(results)) for _ in range(2)] == [1, 2]


def test_keys_are_apart() -> None:
    flight: SingleFlight[str, str] = SingleFlight()
    assert flight.run("a", lambda: flight.run("b", lambda: "inner")) == "inner"


def test_all_get_the_error_and_the_next_works_anew() -> None:
    flight: SingleFlight[str, object] = SingleFlight()
    error = ValueError("no")
    first, *_, joined = together(flight, Work(error))
    assert first.exception() is joined.exception() is error
    assert flight.run("key", lambda: 1) == 1


def test_without_a_thread_nothing_is_left_behind() -> None:
    flight: SingleFlight[str, int] = SingleFlight()
    with no_more_threads():
        assert isinstance(flight.start("key", lambda: 1).exception(0), NoThreadError)
    assert flight.start("key", lambda: 2).result(30) == 2


def test_the_end_of_a_thread_reaches_it_alone() -> None:
    flight: SingleFlight[str, object] = SingleFlight()
    waiting: list[Future[object]] = []

    def interrupted() -> object:
        waiting.append(flight.start("key", object))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        flight.run("key", interrupted)
    with pytest.raises(CancelledError):
        waiting[0].result(30)
    assert flight.run("key", lambda: 1) == 1


def test_what_was_started_is_joined() -> None:
    flight: SingleFlight[str, object] = SingleFlight()
    work = Work()
    started = flight.start("key", work)
    assert work.started.wait(30)
    again = flight.start("key", work)
    with pytest.raises(TimeoutError):
        again.result(0.01)
    work.allowed.set()
    assert started.result(30) is again.result(30)
    assert work.calls == 1
