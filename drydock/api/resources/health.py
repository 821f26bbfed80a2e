"""/health, /health/extended, /metrics. Nothing here writes."""

from __future__ import annotations

import falcon
from prometheus_client import CONTENT_TYPE_LATEST

from drydock.api.head import WithHead
from drydock.api.reply import reply_json
from drydock.api.views.health import health_view
from drydock.metrics import ApiMetrics
from drydock.orchestrator.services.health import Health


class HealthResource(WithHead):
    def __init__(self, health: Health) -> None:
        self._health = health

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        self._health.ping()
        resp.status = falcon.HTTP_204


class ExtendedHealthResource(WithHead):
    def __init__(self, health: Health) -> None:
        self._health = health

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        view = health_view(self._health.dependencies())
        reply_json(resp, view, status=view["code"])


class MetricsResource(WithHead):
    def __init__(self, metrics: ApiMetrics) -> None:
        self._metrics = metrics

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = CONTENT_TYPE_LATEST
        resp.data = self._metrics.exposition()
