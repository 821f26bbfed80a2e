"""The way to a design: what a reference names, compiled once per content."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from concurrent.futures import Future
from threading import Lock

from drydock.design.compiler import CompiledDesign, compile_design
from drydock.references.references import References


class DesignLoader:
    """Safe to share between threads. Keeps the last ``cache_size`` compiled designs, by SHA-256 of their text.

    What a reference answered is never kept: only the same bytes are the same design.
    """

    def __init__(self, references: References, *, cache_size: int) -> None:
        self._references = references
        self._cache_size = max(1, cache_size)
        self._compiled: OrderedDict[str, Future[CompiledDesign]] = OrderedDict()
        self._lock = Lock()

    def fetch(self, ref: str) -> bytes:
        """The bytes a design reference names now: who has just corrected a design wants a verdict on that.

        Raises ``InvalidReference``, ``ReferenceUnavailable`` or ``DesignNotFound``.
        """
        return self._references.fetch(ref, present=True)

    def cached(self, digest: str) -> CompiledDesign | None:
        """The compiled design with this SHA-256, if it is at hand."""
        with self._lock:
            future = self._compiled.get(digest)
            if future is None:
                return None
            self._compiled.move_to_end(digest)
        return future.result()

    def compile(self, content: bytes) -> CompiledDesign:
        """The compiled design. Who asks for one that another thread is compiling waits for that one."""
        digest = hashlib.sha256(content).hexdigest()
        with self._lock:
            found = self._compiled.get(digest)
            mine = found is None
            future = self._compiled[digest] = found if found is not None else Future()
            self._compiled.move_to_end(digest)
            while len(self._compiled) > self._cache_size:
                self._compiled.popitem(last=False)
        if mine:
            self._fill(digest, future, content)
        return future.result()

    def _fill(self, digest: str, future: Future[CompiledDesign], content: bytes) -> None:
        """Those who wait must wake up whatever happens, and a failure must not stay in the cache."""
        try:
            future.set_result(compile_design(content))
        finally:
            if not future.done():
                future.cancel()
                with self._lock:
                    self._compiled.pop(digest, None)
