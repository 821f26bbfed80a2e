"""The service's options. ``load`` makes a private ``ConfigOpts``: nothing is read, or kept, at import."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import NamedTuple

from oslo_config import cfg

from drydock.conf import api, bootaction, database, design, drivers, log, orchestrator
from drydock.conf.driver_options import driver_groups
from drydock.conf.reading import read_files, read_values
from drydock.conf.sources import Sources
from drydock.errors import ConfigurationError

#: Read if it exists and neither --config-file nor DRYDOCK_CONFIG_FILE is given.
DEFAULT_FILE = "/etc/drydock/drydock.conf"


def list_opts() -> list[tuple[str, Sequence[cfg.Opt]]]:
    """Every option by group, those of all installed drivers too; also the entry point of the sample generator.

    Raises ``ConfigurationError`` for options of a driver that cannot be loaded.
    """
    before: list[tuple[str, Sequence[cfg.Opt]]] = [
        ("DEFAULT", log.DEFAULT_OPTS),
        ("log", log.LOG_OPTS),
        ("api", api.API_OPTS),
        ("auth", api.AUTH_OPTS),
        ("database", database.OPTS),
        ("drivers", drivers.DRIVERS_OPTS),
    ]
    after: list[tuple[str, Sequence[cfg.Opt]]] = [
        ("bootaction", bootaction.OPTS),
        ("design", design.DESIGN_OPTS),
        ("references", design.REFERENCES_OPTS),
        ("orchestrator", orchestrator.ORCHESTRATOR_OPTS),
        ("timeouts", orchestrator.TIMEOUTS_OPTS),
    ]
    return [*before, *driver_groups([group for group, _ in (*before, *after)]).items(), *after]


def load(args: Sequence[str] = (), env: Mapping[str, str] | None = None) -> cfg.ConfigOpts:
    """Options from files, then the environment.

    ``args`` as after a program's name (``--config-file FILE``, repeatable). ``env``, by default the process's, gives
    ``DRYDOCK_CONFIG_FILE`` and ``DRYDOCK_DATABASE_URL``. Any option is also overridden by the process's variable
    ``OS_<GROUP>__<OPTION>``, which oslo.config reads. Raises ``ConfigurationError`` that names the option, the
    file or variable, and the values it accepts; never a value.
    """
    environ = os.environ if env is None else env
    conf = cfg.ConfigOpts()
    groups = list_opts()
    for group, options in groups:
        conf.register_opts(options, group=None if group == "DEFAULT" else group)
    read_files(conf, args, _default_files(environ))
    if url := environ.get("DRYDOCK_DATABASE_URL"):
        # Not interpolated: in a file, $ begins the name of another option.
        conf.set_override("url", url.replace("$", "$$"), group="database")
    read_values(conf, dict(groups), Sources(conf, os.environ))
    return conf


def _default_files(environ: Mapping[str, str]) -> list[str]:
    named = environ.get("DRYDOCK_CONFIG_FILE")
    if named:
        return [named]
    return [DEFAULT_FILE] if os.path.exists(DEFAULT_FILE) else []


def boot_secrets(conf: cfg.ConfigOpts) -> tuple[bytes, ...]:
    """``[bootaction] secrets`` as bytes, the signing one first. Raises ``ConfigurationError``, never naming a value."""
    texts: list[str] = conf.bootaction.secrets
    if not texts:
        raise ConfigurationError(
            "[bootaction] secrets: is empty; make a secret with drydock-manage new-secret, the same for API and workers"
        )
    for position, text in enumerate(texts, start=1):
        if len(text) % 2 or not re.fullmatch(r"[0-9a-fA-F]{32,}", text):
            raise ConfigurationError(
                f"[bootaction] secrets: number {position} is not made of at least 32 hexadecimal digits, of even "
                "number; make one with drydock-manage new-secret"
            )
    return tuple(bytes.fromhex(text) for text in texts)


class Address(NamedTuple):
    host: str
    port: int


def node_listener(conf: cfg.ConfigOpts) -> Address | None:
    """``[api] node_listen``, if it is set. Raises ``ConfigurationError``."""
    text: str | None = conf.api.node_listen
    if not text:
        return None
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([\w.-]+)):(\d{1,5})", text, re.ASCII)
    if found is None or not 0 < int(found[3]) < 65536:
        raise ConfigurationError("[api] node_listen: must be HOST:PORT, such as 192.0.2.1:9001 or [2001:db8::1]:9001")
    if int(found[3]) == conf.api.port:
        raise ConfigurationError("[api] node_listen: needs another port than [api] port")
    return Address(found[1] or found[2], int(found[3]))


def public_url(conf: cfg.ConfigOpts) -> str | None:
    """``[api] public_url`` without a slash at its end, None unless set. Raises ``ConfigurationError``."""
    text: str | None = conf.api.public_url
    if not text:
        return None
    if not re.fullmatch(r"https?://(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(:\d{1,5})?(/[\w.~-]+)*/?", text, re.ASCII):
        raise ConfigurationError("[api] public_url: must be http(s)://HOST[:PORT][/PATH], without a query")
    return text.rstrip("/")


def trusted_proxies(conf: cfg.ConfigOpts) -> tuple[IPv4Network | IPv6Network, ...]:
    """``[api] trusted_proxies``. Raises ``ConfigurationError``."""
    try:
        return tuple(ip_network(text, strict=False) for text in conf.api.trusted_proxies)
    except ValueError as exc:
        raise ConfigurationError(f"[api] trusted_proxies: {exc}") from exc


def max_waiting(conf: cfg.ConfigOpts) -> int:
    """``[api] max_waiting``, or half of the threads."""
    chosen: int | None = conf.api.max_waiting
    return conf.api.threads // 2 if chosen is None else chosen
