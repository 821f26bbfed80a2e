"""The images that the provisioner offers: requested now and then, and waited for no longer than a person would."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from threading import Lock

from drydock.design.rules.platform import PlatformSelection
from drydock.drivers.node.base import Image, NodeProvisioner
from drydock.errors import DriverError
from drydock.single_flight import SingleFlight

#: How long a failure is kept, so that requests do not wait for a provisioner that is away.
FAILURE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Question:
    asked: float
    answer: Future[Sequence[Image] | None]

    def good(self, now: float, seconds: float) -> bool:
        """Whether it may be used: a request that is not answered yet is not repeated."""
        if not self.answer.done():
            return True
        failed = self.answer.cancelled() or self.answer.exception() is not None
        return now - self.asked < (min(seconds, FAILURE_SECONDS) if failed else seconds)


class ImageCatalogue:
    """Safe to share between threads: callers that come while a request is under way wait for its answer."""

    def __init__(
        self,
        provisioner: NodeProvisioner,
        *,
        seconds: float,
        patience: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``seconds``: how long an answer is good. ``patience``: seconds until a question counts as unanswered."""
        self._provisioner = provisioner
        self._seconds = seconds
        self._patience = patience
        self._clock = clock
        self._question: _Question | None = None
        self._asking: SingleFlight[str, Sequence[Image] | None] = SingleFlight()
        self._lock = Lock()

    def platform(self) -> PlatformSelection:
        """The rule that knows what is offered now, or why that is not known. Raises nothing."""
        question = self._current()
        name = self._provisioner.name
        try:
            failed = question.answer.exception(max(0.0, question.asked + self._patience - self._clock()))
        except TimeoutError:
            return PlatformSelection(unanswered=f"{name} has not answered within {self._patience:g} s")
        except CancelledError:
            return PlatformSelection(unanswered=f"{name} failed")
        if failed is not None:
            return PlatformSelection(unanswered=failed.message if isinstance(failed, DriverError) else f"{name} failed")
        images = question.answer.result()
        if images is None:
            return PlatformSelection(unchecked=f"{name} has no list of images")
        return PlatformSelection({image.name: frozenset(image.kernels) for image in images})

    def _current(self) -> _Question:
        with self._lock:
            now = self._clock()
            if self._question is None or not self._question.good(now, self._seconds):
                self._question = _Question(now, self._asking.start("images", self._provisioner.list_images))
            return self._question
