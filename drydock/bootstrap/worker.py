"""The worker's process, put together."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from functools import partial

from keystoneauth1.session import Session
from oslo_config import cfg

from drydock.auth.service_session import service_session
from drydock.bootaction.preparation import BootPreparation, BootSettings
from drydock.bootstrap.shared import build_shared, template_limits, with_slash
from drydock.conf import boot_secrets
from drydock.conf.driver_options import driver_options
from drydock.conf.drivers import label_driver
from drydock.db.database import Database
from drydock.db.engine import connect
from drydock.drivers.labels.base import NodeLabels
from drydock.drivers.registry import load_labels, load_oob_drivers
from drydock.errors import ConfigurationError
from drydock.metrics import EngineMetrics, serve
from drydock.model.hardware_check import HardwareCheck
from drydock.orchestrator.engine.engine import Engine, EngineSettings, worker_name
from drydock.orchestrator.engine.leases import Leases
from drydock.orchestrator.engine.presence import Presence
from drydock.orchestrator.engine.step_runner import StepRunner
from drydock.orchestrator.services.node_sections import NodeSections
from drydock.orchestrator.services.retention import PeriodicRetention
from drydock.orchestrator.workflows.table import WORKFLOWS
from drydock.orchestrator.workflows.workflow import StepServices


@dataclass(frozen=True, slots=True)
class MetricsServer:
    """Where a worker's numbers are shown; ``port`` 0: nowhere."""

    metrics: EngineMetrics
    host: str
    port: int

    def start(self) -> None:
        """Raises ``ConfigurationError`` where nothing can listen."""
        if self.port:
            serve(self.metrics, self.host, self.port)


@dataclass(frozen=True, slots=True)
class Worker:
    """The parts of a worker; none of them has started."""

    engine: Engine
    retention: PeriodicRetention
    presence: Presence
    metrics: MetricsServer


def build_worker(conf: cfg.ConfigOpts) -> Worker:
    """Raises ``ConfigurationError``."""
    metrics = EngineMetrics()
    return Worker(
        engine=_engine(conf, metrics),
        retention=_retention(conf),
        presence=_presence(conf),
        metrics=MetricsServer(metrics, conf.orchestrator.metrics_host, conf.orchestrator.metrics_port),
    )


def _engine(conf: cfg.ConfigOpts, metrics: EngineMetrics) -> Engine:
    services = _services(conf)
    stopping = threading.Event()
    leases = Leases(services.database, worker_name(), seconds=conf.orchestrator.lease_seconds, stopping=stopping)
    timeouts = {name: minutes * 60.0 for name, minutes in conf.timeouts.items()}
    runner = StepRunner(services, WORKFLOWS, timeouts, metrics, stopping.is_set, leases.clock.certainly_ours)
    settings = EngineSettings(
        slots=conf.orchestrator.slots,
        task_slots=conf.orchestrator.task_slots,
        watch_batch=conf.orchestrator.watch_batch,
        poll_interval=conf.orchestrator.poll_interval,
    )
    return Engine(services.database, runner, leases, settings, metrics, stopping)


def _services(conf: cfg.ConfigOpts) -> StepServices:
    shared = build_shared(
        conf, pool_size=conf.orchestrator.slots + conf.orchestrator.task_slots + 4, application_name="drydock-worker"
    )
    return StepServices(
        database=shared.database,
        designs=shared.designs,
        sections=NodeSections(boot_secrets(conf)),
        boot=BootPreparation(
            _boot_settings(conf), shared.references.fetch, partial(shared.references.fetch, present=True)
        ),
        provisioner=shared.provisioner,
        oob_drivers=load_oob_drivers(conf.drivers.oob or (), lambda name: driver_options(conf, name)),
        labels=_labels(conf),
        observe_seconds=conf.orchestrator.observe_interval,
        start_rate=conf.orchestrator.start_rate,
        deployment_slots=conf.orchestrator.deployment_places,
        hardware_check=HardwareCheck(conf.orchestrator.hardware_check),
    )


def _retention(conf: cfg.ConfigOpts) -> PeriodicRetention:
    """What deletes old tasks in a worker, on a connection of its own."""
    engine = connect(conf.database.url, pool_size=1, max_overflow=0, application_name="drydock-retention")
    return PeriodicRetention(Database(engine), days=conf.orchestrator.retention_days)


def _presence(conf: cfg.ConfigOpts) -> Presence:
    """Shows other processes that the worker is alive, on a connection of its own."""
    engine = connect(conf.database.url, pool_size=1, max_overflow=0, application_name="drydock-presence")
    return Presence(Database(engine))


def _labels(conf: cfg.ConfigOpts) -> NodeLabels | None:
    name = label_driver(conf)
    if name is None:
        return None

    def session() -> Session:
        found = service_session(conf)
        if found is None:
            raise ConfigurationError(f"{name} keeps labels, but [keystone_authtoken] has no credentials to ask it with")
        return found

    return load_labels(name, driver_options(conf, name), session)


def _boot_settings(conf: cfg.ConfigOpts) -> BootSettings:
    return BootSettings(
        secrets=boot_secrets(conf),
        report_url=with_slash(conf.bootaction.report_url),
        bootdata_url=with_slash(conf.bootaction.bootdata_url),
        lifetime_hours=conf.bootaction.context_lifetime,
        limits=template_limits(conf),
        fetches=conf.bootaction.parallel_fetches,
        renderers=min(conf.orchestrator.slots, max(4, 2 * len(os.sched_getaffinity(0)))),
        start_units=conf.bootaction.start_units,
        installer_events=conf.bootaction.installer_events,
        report_tool=conf.bootaction.report_tool,
    )
