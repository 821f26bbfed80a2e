"""Parameters in a node's ``oob`` for its driver, apart from network, account and credential."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from string import Formatter
from types import MappingProxyType

#: Known for every type of driver.
COMMON = ("type", "network", "account", "credential")
#: By type of driver; the parameters of other drivers are not known here.
KNOWN: Mapping[str, Collection[str]] = MappingProxyType(
    {
        "redfish": ("endpoint", "system", "verify_tls", "timeout"),
        "ipmi": ("port", "timeout"),
        "libvirt": ("libvirt_uri", "domain", "timeout"),
    }
)
MOST_SECONDS = 600
_FLAGS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def flag(text: str) -> bool | None:
    """None for a value that is neither true nor false."""
    return _FLAGS.get(text.strip().lower())


def seconds(text: str) -> float | None:
    """None unless it is a number of seconds in the allowed range."""
    try:
        found = float(text)
    except ValueError:
        return None
    return found if 0 < found <= MOST_SECONDS else None


def port(text: str) -> int | None:
    """None for what is no port."""
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) < 65536 else None


def is_template(text: str) -> bool:
    """Whether it has no other fields than ``{address}`` and ``{node}``, as they are: a width would be as many bytes."""
    try:
        fields = [(name, form, conversion) for _, name, form, conversion in Formatter().parse(text) if name is not None]
    except ValueError:
        return False
    return all(name in ("address", "node") and not form and conversion is None for name, form, conversion in fields)


def in_url(address: str) -> str:
    """An IPv6 address is in brackets there."""
    return f"[{address}]" if address.count(":") > 1 and not address.startswith("[") else address


def fault(key: str, text: str) -> str:
    """The error in the value of a key of ``KNOWN``; empty if it is valid."""
    if key == "verify_tls" and flag(text) is None:
        return "must be true or false"
    if key == "timeout" and seconds(text) is None:
        return f"must be a number of seconds, up to {MOST_SECONDS}"
    if key == "port" and port(text) is None:
        return "must be a port, 1 to 65535"
    if key in ("endpoint", "system", "domain") and not is_template(text):
        return "may have the fields {address} and {node}, and no others"
    if key == "endpoint" and not text.startswith(("http://", "https://")):
        return "must begin with http:// or https://"
    return ""
