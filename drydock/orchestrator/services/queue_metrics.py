"""The queue's numbers for Prometheus: how much work, how old, how many workers, and whether the database answers.

They come from the database, so that an alarm can be raised when no worker is there to raise it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from drydock.db.database import Database
from drydock.model.queue import LaneNumbers
from drydock.single_flight import SingleFlight

LOG = logging.getLogger(__name__)

#: However often they are asked for, the database is asked this often by one process.
REMEMBERED_SECONDS = 5.0
#: Longer than this a scrape does not wait for the database.
PATIENCE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class _Numbers:
    at: float
    workers: int
    lanes: Sequence[LaneNumbers]


class QueueMetrics(Collector):
    def __init__(self, database: Database) -> None:
        self._database = database
        self._reading: SingleFlight[str, _Numbers] = SingleFlight()
        self._known: _Numbers | None = None

    def collect(self) -> Iterable[Metric]:
        numbers = self._numbers()
        yield GaugeMetricFamily(
            "drydock_database_up", "Whether the database answered the API.", value=0 if numbers is None else 1
        )
        if numbers is None:
            return
        yield GaugeMetricFamily("drydock_workers", "Workers that are alive.", value=numbers.workers)
        tasks = GaugeMetricFamily(
            "drydock_queue_tasks",
            "Open tasks and nodes' parts of them: leased to a worker, due, or waiting for their time.",
            labels=["lane", "state"],
        )
        oldest = GaugeMetricFamily(
            "drydock_queue_oldest_seconds", "How long the oldest of those that are due has been so.", labels=["lane"]
        )
        for lane in numbers.lanes:
            for state in ("leased", "due", "waiting"):
                tasks.add_metric([lane.lane, state], getattr(lane, state))
            oldest.add_metric([lane.lane], lane.oldest)
        yield tasks
        yield oldest

    def _numbers(self) -> _Numbers | None:
        known = self._known
        if known is not None and time.monotonic() - known.at < REMEMBERED_SECONDS:
            return known
        asked = self._reading.start("queue", self._read)
        try:
            failed = asked.exception(timeout=PATIENCE_SECONDS)
        except TimeoutError:
            return None
        if failed is not None:
            # Whatever it is, such as a schema that is not there: other numbers must be shown all the same.
            LOG.warning("the queue's numbers cannot be read: %s", type(failed).__name__)
            return None
        self._known = asked.result()
        return self._known

    def _read(self) -> _Numbers:
        with self._database.statements() as statements:
            return _Numbers(time.monotonic(), statements.workers.alive(), statements.queue_numbers())
