"""Metric objects, declared once. No label per node, task or user: the number of series must not grow with the site."""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

#: Names the directory where several processes keep their numbers, if set before prometheus-client is first imported.
SHARED_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"


class Metrics:
    """The numbers of this process; with ``SHARED_DIRECTORY`` set, ``exposition`` adds up all that share it."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self.requests = Counter(
            "drydock_http_requests", "Requests answered.", ["method", "route", "status"], registry=registry
        )
        self.request_seconds = Histogram(
            "drydock_http_request_seconds",
            "Time until an answer was ready; requests that waited for a change are not counted.",
            ["method", "route"],
            registry=registry,
        )
        self.waiting = Gauge(
            "drydock_http_waiting",
            "Requests kept waiting for a change of their task.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.streams = Gauge(
            "drydock_http_streams",
            "Streams of a task's events that are open.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.steps = Counter(
            "drydock_steps", "Steps run by the engine, by outcome.", ["action", "step", "outcome"], registry=registry
        )
        self.step_seconds = Histogram(
            "drydock_step_seconds", "Time that steps took.", ["action", "step"], registry=registry
        )
        self.leases_lapsed = Counter(
            "drydock_leases_lapsed",
            "Leases that were found lapsed: their workers died, hung, or lost the database.",
            registry=registry,
        )
        self.leases_lost = Counter(
            "drydock_leases_lost",
            "Steps of this worker whose outcome was not kept, as the lease had lapsed meanwhile.",
            registry=registry,
        )
        self.unknown_tasks = Gauge(
            "drydock_unknown_tasks",
            "Due tasks that this version does not know how to work on, and leaves alone.",
            registry=registry,
        )
        self.unforeseen_errors = Counter(
            "drydock_unforeseen_errors",
            "Errors nobody foresaw; the log has their tracebacks.",
            ["where"],
            registry=registry,
        )

    def exposition(self) -> bytes:
        """All numbers in Prometheus's text format."""
        if not os.environ.get(SHARED_DIRECTORY):
            return generate_latest(self.registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
