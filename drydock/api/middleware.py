"""What each request gets: an id, a line of the log, a count."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Iterable
from typing import Any, NamedTuple

import falcon
from prometheus_client import Counter, Histogram

from drydock.api.access import read_caller
from drydock.api.node_key import shown_path
from drydock.log import LineLog, shown
from drydock.metrics import ApiMetrics

HEADER = "X-Drydock-Req"
#: Seconds until the log and the numbers have a request that came right behind another.
PAUSE = 0.05
#: So many are left for later at most.
MOST = 1000
_METHODS = frozenset(falcon.HTTP_METHODS)


class Answered(NamedTuple):
    """A request that has its answer. ``at``: seconds since the epoch. ``waited``: it was kept until something changed.

    The rest of its line is read from its WSGI environment when it is told of.
    """

    at: float
    seconds: float
    status: int | str
    request_id: str
    route: str
    environ: dict[str, Any]
    waited: bool = False


class RequestLog:
    """Falcon middleware: each request gets an id, which its reply names, one line and one count.

    Requests that come closer together than ``PAUSE`` are written down together, that much later: for each by itself, in
    the middle of its answer, it takes several times as long. Paths are logged, queries and bodies never. Leaves
    ``req.context.request_id``.
    """

    def __init__(self, metrics: ApiMetrics) -> None:
        self._metrics = metrics
        self._log = LineLog(logging.getLogger("drydock.api.request"))
        # Looking a labelled counter up costs more than counting. As many as there are routes, methods and statuses.
        self._counters: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._answered: deque[Answered] = deque()
        self._writing = threading.Lock()
        self._written = 0.0
        self._later: threading.Timer | None = None

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        req.context.request_id = new_request_id()
        req.context.started = time.monotonic()

    def process_response(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        resource: object,
        req_succeeded: bool,  # noqa: FBT001
    ) -> None:
        context = req.context
        if not hasattr(context, "started"):
            # NOTE: some methods falcon refuses before it asks anybody.
            self.process_request(req, resp)
        resp.set_header(HEADER, context.request_id)
        now = time.monotonic()
        waited = getattr(context, "waited", False)
        route = req.uri_template or "none"
        self.tell(
            Answered(time.time(), now - context.started, resp.status, context.request_id, route, req.env, waited), now
        )

    def tell(self, answered: Answered, now: float) -> None:
        """At once or, with those that come soon, soon. ``now``: by the monotonic clock."""
        self._answered.append(answered)
        if now - self._written >= PAUSE or len(self._answered) > MOST:
            self._write()
        elif self._later is None:
            self._write_later()

    def _write_later(self) -> None:
        # Not a daemon's thread: the process waits for it at its end.
        self._later = threading.Timer(PAUSE, self._write_rest)
        try:
            self._later.start()
        except RuntimeError:  # there is no other thread to be had
            self._write_rest()

    def _write_rest(self) -> None:
        self._later = None
        self._write()

    def _write(self) -> None:
        # Looked at again after each turn: one may have come that another thread left to us.
        while self._answered and self._writing.acquire(blocking=len(self._answered) > MOST):
            try:
                self._written = time.monotonic()
                answered = [self._answered.popleft() for _ in range(len(self._answered))]
                self._count(answered)
                self._log.info([(each.at, _line(each)) for each in answered])
            finally:
                self._writing.release()

    def _count(self, answered: Iterable[Answered]) -> None:
        for each in answered:
            method = each.environ["REQUEST_METHOD"]
            key = (method if method in _METHODS else "other", each.route, falcon.http_status_to_code(each.status))
            requests, seconds = self._counters.get(key) or self._counter(*key)
            requests.inc()
            if not each.waited:
                seconds.observe(each.seconds)

    def _counter(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        counters = (
            self._metrics.requests.labels(method, route, str(status)),
            self._metrics.request_seconds.labels(method, route),
        )
        self._counters[method, route, status] = counters
        return counters


def _line(of: Answered) -> str:
    environ = of.environ
    caller = read_caller(environ, of.request_id)
    line = (
        f"request request_id={of.request_id} method={shown(environ['REQUEST_METHOD'])} "
        f"path={shown(shown_path(environ['PATH_INFO']))} status={falcon.http_status_to_code(of.status)} "
        f"seconds={of.seconds:.3f} remote={shown(environ.get('REMOTE_ADDR', ''))}"
    )
    if caller.user:
        line += f" user={shown(caller.user)}"
    if caller.end_user:
        line += f" end_user={shown(caller.end_user)}"
    if caller.marker:
        line += f" marker={caller.marker}"
    return line


def new_request_id() -> str:
    """A random (version 4) UUID, for telling requests apart and nothing else.

    The standard library's asks the kernel, and the thread that asks loses its turn to others. Python seeds this
    generator, and seeds it again in each process that is forked.
    """
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
