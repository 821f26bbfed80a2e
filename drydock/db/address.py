"""Turns ``[database] url`` into libpq's parameters.

The operator's parameters are kept; Drydock adds defaults. No part of a URL is ever shown: in a misspelt one, any part
may belong to the password.
"""

from __future__ import annotations

import configparser
import difflib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import parse_qsl, unquote

import psycopg2
import psycopg2.extensions

from drydock.db.prepared import is_conninfo, parameter_names
from drydock.errors import ConfigurationError

#: How soon a server that vanished is noticed: while connecting, waiting for an acknowledgement, listening.
DEFAULTS: Mapping[str, str] = {
    "connect_timeout": "3",
    "tcp_user_timeout": "6000",
    "keepalives_idle": "3",
    "keepalives_interval": "2",
    "keepalives_count": "3",
}
_PORT = "5432"
_NUMBERS = frozenset(DEFAULTS) | {"keepalives"}
_SCHEMES = frozenset({"postgresql", "postgres", "postgresql+psycopg2", "postgresql+psycopg"})
# The user name and the password as SQLAlchemy finds them.
_URL = re.compile(
    r"(?P<scheme>[\w+.-]+)://(?:(?P<user>[^:/]*)(?::(?P<password>[^@]*))?@)?(?P<hosts>[^/?]*)"
    r"(?:/(?P<database>[^?]*))?(?:\?(?P<query>.*))?",
    re.DOTALL,
)
_HOST = re.compile(r"(?:\[(?P<ipv6>[\w:.%]+)\]|(?P<name>[^:\[\]@]*))(?::(?P<port>.*))?")
_FORM = "postgresql://USER:PASSWORD@HOST:PORT/NAME"
_ENCODE = (
    "special characters in the user name and the password must be percent-encoded (@ is %40, : is %3A, / is %2F, "
    "? is %3F, # is %23, % is %25)"
)


def libpq_parameters(url: str, *, application_name: str) -> dict[str, str]:
    """Connection parameters by libpq's names. Raises ``ConfigurationError``, which shows no part of the URL."""
    parts = _URL.fullmatch(url.strip())
    if parts is None or parts["scheme"] not in _SCHEMES:
        raise _wrong(f"must begin with postgresql:// or postgresql+psycopg2://, as in {_FORM}")
    given = {
        "user": unquote(parts["user"] or ""),
        "password": unquote(parts["password"] or ""),
        **_hosts(parts["hosts"].split(",")),
        "dbname": _database(parts["database"] or ""),
        **_query(parts["query"] or ""),
    }
    parameters = {name: value for name, value in given.items() if value}
    _validate(parameters)
    service = _service(parameters)
    if not {"dbname", "service"} & set(parameters) and not {"PGDATABASE", "PGSERVICE"} & set(os.environ):
        raise _wrong(f"names no database, which {_FORM} does")
    environment = {name for name, variable in _VARIABLES.items() if os.environ.get(variable)}
    defaults = {name: value for name, value in DEFAULTS.items() if name not in environment}
    if "," in parameters.get("host", ""):
        # By default libpq takes the first server that answers, a standby included.
        defaults["target_session_attrs"] = "read-write"
    return {
        "fallback_application_name": application_name,
        **defaults,
        **{name: value for name, value in service.items() if name in DEFAULTS},
        **parameters,
        # Whatever the URL has: both drivers decode all text as UTF-8.
        "client_encoding": "UTF8",
    }


def asked_first(parameters: Mapping[str, str], host: str, port: int) -> dict[str, str]:
    """The same hosts, with the one that answered last first: a host that is down costs ``connect_timeout``."""
    hosts = parameters["host"].split(",")
    ports = parameters.get("port", "").split(",")
    pairs = list(zip(hosts, ports * len(hosts) if len(ports) == 1 else ports, strict=False))
    pairs.sort(key=lambda pair: (pair[0], pair[1] or _PORT) != (host, str(port)))
    return {**parameters, "host": ",".join(pair[0] for pair in pairs), "port": ",".join(pair[1] for pair in pairs)}


#: Environment variables of parameters that have a default here.
_VARIABLES: Mapping[str, str] = {"connect_timeout": "PGCONNECT_TIMEOUT"}


def _wrong(why: str) -> ConfigurationError:
    return ConfigurationError(f"[database] url: {why}")


def _hosts(texts: Iterable[str]) -> dict[str, str]:
    """``a:1``, ``b`` as libpq has them: two lists."""
    found = [_host(text) for text in texts]
    ports = [port for _, port in found]
    return {"host": ",".join(host for host, _ in found), "port": ",".join(ports) if any(ports) else ""}


def _host(text: str) -> tuple[str, str]:
    parts = _HOST.fullmatch(text)
    if parts is None:
        raise _wrong(f"the host cannot be read: {_ENCODE}")
    port = parts["port"] or ""
    if not re.fullmatch(r"\d{0,5}", port, re.ASCII):
        raise _wrong(f"the port is not a number, or {_ENCODE}")
    return parts["ipv6"] or unquote(parts["name"] or ""), port


def _database(text: str) -> str:
    if "@" in text or "/" in text:
        raise _wrong(f"the name of the database cannot be read: {_ENCODE}")
    return unquote(text)


def _query(text: str) -> dict[str, str]:
    """The last of each parameter; of ``host`` all, which may have ports: ``host=a:1&host=b:2``."""
    pairs = parse_qsl(text, keep_blank_values=True)
    parameters = dict(pairs)
    hosts = [host for name, value in pairs if name == "host" for host in value.split(",")]
    if any(re.fullmatch(r"(\[.*\]|[^:/\[\]]+):\d+", host) for host in hosts):
        parameters |= _hosts(hosts)
    elif hosts:
        parameters["host"] = ",".join(hosts)
    return parameters


def _validate(parameters: Mapping[str, str]) -> None:
    """Against the libpq of each driver."""
    known = parameter_names()
    for name, value in parameters.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
            meant = f" (did you mean {near[0]}?)" if near else ""
            raise _wrong(f"the part behind ? has a parameter that libpq does not know{meant}, or {_ENCODE}")
        if name == "port" and not all(re.fullmatch(r"\d{0,5}", port, re.ASCII) for port in value.split(",")):
            raise _wrong("the port is not a number")
        if name in _NUMBERS and not re.fullmatch(r"-?\d{1,9}", value, re.ASCII):
            raise _wrong(f"{name} is not a number")
    try:
        psycopg2.extensions.make_dsn(**parameters)
        readable = is_conninfo(parameters)
    except psycopg2.Error:
        readable = False
    if not readable:
        raise _wrong(f"libpq cannot read it: {_ENCODE}")


def _service(parameters: Mapping[str, str]) -> Mapping[str, str]:
    """The parameters of the service file: for libpq, our defaults would take precedence over them."""
    name = parameters.get("service") or os.environ.get("PGSERVICE")
    if not name:
        return {}
    file = Path(parameters.get("servicefile") or os.environ.get("PGSERVICEFILE") or Path.home() / ".pg_service.conf")
    reader = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=("#",), strict=False)
    try:
        reader.read(file)
        return dict(reader.items(name))
    except (configparser.Error, UnicodeDecodeError):
        # libpq reports what is wrong with the file.
        return {}
