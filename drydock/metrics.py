"""Metric objects, declared once. No label per node, task or user: the number of series must not grow with the site."""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

#: Where prometheus-client keeps the numbers of several processes, if it was set before it was first imported.
SHARED_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"


class Metrics:
    """The numbers of this process; with ``SHARED_DIRECTORY`` set, ``exposition`` adds up all that share it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "drydock_http_requests",
            "Requests answered, by route template.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.request_seconds = Histogram(
            "drydock_http_request_seconds",
            "Time until the answer was ready, by route template; waiting requests not included.",
            ["method", "route"],
            registry=self.registry,
        )
        self.waiting = Gauge(
            "drydock_http_waiting",
            "Requests kept waiting for a change of their task.",
            multiprocess_mode="livesum",
            registry=self.registry,
        )
        self.steps = Counter(
            "drydock_steps",
            "Steps run by the engine, by outcome.",
            ["action", "step", "outcome"],
            registry=self.registry,
        )
        self.step_seconds = Histogram(
            "drydock_step_seconds", "Time that steps took.", ["action", "step"], registry=self.registry
        )
        self.unforeseen_errors = Counter(
            "drydock_unforeseen_errors",
            "Errors nobody expected; the log has their tracebacks.",
            ["where"],
            registry=self.registry,
        )

    def exposition(self) -> bytes:
        """All numbers in Prometheus's text format."""
        if os.environ.get(SHARED_DIRECTORY):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
            return generate_latest(registry)
        return generate_latest(self.registry)
