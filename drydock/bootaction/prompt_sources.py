"""What references have, fetched side by side and within a limit of time: for requests that wait for them."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from hashlib import sha256
from threading import Condition, Lock
from urllib.parse import urlsplit

from cachetools import LRUCache

from drydock.bootaction.fetching import KEEP_BYTES
from drydock.bootaction.time_budget import TimeBudget
from drydock.errors import DrydockError, ReferenceUnavailable
from drydock.single_flight import NoThreadError, SingleFlight

#: A URL and the seconds after which its fetch ends.
FetchWithin = Callable[[str, float], bytes]
#: Of the whole time: the longest for one reference, and for all. The rest is for what is made of them.
_FOR_ONE, _FOR_ALL = 0.5, 0.75


class _Slots:
    """A server can have half of them, so that a slow one leaves the others some. Safe to share between threads."""

    def __init__(self, number: int) -> None:
        self._free = number
        self._of_one = (number + 1) // 2
        self._taken: Counter[str] = Counter()
        self._changed = Condition()

    def take(self, servers: Iterable[str], *, patience: float) -> str | None:
        """One of the servers that has a slot now; None if none got one within ``patience`` seconds."""
        servers = list(servers)
        with self._changed:
            found = self._changed.wait_for(lambda: self._open(servers), timeout=max(0.0, patience))
            if found is None:
                return None
            (server,) = found
            self._free -= 1
            self._taken[server] += 1
            return server

    def give_back(self, server: str) -> None:
        with self._changed:
            self._free += 1
            self._taken[server] -= 1
            if not self._taken[server]:
                del self._taken[server]
            self._changed.notify_all()

    def _open(self, servers: Sequence[str]) -> tuple[str] | None:
        if not self._free:
            return None
        return next(((server,) for server in servers if self._taken[server] < self._of_one), None)


class PromptFetch:
    """Fetches of one process. Safe to share between threads.

    A fetch counts until it ends, in a thread of its own, also if it was given up.
    """

    def __init__(self, fetch: FetchWithin, *, at_most: int) -> None:
        """``at_most``: fetches at a time."""
        self._fetch = fetch
        self._slots = _Slots(at_most)
        self._flights: SingleFlight[object, bytes] = SingleFlight()

    def take(self, servers: Iterable[str], *, patience: float) -> str | None:
        """The server for which a fetch may ``start``; None if none may within ``patience`` seconds."""
        return self._slots.take(servers, patience=patience)

    def start(self, server: str, url: str, keep: Callable[[bytes], None], *, seconds: float) -> Future[bytes]:
        """The digest to come of its content, which ``keep`` is given before, in another thread."""

        def work() -> bytes:
            content = self._fetch(url, seconds)
            keep(content)
            return sha256(content).digest()

        # A key of its own: what another plan asked for a while ago is not what the server has now.
        flight = self._flights.start(object(), work)
        # Not in work, which never runs if no thread can be started for it.
        flight.add_done_callback(lambda _: self._slots.give_back(server))
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
        for url, result in self._started(new).items():
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
        if self._started([url])[url]() != digest or (kept := self._get(url)) is None:
            raise ReferenceUnavailable("it could not be read twice alike")
        return kept

    def _started(self, urls: Sequence[str]) -> Mapping[str, Callable[[], bytes]]:
        """By URL, what waits for its digest when it is called; that raises ``DrydockError``.

        A server that has no more slots does not keep those of others waiting.
        """
        waiting: dict[str, deque[str]] = {}
        for url in urls:
            waiting.setdefault(_server(url), deque()).append(url)
        found: dict[str, Callable[[], bytes]] = {}
        while waiting and (server := self._fetches.take(waiting, patience=self._left())) is not None:
            url = waiting[server].popleft()
            if not waiting[server]:
                del waiting[server]
            seconds = max(0.0, min(self._left(), _FOR_ONE * self._budget.seconds))
            future = self._fetches.start(server, url, partial(self._keep, url), seconds=seconds)
            found[url] = partial(_result, future, time.monotonic() + seconds)
        return {url: found.get(url, _not_started) for url in urls}

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


def _server(url: str) -> str:
    try:
        return urlsplit(url.strip()).hostname or ""
    except ValueError:
        return ""


def _not_started() -> bytes:
    raise ReferenceUnavailable("it could not be fetched in time: other references take too long")


def _result(future: Future[bytes], give_up: float) -> bytes:
    try:
        return future.result(timeout=max(0.0, give_up - time.monotonic()))
    except TimeoutError:
        raise ReferenceUnavailable("no answer in time") from None
    except NoThreadError:
        raise ReferenceUnavailable("it could not be fetched: the process can start no more threads") from None
