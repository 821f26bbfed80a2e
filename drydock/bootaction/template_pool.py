"""A pool of renderer processes, started on demand and reused."""

from __future__ import annotations

import hashlib
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from drydock.bootaction.template_child import Answer, ChildGoneError, TemplateChild
from drydock.bootaction.template_frames import Kind, pack
from drydock.bootaction.template_limits import MAX_SOURCE, LimitExceededError, TemplateFaultError, TemplateLimits
from drydock.errors import RendererUnavailable

#: A template that reached a limit gets a quarter of the time at its next node of the task, down to a minimum.
_LESS, _LEAST_SECONDS = 4, 0.2
_REMEMBERED = 1024


@dataclass(frozen=True, slots=True)
class RenderedText:
    """``unknown``: undefined names that the template writes or iterates over."""

    text: str
    unknown: tuple[str, ...] = ()


Render = Callable[[str, Mapping[str, Any]], RenderedText]


class TemplatePool:
    """Safe for threads. ``processes``: templates rendered at a time; others wait."""

    def __init__(self, limits: TemplateLimits, *, processes: int) -> None:
        self.limits = limits
        self._places = threading.BoundedSemaphore(processes)
        self._idle: list[TemplateChild] = []
        self._strikes = _Strikes()

    def for_task(
        self, scope: Hashable, *, repeatable: bool = False, left: Callable[[], float] = lambda: math.inf
    ) -> Render:
        """A function that renders a source with variables. ``scope``: reached limits are remembered within it.

        ``repeatable``: what templates draw at random is the same each time. ``left``: seconds for a template, and for
        its wait for others; ``RendererUnavailable`` if it could not begin within them. It raises
        ``TemplateFaultError`` (of which ``LimitExceededError`` is one) and ``RendererUnavailable``.
        """
        return lambda source, variables: self._render(scope, source, variables, repeatable=repeatable, left=left)

    def close(self) -> None:
        """End the processes that are idle."""
        while (child := self._kept()) is not None:
            child.end()

    def _render(
        self,
        scope: Hashable,
        source: str,
        variables: Mapping[str, Any],
        *,
        repeatable: bool,
        left: Callable[[], float],
    ) -> RenderedText:
        if len(source) > MAX_SOURCE:
            raise LimitExceededError(f"the template is longer than {MAX_SOURCE} characters")
        limits = self.limits
        template = (scope, hashlib.sha256(source.encode("utf-8", "surrogatepass")).digest())
        with self._place(left) as most:
            seconds = self._strikes.allowed(template, most)
            request = pack(
                {
                    "source": source,
                    "variables": variables,
                    "seconds": seconds,
                    "max_bytes": limits.max_bytes,
                    "repeatable": repeatable,
                }
            )
            try:
                answer = self._answer(request, seconds)
            except LimitExceededError:
                self._strikes.add(template)
                raise
        text = answer.body.decode("utf-8", "surrogatepass")
        if answer.kind is Kind.LIMIT:
            self._strikes.add(template)
            raise LimitExceededError(answer.message)
        if answer.kind is not Kind.TEXT:
            raise TemplateFaultError(answer.message, text)
        return RenderedText(text, answer.unknown)

    @contextmanager
    def _place(self, left: Callable[[], float]) -> Iterator[float]:
        """The seconds that its template may take."""
        if not self._places.acquire(timeout=min(max(0.0, left()), threading.TIMEOUT_MAX)):
            raise RendererUnavailable("no renderer was free in time")
        try:
            seconds = min(self.limits.max_seconds, left())
            if seconds <= 0:
                raise RendererUnavailable("no renderer was free in time")
            yield seconds
        finally:
            self._places.release()

    def _answer(self, request: bytes, seconds: float) -> Answer:
        while True:
            kept = self._kept()
            child = kept or TemplateChild(max_memory=self.limits.max_memory)
            try:
                answer = child.ask(request, seconds=seconds, max_bytes=self.limits.max_bytes)
            except ChildGoneError:
                if kept is None:
                    raise
                continue
            if child.alive:
                self._idle.append(child)
            return answer

    def _kept(self) -> TemplateChild | None:
        """The process that was used last, which has the template compiled."""
        try:
            return self._idle.pop()
        except IndexError:
            return None


class _Strikes:
    """Templates that reached a limit, so that one for 1,000 nodes does not take 1,000 times the limit.

    No node fails because of another: each gets a share of time, so that a template that exceeds it for some nodes only
    is rendered for the others.
    """

    def __init__(self) -> None:
        self._counts: OrderedDict[Hashable, int] = OrderedDict()
        self._lock = threading.Lock()

    def allowed(self, template: Hashable, seconds: float) -> float:
        with self._lock:
            count = self._counts.get(template, 0)
        share: float = seconds / _LESS**count
        return max(share, min(seconds, _LEAST_SECONDS))

    def add(self, template: Hashable) -> None:
        with self._lock:
            self._counts[template] = self._counts.pop(template, 0) + 1
            if len(self._counts) > _REMEMBERED:
                self._counts.popitem(last=False)
