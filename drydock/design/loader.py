"""Loads designs: what a reference names, compiled once per content."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from threading import Lock

from cachetools import LRUCache

from drydock.design.compiler import CompiledDesign, compile_design
from drydock.references.references import References
from drydock.single_flight import SingleFlight


class DesignLoader:
    """Safe to share between threads. Keeps the last ``cache_size`` compiled designs, by SHA-256 of their text.

    The content of a reference is never kept: only the same bytes are the same design.
    """

    def __init__(
        self,
        references: References,
        *,
        cache_size: int,
        compile_: Callable[[bytes], CompiledDesign] = compile_design,
    ) -> None:
        self._references = references
        self._compile = compile_
        self._compiled: LRUCache[str, CompiledDesign] = LRUCache(maxsize=max(1, cache_size))
        self._lock = Lock()
        self._compiling: SingleFlight[str, CompiledDesign] = SingleFlight()

    def fetch(self, ref: str) -> bytes:
        """The bytes that a design reference names now, never an older copy: the design may just have been corrected.

        Raises ``InvalidReference``, ``ReferenceUnavailable`` or ``DesignNotFound``.
        """
        return self._references.fetch(ref, present=True)

    def cached(self, digest: str) -> CompiledDesign | None:
        """The compiled design with this SHA-256, if it is kept."""
        with self._lock:
            return self._compiled.get(digest)

    def compile(self, content: bytes) -> CompiledDesign:
        """The compiled design. A design that another thread is compiling is waited for."""
        digest = hashlib.sha256(content).hexdigest()
        return self.cached(digest) or self._compiling.run(digest, lambda: self._fill(digest, content))

    def _fill(self, digest: str, content: bytes) -> CompiledDesign:
        # Checked again: another thread may have finished between the first check and now.
        design = self.cached(digest) or self._compile(content)
        with self._lock:
            self._compiled[digest] = design
        return design
