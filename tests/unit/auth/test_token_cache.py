"""The token cache: bounded in number and in time."""

from __future__ import annotations

from drydock.auth.token_cache import TokenCache


def test_it_is_true_even_when_empty() -> None:
    assert TokenCache(size=1, seconds=1)


def test_it_never_holds_more_than_its_size() -> None:
    cache = TokenCache(size=3, seconds=60)
    for number in range(100):
        cache.set(f"k{number}", b"v", time=300)
    assert len(cache) == 3
    assert cache.get("k99") == b"v"
    assert cache.get("k0") is None


def test_it_forgets_in_time_whatever_it_is_told() -> None:
    now = 1000.0
    cache = TokenCache(size=3, seconds=60, timer=lambda: now)
    cache.set("k", b"v", time=300)
    now = 1059.0
    assert cache.get("k") == b"v"
    now = 1061.0
    assert cache.get("k") is None


def test_with_no_seconds_it_keeps_nothing() -> None:
    cache = TokenCache(size=3, seconds=0)
    cache.set("k", b"v", time=300)
    assert cache.get("k") is None
