"""An engine of a worker, put together for a test, in a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from drydock.metrics import EngineMetrics
from drydock.orchestrator.engine.engine import Engine, EngineSettings
from drydock.orchestrator.engine.leases import Leases
from drydock.orchestrator.engine.step_runner import StepRunner
from drydock.orchestrator.workflows.table import WORKFLOWS
from tests.orchestrator.world import Timeouts, World

SETTINGS: Mapping[str, Any] = {"slots": 4, "task_slots": 2, "watch_batch": 500, "poll_interval": 0.2}


def make_engine(
    world: World,
    *,
    runner: type[StepRunner] = StepRunner,
    metrics: EngineMetrics | None = None,
    lease_seconds: float = 30.0,
    owner: str | None = None,
    **settings: float,
) -> Engine:
    """``settings``: what is not as in ``SETTINGS``."""
    metrics = metrics or EngineMetrics()
    stopping = threading.Event()
    leases = Leases(world.database, owner or world.owner, seconds=lease_seconds, stopping=stopping)
    made = runner(world.services, WORKFLOWS, Timeouts(), metrics, stopping.is_set, leases.clock.certainly_ours)
    return Engine(world.database, made, leases, EngineSettings(**{**SETTINGS, **settings}), metrics, stopping)


@contextmanager
def running(engine: Engine) -> Iterator[threading.Thread]:
    """Stopped at the end; its thread must end then."""
    thread = threading.Thread(target=engine.run)
    thread.start()
    try:
        yield thread
    finally:
        engine.stop()
        thread.join(timeout=60)
        assert not thread.is_alive()
