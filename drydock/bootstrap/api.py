"""The API's process, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oslo_config import cfg

from drydock import auth
from drydock.api.addresses import Addresses
from drydock.api.app import create_app
from drydock.api.limits import Limits
from drydock.api.operations import TABLE
from drydock.api.paths import node_paths
from drydock.api.services import ApiServices
from drydock.auth.health import checks as auth_checks
from drydock.bootstrap.shared import build_shared, template_limits, with_slash
from drydock.conf import boot_secrets, max_waiting, public_url, trusted_proxies
from drydock.conf.api import MAX_EVENT_BYTES
from drydock.drivers.registry import NODE_DRIVERS, OOB_DRIVERS, names
from drydock.errors import ConfigurationError, InvalidInput
from drydock.metrics import ApiMetrics
from drydock.model.hardware_check import HardwareCheck
from drydock.model.rollout import PLAIN, Rollout, share_of
from drydock.orchestrator.services.boot_actions import BootService
from drydock.orchestrator.services.changes import ChangeWaiter
from drydock.orchestrator.services.hardware import HardwareService, finders
from drydock.orchestrator.services.health import Health
from drydock.orchestrator.services.machines import MachineService, ScriptSettings
from drydock.orchestrator.services.node_records import NodeRecords
from drydock.orchestrator.services.node_sections import NodeSections
from drydock.orchestrator.services.operator_holds import OperatorHoldService
from drydock.orchestrator.services.plan_application import PlanApplication
from drydock.orchestrator.services.plan_contents import ContentSettings, PlanContents
from drydock.orchestrator.services.plan_facts import FactsReader
from drydock.orchestrator.services.plan_site import SiteChanges
from drydock.orchestrator.services.plans import PlanService
from drydock.orchestrator.services.queue_metrics import QueueMetrics
from drydock.orchestrator.services.scope_check import ScopeCheck
from drydock.orchestrator.services.tasks import TaskService
from drydock.policy import Policy

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def build_application(conf: cfg.ConfigOpts) -> WSGIApplication:
    """The API: node-route bypass > Keystone > Falcon. Raises ``ConfigurationError``."""
    return application_of(build_services(conf), conf)


def application_of(services: ApiServices, conf: cfg.ConfigOpts) -> WSGIApplication:
    return auth.wrap(create_app(services), conf, node_paths(TABLE))


def build_services(conf: cfg.ConfigOpts) -> ApiServices:
    """Raises ``ConfigurationError``."""
    shared = build_shared(conf, pool_size=conf.database.pool_size, application_name="drydock-api")
    metrics = ApiMetrics()
    metrics.add(QueueMetrics(shared.database))
    rollout = _rollout(conf)
    sections = NodeSections(boot_secrets(conf))
    facts = FactsReader(
        shared.database,
        shared.designs,
        shared.provisioner,
        finders=finders(shared.provisioner.name, conf.drivers.oob or ()),
        hardware_check=HardwareCheck(conf.orchestrator.hardware_check),
    )
    hardware = HardwareService(shared.database, provisioner=shared.provisioner.name, oob_drivers=conf.drivers.oob or ())
    return ApiServices(
        tasks=TaskService(
            shared.database,
            shared.provisioner,
            ChangeWaiter(shared.database),
            ScopeCheck(shared.designs),
            PlanApplication(shared.database, shared.designs, facts, SiteChanges(shared.designs, sections)),
            guard=conf.orchestrator.guard,
            rollout=rollout,
        ),
        designs=shared.designs,
        plans=PlanService(
            shared.database,
            shared.designs,
            sections,
            facts,
            PlanContents(shared.database, shared.references.fetch_within, _content_settings(conf)),
            slots=conf.orchestrator.deployment_places,
            rollout=rollout,
        ),
        machines=MachineService(
            shared.database,
            _script_settings(conf),
            hold_seconds=conf.api.node_hold_seconds,
            reserved=_driver_names(conf, shared.provisioner.name),
        ),
        nodes=NodeRecords(shared.database, hardware, shared.provisioner),
        holds=OperatorHoldService(shared.database),
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


def _driver_names(conf: cfg.ConfigOpts, provisioner: str) -> frozenset[str]:
    """Of all that are installed: a driver may be configured later, or for the workers only."""
    return frozenset({provisioner, *(conf.drivers.oob or ()), *names(OOB_DRIVERS), *names(NODE_DRIVERS)})


def _rollout(conf: cfg.ConfigOpts) -> Rollout:
    """Raises ``ConfigurationError``."""
    options = conf.orchestrator
    value = {
        "waves": [share_of(wave) for wave in options.rollout_waves],
        "max_failed": share_of(options.rollout_max_failed) if options.rollout_max_failed else None,
        "pause": options.rollout_pause,
    }
    try:
        return Rollout.parse(value, PLAIN)
    except InvalidInput as exc:
        raise ConfigurationError(f"[orchestrator] {exc.message.replace('rollout.', 'rollout_')}") from exc


def _content_settings(conf: cfg.ConfigOpts) -> ContentSettings:
    return ContentSettings(
        secrets=boot_secrets(conf),
        limits=template_limits(conf),
        fetches=conf.bootaction.parallel_fetches,
        seconds=conf.references.plan_seconds,
    )


def _script_settings(conf: cfg.ConfigOpts) -> ScriptSettings:
    return ScriptSettings(
        bootdata_url=with_slash(conf.bootaction.bootdata_url),
        report_url=with_slash(conf.bootaction.report_url),
        start_units=conf.bootaction.start_units,
    )
