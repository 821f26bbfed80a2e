"""What references have, fetched side by side and within a limit of time: for who waits for an answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from hashlib import sha256
from threading import BoundedSemaphore, Lock

from cachetools import LRUCache

from drydock.bootaction.fetching import KEEP_BYTES, Fetch
from drydock.bootaction.time_budget import TimeBudget
from drydock.errors import DrydockError, ReferenceUnavailable
from drydock.single_flight import NoThreadError, SingleFlight

#: Of the whole time: the longest for one reference, and for all. The rest is for what is made of them.
_FOR_ONE, _FOR_ALL = 0.5, 0.75


class PromptFetch:
    """Fetches of one process. Safe to share between threads.

    A fetch that is given up goes on in a thread of its own, and counts until it ends.
    """

    def __init__(self, fetch: Fetch, *, at_most: int) -> None:
        """``at_most``: fetches at a time."""
        self._fetch = fetch
        self._slots = BoundedSemaphore(at_most)
        self._flights: SingleFlight[object, bytes] = SingleFlight()

    def start(self, url: str, keep: Callable[[bytes], None], *, patience: float) -> Future[bytes] | None:
        """The digest to come of its content, which ``keep`` is given before, in another thread; None if no fetch could
        begin within ``patience`` seconds.
        """
        if not self._slots.acquire(timeout=max(0.0, patience)):
            return None

        def work() -> bytes:
            content = self._fetch(url)
            keep(content)
            return sha256(content).digest()

        # A key of its own: what another plan asked for a while ago is not what the server has now.
        flight = self._flights.start(object(), work)
        # Not in work, which never runs if no thread can be started for it.
        flight.add_done_callback(lambda _: self._slots.release())
        return flight


class PromptSources:
    """What references have now, each fetched once. A failure is final, as is a content.

    Contents are kept up to ``keep_bytes``; what is needed again later is fetched again.
    """

    def __init__(self, fetches: PromptFetch, budget: TimeBudget, *, keep_bytes: int = KEEP_BYTES) -> None:
        """``budget``: for them, and for what is made of them."""
        self._fetches = fetches
        self._budget = budget
        self._digests: dict[str, bytes] = {}
        self._errors: dict[str, DrydockError] = {}
        self._kept: LRUCache[str, bytes] = LRUCache(maxsize=keep_bytes, getsizeof=lambda content: max(1, len(content)))
        self._lock = Lock()

    def fetch_all(self, urls: Iterable[str]) -> None:
        """Returns when all are known: what they have, or why that is not known."""
        new = [url for url in dict.fromkeys(urls) if url not in self._digests and url not in self._errors]
        for url, result in [(url, self._started(url)) for url in new]:
            try:
                self._digests[url] = result()
            except DrydockError as exc:
                self._errors[url] = exc

    def digest(self, url: str) -> bytes:
        self.fetch_all([url])
        if (error := self._errors.get(url)) is not None:
            # Another one each time: raising one again adds to its traceback.
            raise type(error)(error.message)
        return self._digests[url]

    def content(self, url: str) -> bytes:
        digest = self.digest(url)
        if (kept := self._get(url)) is not None:
            return kept
        if self._started(url)() != digest or (kept := self._get(url)) is None:
            raise ReferenceUnavailable("it could not be read twice alike")
        return kept

    def _started(self, url: str) -> Callable[[], bytes]:
        """Waits for the digest, when it is called. Raises ``DrydockError``."""
        future = self._fetches.start(url, partial(self._keep, url), patience=self._left())
        give_up = time.monotonic() + min(self._left(), _FOR_ONE * self._budget.seconds)

        def result() -> bytes:
            if future is None:
                raise ReferenceUnavailable("it could not be fetched in time: other references take too long")
            try:
                return future.result(timeout=max(0.0, give_up - time.monotonic()))
            except TimeoutError:
                raise ReferenceUnavailable("no answer in time") from None
            except NoThreadError:
                raise ReferenceUnavailable("it could not be fetched: the process can start no more threads") from None

        return result

    def _left(self) -> float:
        """Seconds for fetches."""
        return self._budget.left() - (1 - _FOR_ALL) * self._budget.seconds

    def _keep(self, url: str, content: bytes) -> None:
        with self._lock, suppress(ValueError):
            # ValueError: larger than all that is kept.
            self._kept[url] = content

    def _get(self, url: str) -> bytes | None:
        with self._lock:
            return self._kept.get(url)
