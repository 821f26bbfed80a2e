"""What plans fetch: side by side, and within a limit of time."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from threading import Event, Semaphore

import pytest

from drydock.bootaction.prompt_sources import PromptFetch, PromptSources
from drydock.bootaction.time_budget import TimeBudget
from drydock.errors import ReferenceUnavailable
from tests.no_threads import no_more_threads


def test_without_a_thread_it_is_unavailable_and_keeps_no_slot() -> None:
    fetches = PromptFetch(lambda url, *_: url.encode(), at_most=1)
    with no_more_threads(), pytest.raises(ReferenceUnavailable, match="no more threads"):
        PromptSources(fetches, TimeBudget(10)).digest("http://a/1")
    assert PromptSources(fetches, TimeBudget(10)).digest("http://a/1") == sha256(b"http://a/1").digest()


class Servers:
    """They answer with the URL; ``slow`` does when it may, and then not in time."""

    def __init__(self) -> None:
        self.may = Event()
        self.held = Semaphore(0)

    def __call__(self, url: str, *_: float) -> bytes:
        if "slow" in url:
            self.held.release()
            assert self.may.wait(60)
        return url.encode()


@pytest.fixture
def servers() -> Iterator[Servers]:
    servers = Servers()
    yield servers
    servers.may.set()


SLOW = [f"http://slow/{number}" for number in range(8)]


def test_a_slow_server_leaves_other_plans_some_fetches(servers: Servers) -> None:
    fetches = PromptFetch(servers, at_most=4)
    PromptSources(fetches, TimeBudget(0.2)).fetch_all(SLOW)
    assert servers.held.acquire(timeout=30), "its fetches go on"
    PromptSources(fetches, TimeBudget(0.2)).fetch_all(SLOW)
    assert PromptSources(fetches, TimeBudget(60)).digest("http://quick/1") == sha256(b"http://quick/1").digest()


def test_a_slow_server_does_not_keep_the_others_of_its_plan_waiting(servers: Servers) -> None:
    sources = PromptSources(PromptFetch(servers, at_most=4), TimeBudget(2))
    quick = [f"http://quick/{number}" for number in range(8)]
    sources.fetch_all([*SLOW, *quick])
    assert [sources.digest(url) for url in quick] == [sha256(url.encode()).digest() for url in quick]
    with pytest.raises(ReferenceUnavailable, match="in time"):
        sources.digest(SLOW[0])
