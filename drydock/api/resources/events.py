"""/tasks/{task_id}/events: a task tree's changes as server-sent events."""

from __future__ import annotations

import falcon

from drydock.api.head import WithHead
from drydock.api.headers import LAST_EVENT_ID
from drydock.api.query import read_task_id
from drydock.api.requests import read_header
from drydock.api.streams import EventStreams
from drydock.api.views.events import read_position

EVENT_STREAM = "text/event-stream"


class EventsResource(WithHead):
    def __init__(self, streams: EventStreams) -> None:
        self._streams = streams

    def on_get(self, req: falcon.Request, resp: falcon.Response, task_id: str) -> None:
        after = read_position(read_header(req, LAST_EVENT_ID))
        resp.stream = self._streams.open(read_task_id(task_id), after)
        resp.content_type = EVENT_STREAM
        resp.cache_control = ["no-store"]
        # NOTE: nginx buffers what it proxies unless this header forbids it.
        resp.set_header("X-Accel-Buffering", "no")
