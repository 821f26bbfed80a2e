"""The way to a design: compiled once per content, however many ask at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from drydock.design.compiler import CompiledDesign, compile_design
from drydock.design.loader import DesignLoader
from drydock.errors import InvalidReference
from drydock.references.references import References
from tests.factories.documents import dump, network
from tests.factories.settings import references


def stored_digests() -> References:
    """Each stored design is its digest."""
    return references(read_snapshot=lambda digest: digest.encode())


def text(number: int) -> bytes:
    return dump(network(f"n{number}"))


def test_fetch_is_the_references() -> None:
    loader = DesignLoader(stored_digests(), cache_size=2)
    assert loader.fetch(f"drydock://designs/{'0' * 64}") == b"0" * 64
    with pytest.raises(InvalidReference):
        loader.fetch("http://127.0.0.1/")


def test_the_last_few_are_kept() -> None:
    loader = DesignLoader(stored_digests(), cache_size=2)
    first, second = loader.compile(text(1)), loader.compile(text(2))
    assert loader.compile(text(1)) is first
    loader.compile(text(3))
    assert loader.compile(text(1)) is first
    assert loader.compile(text(2)) is not second
    assert loader.compile(text(2)) == second


def test_nothing_is_kept_of_no_cache() -> None:
    loader = DesignLoader(stored_digests(), cache_size=0)
    assert loader.compile(text(1)) == loader.compile(text(1))


def test_many_threads_one_compilation() -> None:
    started, go = threading.Event(), threading.Event()
    compiled: list[bytes] = []

    def slow(content: bytes) -> CompiledDesign:
        compiled.append(content)
        started.set()
        assert go.wait(10)
        return compile_design(content)

    loader = DesignLoader(stored_digests(), cache_size=2, compile_=slow)
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(loader.compile, text(1)) for _ in range(8)]
        assert started.wait(10)
        go.set()
        results = {id(future.result(10)) for future in waiting}
    assert (len(results), len(compiled)) == (1, 1)


def test_a_failure_is_not_kept() -> None:
    failures: list[Exception] = [MemoryError()]

    def broken_once(content: bytes) -> CompiledDesign:
        if failures:
            raise failures.pop()
        return compile_design(content)

    loader = DesignLoader(stored_digests(), cache_size=2, compile_=broken_once)
    with pytest.raises(MemoryError):
        loader.compile(text(1))
    assert loader.compile(text(1)).valid
