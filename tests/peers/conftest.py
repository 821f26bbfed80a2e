"""Peers end with their tests."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psutil
import pytest


@pytest.fixture(scope="module", autouse=True)
def nothing_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """After the servers of a module: no process is left that was given one of our directories, and was not there."""
    ours = str(tmp_path_factory.getbasetemp())
    before = _processes_of(ours)
    yield
    give_up = time.monotonic() + 10
    while left := [process for process in _processes_of(ours) if process not in before]:
        assert time.monotonic() < give_up, left
        psutil.wait_procs(left, timeout=0.1)


def _processes_of(directory: str) -> list[psutil.Process]:
    found = psutil.process_iter(["cmdline"])
    return [process for process in found if any(directory in word for word in process.info["cmdline"] or ())]
