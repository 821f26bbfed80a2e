"""The composition root: the only module that reads options and knows every other."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oslo_config import cfg

from drydock import auth
from drydock.api.addresses import Addresses
from drydock.api.app import create_app
from drydock.api.limits import Limits
from drydock.auth.health import checks as auth_checks
from drydock.auth.service_session import service_session
from drydock.bootaction.preparation import BootPreparation, BootSettings
from drydock.bootaction.render import TemplateLimits
from drydock.conf import boot_secrets, max_waiting, public_url, trusted_proxies
from drydock.conf.api import MAX_EVENT_BYTES
from drydock.conf.design import token_hosts
from drydock.db.database import Database
from drydock.db.engine import connect
from drydock.design.loader import DesignLoader
from drydock.drivers.labels.base import NodeLabels
from drydock.drivers.labels.promenade import PromenadeLabels
from drydock.drivers.node.base import NodeProvisioner
from drydock.drivers.registry import load_node_provisioner, load_oob_drivers
from drydock.errors import ConfigurationError
from drydock.metrics import Metrics
from drydock.metrics import serve as serve_metrics
from drydock.orchestrator.engine.engine import Engine, EngineSettings, worker_name
from drydock.orchestrator.engine.presence import Presence
from drydock.orchestrator.engine.step_runner import StepRunner
from drydock.orchestrator.services.boot_actions import BootService
from drydock.orchestrator.services.changes import ChangeWaiter
from drydock.orchestrator.services.designs import DesignService
from drydock.orchestrator.services.health import Health
from drydock.orchestrator.services.images import ImageCatalogue
from drydock.orchestrator.services.machines import MachineService, ScriptSettings
from drydock.orchestrator.services.queue_metrics import QueueMetrics
from drydock.orchestrator.services.retention import PeriodicRetention
from drydock.orchestrator.services.tasks import TaskService
from drydock.orchestrator.workflows.table import WORKFLOWS
from drydock.orchestrator.workflows.workflow import StepServices
from drydock.policy import Policy
from drydock.references.reference_cache import ReferenceCache
from drydock.references.references import References
from drydock.references.retries import Retries
from drydock.references.service_token import NoTokens, ServiceTokens, TokenSource

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


@dataclass(frozen=True, slots=True)
class _Shared:
    """What both processes, API and worker, are made of."""

    database: Database
    designs: DesignService
    references: References
    provisioner: NodeProvisioner


def build_engine(conf: cfg.ConfigOpts) -> Engine:
    """The worker's engine. Raises ``ConfigurationError``."""
    shared = _shared(
        conf, pool_size=conf.orchestrator.slots + conf.orchestrator.task_slots + 4, application_name="drydock-worker"
    )
    services = StepServices(
        database=shared.database,
        designs=shared.designs,
        boot=BootPreparation(_boot_settings(conf), shared.references.fetch),
        provisioner=shared.provisioner,
        oob_drivers=load_oob_drivers(conf.drivers.oob or (), _driver_options(conf)),
        labels=_labels(conf),
        observe_seconds=conf.orchestrator.observe_interval,
        start_rate=conf.orchestrator.start_rate,
        deployment_places=conf.orchestrator.deployment_places,
    )
    metrics = Metrics("worker")
    if conf.orchestrator.metrics_port:
        serve_metrics(metrics, conf.orchestrator.metrics_host, conf.orchestrator.metrics_port)
    settings = EngineSettings(
        slots=conf.orchestrator.slots,
        task_slots=conf.orchestrator.task_slots,
        watch_batch=conf.orchestrator.watch_batch,
        poll_interval=conf.orchestrator.poll_interval,
        lease_seconds=conf.orchestrator.lease_seconds,
    )
    timeouts = {name: minutes * 60.0 for name, minutes in conf.timeouts.items()}
    return Engine(
        shared.database,
        lambda stopping, ours: StepRunner(services, WORKFLOWS, timeouts, metrics, stopping, ours),
        settings,
        owner=worker_name(),
    )


def build_retention(conf: cfg.ConfigOpts) -> PeriodicRetention:
    """What deletes old tasks in a worker, on a connection of its own."""
    engine = connect(conf.database.url, pool_size=1, max_overflow=0, application_name="drydock-retention")
    return PeriodicRetention(Database(engine), days=conf.orchestrator.retention_days)


def build_presence(conf: cfg.ConfigOpts) -> Presence:
    """What tells others that a worker lives, on a connection of its own."""
    engine = connect(conf.database.url, pool_size=1, max_overflow=0, application_name="drydock-presence")
    return Presence(Database(engine))


def _labels(conf: cfg.ConfigOpts) -> NodeLabels | None:
    if not conf.promenade.url:
        return None
    session = service_session(conf)
    if session is None:
        raise ConfigurationError("[promenade] url is set, but [keystone_authtoken] has no credentials to ask it with")
    return PromenadeLabels(session, url=conf.promenade.url, timeout=conf.promenade.timeout)


def build_application(conf: cfg.ConfigOpts) -> WSGIApplication:
    """The API: node-route bypass > Keystone > Falcon. Raises ``ConfigurationError``."""
    shared = _shared(conf, pool_size=conf.database.pool_size, application_name="drydock-api")
    metrics = Metrics("api")
    metrics.add(QueueMetrics(shared.database))
    app = create_app(
        orchestrator=TaskService(
            shared.database, shared.provisioner, ChangeWaiter(shared.database), guard=conf.orchestrator.guard
        ),
        designs=shared.designs,
        machines=MachineService(shared.database, _script_settings(conf), hold_seconds=conf.api.node_hold_seconds),
        boot=BootService(shared.database, hold_seconds=conf.api.node_hold_seconds),
        health=Health(shared.database, {"provisioner": shared.provisioner.check, **auth_checks(conf)}),
        policy=Policy(conf),
        limits=Limits(
            max_body_bytes=conf.api.max_body_bytes,
            max_design_bytes=conf.api.max_design_bytes,
            max_event_bytes=MAX_EVENT_BYTES,
            max_wait_seconds=conf.api.max_wait_seconds,
            max_waiting=max_waiting(conf),
        ),
        metrics=metrics,
        addresses=Addresses(public_url(conf), trusted_proxies(conf)),
    )
    return auth.wrap(app, conf)


def _shared(conf: cfg.ConfigOpts, *, pool_size: int, application_name: str) -> _Shared:
    engine = connect(
        conf.database.url,
        pool_size=pool_size,
        max_overflow=conf.database.max_overflow,
        application_name=application_name,
    )
    database = Database(engine)

    def read_snapshot(digest: str) -> bytes:
        with database.unit_of_work() as uow:
            content = uow.designs.content(digest)
            uow.commit()
        return content

    references = _references(conf, read_snapshot)
    provisioner = load_node_provisioner(conf.drivers.node, _driver_options(conf).get(conf.drivers.node, {}))
    images = ImageCatalogue(provisioner, seconds=conf.design.images_seconds, patience=conf.design.images_patience)
    return _Shared(
        database=database,
        designs=DesignService(database, DesignLoader(references, cache_size=conf.design.cache_size), images),
        references=references,
        provisioner=provisioner,
    )


def _references(conf: cfg.ConfigOpts, read_snapshot: Callable[[str], bytes]) -> References:
    options = conf.references
    session = service_session(conf)
    tokens: TokenSource = NoTokens() if session is None else ServiceTokens(session, hosts=token_hosts(conf))
    return References(
        allowed_schemes=options.allowed_schemes,
        allowed_hosts=options.allowed_hosts,
        allowed_addresses=options.allowed_addresses,
        file_roots=options.file_roots,
        max_bytes=options.max_bytes,
        connect_timeout=options.connect_timeout,
        read_timeout=options.read_timeout,
        ca_file=options.ca_file,
        read_snapshot=read_snapshot,
        tokens=tokens,
        retries=Retries(times=options.retries, pause=options.retry_pause),
        cache=ReferenceCache(seconds=options.cache_seconds, max_bytes=options.cache_bytes),
    )


def _driver_options(conf: cfg.ConfigOpts) -> Mapping[str, Mapping[str, Any]]:
    return {name: dict(conf[name]) for name in ("redfish", "simulated")}


def _boot_settings(conf: cfg.ConfigOpts) -> BootSettings:
    return BootSettings(
        secrets=boot_secrets(conf),
        report_url=_with_slash(conf.bootaction.report_url),
        bootdata_url=_with_slash(conf.bootaction.bootdata_url),
        lifetime_hours=conf.bootaction.context_lifetime,
        limits=TemplateLimits(
            max_bytes=conf.bootaction.template_max_bytes, max_seconds=conf.bootaction.template_max_seconds
        ),
        fetches=conf.bootaction.parallel_fetches,
        renderers=min(conf.orchestrator.slots, max(4, 2 * len(os.sched_getaffinity(0)))),
        start_units=conf.bootaction.start_units,
        installer_events=conf.bootaction.installer_events,
        report_tool=conf.bootaction.report_tool,
    )


def _script_settings(conf: cfg.ConfigOpts) -> ScriptSettings:
    return ScriptSettings(
        bootdata_url=_with_slash(conf.bootaction.bootdata_url),
        report_url=_with_slash(conf.bootaction.report_url),
        start_units=conf.bootaction.start_units,
    )


def _with_slash(url: str) -> str:
    return url if url.endswith("/") else url + "/"
