"""First part of every process: read the configuration, warn of suspicious settings, refuse invalid ones.

It runs before any fork: a mistake is one sentence and the end. Of the services that a process connects to, only
the database is checked, because an unsuitable one does not improve by waiting.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from urllib.parse import urlsplit

from oslo_config import cfg
from oslo_policy import opts as policy_opts

from drydock import conf, log
from drydock.auth import options as keystone
from drydock.auth.noauth import is_loopback, require_loopback
from drydock.conf.drivers import label_driver
from drydock.conf.reading import read_values
from drydock.conf.sources import Sources
from drydock.conf.unknown import suspicions
from drydock.db import start_check
from drydock.drivers import registry
from drydock.errors import ConfigurationError
from drydock.policy import Policy

LOG = logging.getLogger(__name__)
SIMULATED = "simulated"


class Process(Enum):
    API = "drydock-api"
    WORKER = "drydock-worker"


def start(process: Process, args: Sequence[str] = (), env: Mapping[str, str] | None = None) -> cfg.ConfigOpts:
    """The options of a process that may go on, with logging set up. Raises ``ConfigurationError``; ``args``, ``env``
    as for ``conf.load``."""
    options = conf.load(args, env)
    log.configure(debug=options.debug, form=options.log.format)
    checks = Checks(options)
    # Unknown settings first: one may be a misspelt option that is missing.
    for warning in checks.unread():
        LOG.warning(warning)
    checks.refuse(process)
    for warning in checks.doubts():
        LOG.warning(warning)
    start_check.check(options.database.url)
    return options


class Checks:
    def __init__(self, options: cfg.ConfigOpts) -> None:
        """Raises ``ConfigurationError`` for a value of a library's option that cannot be read."""
        self._conf = options
        self._known: dict[str, list[cfg.Opt]] = {group: list(members) for group, members in conf.list_opts()}
        self._sources = Sources(options, os.environ)
        self._libraries()

    def unread(self) -> Sequence[str]:
        """Settings that nothing reads, or that mean something else than they seem to; one sentence each."""
        return list(suspicions(self._sources, self._known))

    def refuse(self, process: Process) -> None:
        """Raises ``ConfigurationError`` for invalid settings."""
        self._naming("bootaction", "secrets", conf.boot_secrets)
        self._drivers(process)
        self._keystone(process)
        if process is Process.API:
            self._listeners()
            self._policy()
        elif self._conf.orchestrator.metrics_port:
            self._listens("orchestrator", "metrics_host", self._conf.orchestrator.metrics_host)

    def _libraries(self) -> None:
        """Register and read libraries' options like ours."""
        try:
            known = keystone.register(self._conf)
        except (cfg.Error, RecursionError):
            raise ConfigurationError(f"[{keystone.GROUP}] auth_type or auth_section cannot be read") from None
        for group, members in [*known.items(), *policy_opts.list_opts()]:
            self._conf.register_opts(members, group=group)
            self._known.setdefault(group, []).extend(members)
        read_values(self._conf, known, self._sources)

    def _place(self, group: str, name: str) -> str:
        option = next((each for each in self._known[group] if each.dest == name), None)
        return f"[{group}] {name}" if option is None else self._sources.place(group, option)

    def _naming(self, group: str, name: str, read: Callable[[cfg.ConfigOpts], object]) -> None:
        """Add to the message where the option is set."""
        try:
            read(self._conf)
        except ConfigurationError as exc:
            raise ConfigurationError(str(exc).replace(f"[{group}] {name}", self._place(group, name), 1)) from None

    def _drivers(self, process: Process) -> None:
        node, oob = self._conf.drivers.node, self._conf.drivers.oob
        provisioners, bmcs = registry.names(registry.NODE_DRIVERS), registry.names(registry.OOB_DRIVERS)
        if not node:
            raise ConfigurationError(
                f"{self._place('drivers', 'node')}: is not set; set it to the driver that installs machines, one of: "
                f"{', '.join(provisioners)} ({SIMULATED} is for development and installs nothing)"
            )
        if oob is None and process is Process.WORKER:
            raise ConfigurationError(
                f"{self._place('drivers', 'oob')}: is not set; list the drivers of your BMCs, of these: "
                f"{', '.join(bmcs)}; or set it to nothing"
            )
        self._known_names("node", [node], provisioners)
        self._known_names("oob", oob or (), bmcs)
        labels = label_driver(self._conf)
        self._known_names("labels", [labels] if labels else (), ["none", *registry.names(registry.LABEL_DRIVERS)])
        if labels == "promenade" and not self._conf.promenade.url:
            raise ConfigurationError(f"{self._place('promenade', 'url')}: is not set, but promenade is to keep labels")

    def _known_names(self, option: str, names: Sequence[str], there_are: Sequence[str]) -> None:
        for name in names:
            if name not in there_are:
                raise ConfigurationError(
                    f"{self._place('drivers', option)}: there is no driver {name!r}; use one of: {', '.join(there_are)}"
                )

    def _keystone(self, process: Process) -> None:
        """The API validates tokens; a worker gets one of its own, if credentials are configured."""
        needed = process is Process.API and self._conf.api.auth_strategy == "keystone"
        given = self._conf[keystone.plugin_group(self._conf)].auth_type
        if needed or given:
            keystone.check(self._conf, self._place)
        elif process is Process.WORKER and label_driver(self._conf) == "promenade":
            raise ConfigurationError(
                f"{self._place('promenade', 'url')}: is set, but [{keystone.GROUP}] has no credentials; set them"
            )

    def _listeners(self) -> None:
        if self._conf.api.auth_strategy == "noauth":
            require_loopback(self._conf.api.bind_host)
        self._listens("api", "bind_host", self._conf.api.bind_host)
        self._naming("api", "node_listen", conf.node_listener)
        if (nodes := conf.node_listener(self._conf)) is not None:
            self._listens("api", "node_listen", nodes.host)

    def _listens(self, group: str, name: str, host: str) -> None:
        """Check that ``host`` is an address of this machine. Ports are not checked: listening shows which are free."""
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind, protocol) as tried:
                tried.bind(address)
        except OSError as exc:
            raise ConfigurationError(f"{self._place(group, name)}: cannot listen there: {exc.strerror}") from None

    def _policy(self) -> None:
        place = self._place("oslo_policy", "policy_file")
        given = self._sources.find(
            "oslo_policy", next(o for o in self._known["oslo_policy"] if o.dest == "policy_file")
        )
        if given is not None and self._conf.find_file(self._conf.oslo_policy.policy_file) is None:
            raise ConfigurationError(f"{place}: the file does not exist; leave the option out for the default rules")
        try:
            Policy(self._conf)
        except ConfigurationError as exc:
            raise ConfigurationError(f"{place}: {exc}") from None

    def doubts(self) -> Sequence[str]:
        """Settings that are valid but probably a mistake."""
        doubts = []
        if self._conf.drivers.node == SIMULATED:
            doubts.append(
                "NO MACHINE WILL BE INSTALLED ([drivers] node = simulated): deployments go to the site that "
                f"drydock-simulator simulates at {self._conf.simulated.url}. For development only."
            )
        else:
            for name in ("report_url", "bootdata_url"):
                if is_loopback(urlsplit(self._conf.bootaction[name]).hostname or ""):
                    place = self._place("bootaction", name)
                    doubts.append(f"{place}: is a loopback address; set one at which machines reach this service")
        if conf.max_waiting(self._conf) >= self._conf.api.threads:
            doubts.append(
                f"{self._place('api', 'max_waiting')}: leaves no thread for machines; keep it below [api] threads"
            )
        return doubts
