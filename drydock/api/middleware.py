"""What each request gets: an id, a line of the log, a count."""

from __future__ import annotations

import logging
import random
import time

import falcon
from prometheus_client import Counter, Histogram

from drydock.api.node_key import shown_path
from drydock.context import RequestContext
from drydock.log import LineLog, shown
from drydock.metrics import Metrics

HEADER = "X-Drydock-Req"


def _new_id() -> str:
    """A random (version 4) UUID, for telling requests apart and nothing else.

    The standard library's asks the kernel, and the thread that asks loses its turn to others. Python seeds this
    generator, and seeds it again in each process that is forked.
    """
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


class RequestLog:
    """Falcon middleware: each request gets an id, which its reply names, one line and one count.

    Paths are logged, queries and bodies never. Leaves ``req.context.request_id``.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._log = LineLog(logging.getLogger("drydock.api.request"))
        # Looking a labelled counter up costs more than counting. As many as there are routes, methods and statuses.
        self._counters: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        req.context.request_id = _new_id()
        req.context.started = time.monotonic()

    def process_response(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        resource: object,
        req_succeeded: bool,  # noqa: FBT001
    ) -> None:
        if not hasattr(req.context, "started"):
            # NOTE: some methods falcon refuses before it asks anybody.
            self.process_request(req, resp)
        seconds = time.monotonic() - req.context.started
        request_id = req.context.request_id
        resp.set_header(HEADER, request_id)
        route = req.uri_template or "none"
        status = resp.status_code
        method, said = (req.method, req.method) if req.method in falcon.HTTP_METHODS else ("other", shown(req.method))
        answered, took = self._counters.get((method, route, status)) or self._counter(method, route, status)
        answered.inc()
        if not getattr(req.context, "waited", False):
            took.observe(seconds)
        line = (
            f"request request_id={request_id} method={said} path={shown(shown_path(req.path))} "
            f"status={status} seconds={seconds:.3f} remote={shown(req.remote_addr)}"
        )
        caller: RequestContext | None = getattr(req.context, "caller", None)
        if caller is not None:
            if caller.user:
                line += f" user={shown(caller.user)}"
            if caller.end_user:
                line += f" end_user={shown(caller.end_user)}"
            if caller.marker:
                line += f" marker={caller.marker}"
        self._log.info(line)

    def _counter(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        counters = (
            self._metrics.requests.labels(method, route, str(status)),
            self._metrics.request_seconds.labels(method, route),
        )
        self._counters[method, route, status] = counters
        return counters
