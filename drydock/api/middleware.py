"""What each request gets: an id, a line of the log, a count."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import falcon
from prometheus_client import Counter, Histogram

from drydock.api.access import read_caller
from drydock.api.headers import REQUEST_ID
from drydock.api.node_key import shown_path
from drydock.batching import Batcher, start_timer
from drydock.log import MORE, Seconds
from drydock.metrics import ApiMetrics

HEADER = REQUEST_ID.name
#: Seconds until a request that follows another one closely is logged and counted.
PAUSE = 0.05
#: Requests that wait to be logged and counted, at most.
MOST = 1000
LOG = logging.getLogger("drydock.api.request")
_METHODS = frozenset(falcon.HTTP_METHODS)


class Answered(NamedTuple):
    """A request that has its answer. ``at``: seconds since the epoch. ``waited``: it was kept until something changed.

    The rest of its line is read from its WSGI environment when it is logged.
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

    Requests that come closer together than ``PAUSE`` are logged together, that much later: for each by itself, in the
    middle of its answer, it takes several times as long. Paths are logged, queries and bodies never. Leaves
    ``req.context.request_id``.
    """

    def __init__(
        self,
        metrics: ApiMetrics,
        *,
        pause: float = PAUSE,
        at_most: int = MOST,
        later: Callable[[float, Callable[[], None]], None] = start_timer,
    ) -> None:
        self._metrics = metrics
        # Looking a labelled counter up costs more than counting. As many as there are routes, methods and statuses.
        self._counters: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._answered: Batcher[Answered] = Batcher(self._write, delay=pause, at_most=at_most, prompt=True, later=later)

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
            # NOTE: falcon refuses some methods before it calls any middleware.
            self.process_request(req, resp)
        resp.set_header(HEADER, context.request_id)
        seconds = time.monotonic() - context.started
        waited = getattr(context, "waited", False)
        route = req.uri_template or "none"
        self.add(Answered(time.time(), seconds, resp.status, context.request_id, route, req.env, waited))

    def add(self, answered: Answered) -> None:
        """Log and count a request, now or soon, together with those that follow it closely."""
        self._answered.add(answered)

    def _write(self, answered: Sequence[Answered]) -> None:
        for each in answered:
            self._count(each)
        if LOG.isEnabledFor(logging.INFO):
            # The logger makes one record for all of them, as that costs a quarter of a line's time: what it finds out,
            # such as the thread and the process, is the same for each.
            common = LOG.makeRecord(LOG.name, logging.INFO, "", 0, "request", (), None)
            last = answered[-1]
            for each in answered:
                LOG.handle(_record(common, each, more=each is not last))

    def _count(self, answered: Answered) -> None:
        method = answered.environ["REQUEST_METHOD"]
        key = (method if method in _METHODS else "other", answered.route, falcon.http_status_to_code(answered.status))
        requests, seconds = self._counters.get(key) or self._counter(*key)
        requests.inc()
        if not answered.waited:
            seconds.observe(answered.seconds)

    def _counter(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        counters = (
            self._metrics.requests.labels(method, route, str(status)),
            self._metrics.request_seconds.labels(method, route),
        )
        self._counters[method, route, status] = counters
        return counters


def _record(common: logging.LogRecord, of: Answered, *, more: bool) -> logging.LogRecord:
    """A record like ``common``, of the moment of the answer."""
    environ = of.environ
    caller = read_caller(environ, of.request_id)
    fields: dict[str, object] = {
        "request_id": of.request_id,
        "method": environ["REQUEST_METHOD"],
        "path": shown_path(environ["PATH_INFO"]),
        "status": falcon.http_status_to_code(of.status),
        "seconds": Seconds(round(of.seconds, 3)),
        "remote": environ.get("REMOTE_ADDR", ""),
    }
    for name, value in (("user", caller.user), ("end_user", caller.end_user), ("marker", caller.marker)):
        if value:
            fields[name] = value
    # A third of the time of copy.copy().
    record = logging.LogRecord.__new__(type(common))
    record.__dict__.update(common.__dict__)
    record.__dict__.update(fields)
    record.created = of.at
    record.msecs = of.at % 1 * 1000
    record.relativeCreated += (of.at - common.created) * 1000
    setattr(record, MORE, more)
    return record


def new_request_id() -> str:
    """A random (version 4) UUID, only to distinguish requests.

    The standard library's asks the kernel, and the thread that asks loses its turn to others. Python seeds this
    generator, and seeds it again in each process that is forked.
    """
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
