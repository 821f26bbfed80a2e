"""Serves the site from gunicorn with one worker process, which holds all machines."""

from __future__ import annotations

import pathlib
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import falcon
from gunicorn.app.base import BaseApplication

from drydock.simulator.app import create_app
from drydock.simulator.delays import Delays, Dice
from drydock.simulator.exchange import NodeHttp
from drydock.simulator.images import IMAGES
from drydock.simulator.installation import Installation
from drydock.simulator.life import Life
from drydock.simulator.reporting import Reporting
from drydock.simulator.scheduler import Scheduler
from drydock.simulator.site import Site


@dataclass(frozen=True, slots=True)
class Plan:
    """A site to simulate. ``threads``: for requests of machines, and as many again for requests to them."""

    directory: pathlib.Path
    machines: tuple[str, ...] = ()
    on_demand: bool = False
    delays: Delays = field(default_factory=Delays)
    seed: int | None = None
    faults: Mapping[str, Iterable[str]] = field(default_factory=dict)
    images: Mapping[str, Sequence[str]] = field(default_factory=lambda: IMAGES)
    bmc_credentials: tuple[str, str] | None = field(default=None, repr=False)
    threads: int = 32


def build(plan: Plan) -> tuple[falcon.App[falcon.Request, falcon.Response], Scheduler]:
    """Build the site. Does not start the scheduler."""
    site = Site(plan.directory, on_demand=plan.on_demand, faults=plan.faults, images=plan.images)
    for name in plan.machines:
        site.add(name)
    scheduler = Scheduler(plan.threads)
    life = Life(scheduler, plan.delays, Dice(plan.seed))
    http = NodeHttp()
    life.install = Installation(life, http).finish
    reporting = Reporting(life, http)
    life.come_up, life.failed = reporting.come_up, reporting.fail
    return create_app(site, life, bmc_credentials=plan.bmc_credentials), scheduler


class Server(BaseApplication):  # type: ignore[misc]
    """``timeout`` is 0: killing a slow worker would lose the whole site."""

    def __init__(self, plan: Plan, listener: socket.socket) -> None:
        self._plan = plan
        self._listener = listener
        self._stop: Callable[[], None] = _nothing
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._settings().items():
            self.cfg.set(name, value)

    def load(self) -> falcon.App[falcon.Request, falcon.Response]:
        """Called in the worker: threads do not survive the fork."""
        app, scheduler = build(self._plan)
        scheduler.start()
        self._stop = scheduler.stop
        return app

    def _settings(self) -> dict[str, Any]:
        return {
            "bind": [f"fd://{self._listener.fileno()}"],
            "worker_class": "gthread",
            "workers": 1,
            "threads": self._plan.threads,
            "timeout": 0,
            "graceful_timeout": 1,
            "keepalive": 75,
            "loglevel": "warning",
            "control_socket_disable": True,
            "proc_name": "drydock-simulator",
            "worker_exit": lambda _server, _worker: self._stop(),
        }


def _nothing() -> None:
    """There is nothing to stop yet."""
