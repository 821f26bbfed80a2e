"""A process that can start no more threads, as when a limit of the system is reached."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: More than the address space has.
STACK_BYTES = 1 << 46


@contextmanager
def no_more_threads() -> Iterator[None]:
    before = threading.stack_size(STACK_BYTES)
    try:
        yield
    finally:
        threading.stack_size(before)
