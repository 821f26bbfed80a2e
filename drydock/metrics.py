"""Metric objects, declared once. No label per node, task or user: the number of series must not grow with the site."""

from __future__ import annotations

import logging
import os
from errno import EADDRINUSE

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from drydock.errors import ConfigurationError
from drydock.process_metrics import BuildInfo, ServerProcesses

#: Names the directory where several processes keep their numbers, if set before prometheus-client is first imported.
SHARED_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
#: Ports that are tried for a worker's metrics, from the configured one on.
PORTS = 10

LOG = logging.getLogger(__name__)


class Metrics:
    """The numbers of this process; with ``SHARED_DIRECTORY`` set, ``exposition`` adds up all that share it.

    ``component``: what the process is, as shown in ``drydock_build_info``.
    """

    component: str

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.unforeseen_errors = Counter(
            "drydock_unforeseen_errors",
            "Unforeseen errors; the log has their tracebacks.",
            ["where"],
            registry=self.registry,
        )
        self._shared = os.environ.get(SHARED_DIRECTORY)
        self._of_all: list[Collector] = []
        self.add(BuildInfo(self.component))
        self.add(ServerProcesses(self._shared) if self._shared else ProcessCollector(registry=None))

    def add(self, collector: Collector) -> None:
        """Numbers that are found out when they are asked for, and are the same whichever process is asked."""
        self._of_all.append(collector)
        if not self._shared:
            self.registry.register(collector)

    def exposition(self) -> bytes:
        """All numbers in Prometheus's text format."""
        if not self._shared:
            return generate_latest(self.registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        for collector in self._of_all:
            registry.register(collector)
        return generate_latest(registry)


class ApiMetrics(Metrics):
    component = "api"

    def __init__(self) -> None:
        super().__init__()
        self.requests = Counter(
            "drydock_http_requests", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self.request_seconds = Histogram(
            "drydock_http_request_seconds",
            "Time until an answer was ready; requests that waited for a change are not counted.",
            ["method", "route"],
            registry=self.registry,
        )
        self.waiting = Gauge(
            "drydock_http_waiting",
            "Requests kept waiting for a change of their task.",
            multiprocess_mode="livesum",
            registry=self.registry,
        )
        self.streams = Gauge(
            "drydock_http_streams",
            "Streams of a task's events that are open.",
            multiprocess_mode="livesum",
            registry=self.registry,
        )


class EngineMetrics(Metrics):
    component = "worker"

    def __init__(self) -> None:
        super().__init__()
        self.steps = Counter(
            "drydock_steps",
            "Steps run by the engine, by outcome.",
            ["action", "step", "outcome"],
            registry=self.registry,
        )
        self.step_seconds = Histogram(
            "drydock_step_seconds", "Time that steps took.", ["action", "step"], registry=self.registry
        )
        self.leases_lapsed = Counter(
            "drydock_leases_lapsed",
            "Leases that were found lapsed: their workers died, hung, or lost the database.",
            registry=self.registry,
        )
        self.tasks_ended = Counter(
            "drydock_tasks_ended",
            "Tasks that ended in this worker: kind is task for an operator's, node for a node's part of one.",
            ["action", "kind", "result"],
            registry=self.registry,
        )
        self.leases_lost = Counter(
            "drydock_leases_lost",
            "Steps of this worker whose outcome was not kept, as the lease had lapsed meanwhile.",
            registry=self.registry,
        )
        self.unknown_tasks = Gauge(
            "drydock_unknown_tasks",
            "Due tasks that this version does not know how to work on, and leaves alone.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )


def serve(metrics: Metrics, host: str, port: int) -> None:
    """Show a worker's metrics on ``port`` or, where another worker has it, on one of the next.

    Raises ``ConfigurationError`` where nothing can listen at all.
    """
    ports = range(port, min(port + PORTS, 65536))
    for candidate in ports:
        try:
            start_http_server(candidate, host, metrics.registry)
        except OSError as exc:
            if exc.errno == EADDRINUSE:
                continue
            raise ConfigurationError(
                f"[orchestrator] metrics_host: nothing can listen on {host} port {candidate}: {exc.strerror}"
            ) from exc
        if candidate != port:
            LOG.warning("[orchestrator] metrics_port %d is taken; this worker's metrics are on %d", port, candidate)
        return
    LOG.warning("[orchestrator] metrics_port: %d to %d are taken; this worker shows no metrics", port, ports[-1])
