"""Option types that oslo.config lacks. Their errors say what is accepted and never repeat the value."""

from __future__ import annotations

import ipaddress
import re
import ssl
from pathlib import Path

from oslo_config import types

from drydock.model.oob_parameters import is_template

_LABEL = r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)"
_NAME = re.compile(rf"(?=.{{1,253}}\.?$){_LABEL}(?:\.{_LABEL})*\.?", re.ASCII)
#: Characters of a path that need no quoting in a shell, a header or a URL.
_URL = re.compile(
    r"https?://(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?(?:/(?:[A-Za-z0-9._~:@+,=-]|%[0-9A-Fa-f]{2})*)*",
    re.ASCII,
)
_PATH = re.compile(r"(?:/[A-Za-z0-9._+@-]+)+", re.ASCII)


class Refused(ValueError):
    """The message says what is accepted; it holds no value."""


class HttpUrl(types.ConfigType):
    """An http or https URL of plain characters: a host, a port, a path; no user, query or fragment."""

    def __init__(self) -> None:
        super().__init__(type_name="URL")

    def __call__(self, value: object) -> str:
        text = str(value)
        found = _URL.fullmatch(text)
        if (
            found is None
            or not (is_host(found[2]) if found[2] else is_ipv6(found[1]))
            or not 0 < int(found[3] or 1) < 65536
        ):
            raise Refused(
                "must be a URL such as https://drydock.example.org/path: http or https, a host, perhaps a port, and a "
                "path of letters, digits and . _ ~ % : @ + , = -; no user, query or fragment"
            )
        return text

    def __repr__(self) -> str:
        return "HttpUrl"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HttpUrl)

    __hash__ = types.ConfigType.__hash__

    def _formatter(self, value: object) -> str:
        return str(value)


class Host(types.String):
    """An address, or a host's name."""

    def __call__(self, value: object) -> str:
        text = str(value)
        if not is_host(text):
            raise Refused("must be an address or a host's name, without a scheme or a port")
        return text


class HostEntry(types.String):
    """An entry of a list of hosts: a name, ``*.suffix``, an address, a CIDR, or ``*``."""

    def __call__(self, value: object) -> str:
        text = str(value).strip()
        if text != "*" and not is_host(text.removeprefix("*.")) and not is_network(text):
            raise Refused("each entry must be a host's name, *.SUFFIX, an address, a CIDR, or *; no scheme, no port")
        return text


class AddressEntry(types.String):
    """An address or a CIDR, with ``!`` to forbid it, or ``*``."""

    def __call__(self, value: object) -> str:
        text = str(value).strip()
        if text != "*" and not is_network(text.removeprefix("!")):
            raise Refused("each entry must be an address or a CIDR, with ! before one that is forbidden, or *")
        return text


class Directory(types.String):
    def __call__(self, value: object) -> str:
        text = str(value)
        if not Path(text).is_absolute() or not Path(text).is_dir():
            raise Refused("each entry must be an existing directory, as an absolute path")
        return text


class NodePath(types.String):
    """Path of a file on a machine; empty: none."""

    def __call__(self, value: object) -> str:
        text = str(value)
        if text and (not _PATH.fullmatch(text) or {".", ".."} & set(text.split("/"))):
            raise Refused("must be an absolute path of plain characters, such as /usr/local/bin/drydock-report")
        return text


class Certificates(types.String):
    """A file of certificates to trust; empty: the default ones."""

    def __call__(self, value: object) -> str:
        text = str(value)
        if text:
            refuse_bad_certificates(text)
        return text


class Template(types.String):
    """Text with the fields ``{address}`` and ``{node}``; ``url``: the result must be a URL."""

    def __init__(self, *, url: bool = False) -> None:
        super().__init__()
        self._url = HttpUrl() if url else None

    def __call__(self, value: object) -> str:
        text = str(value)
        if not is_template(text):
            raise Refused("must be a template with no fields but {address} and {node}")
        if self._url is not None:
            self._url(text.format(address="192.0.2.1", node="n01"))
        return text


def refuse_bad_certificates(path: str) -> None:
    """Raises ``Refused`` unless ``path`` is a file of certificates that can be read."""
    try:
        ssl.create_default_context(cafile=path)
    except FileNotFoundError:
        raise Refused("the file does not exist") from None
    except PermissionError:
        raise Refused("this process's user may not read the file") from None
    except (OSError, ValueError):  # ssl.SSLError is an OSError
        raise Refused("the file has no certificates in PEM format") from None


def is_host(text: str) -> bool:
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        # Digits and dots that are not an address are not a name either.
        return bool(_NAME.fullmatch(text)) and not re.fullmatch(r"[\d.]+", text)
    return True


def is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
