"""How a node's hypervisor is reached: by the URI of its design or of the options."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from drydock.drivers.oob.base import BmcAccess
from drydock.errors import ConfigurationError, DriverRefused
from drydock.model.oob_parameters import KNOWN, MOST_SECONDS, fault, in_url, is_template, seconds

DESIGN_SCHEMES = ("qemu+ssh", "qemu+libssh", "qemu+libssh2", "qemu+tls")
DESIGN_PARAMETERS = frozenset(
    {"keyfile", "known_hosts", "known_hosts_verify", "mode", "no_tty", "no_verify", "pkipath", "socket", "sshauth"}
)
"""NOTE: others (``command``, ``netcat``) make libvirt run programs here, which a design must not."""


@dataclass(frozen=True, slots=True)
class LibvirtOptions:
    """``uri`` and ``domain`` are templates with ``{address}`` and ``{node}``."""

    uri: str
    domain: str
    timeout: float

    def __post_init__(self) -> None:
        if not 0 < self.timeout <= MOST_SECONDS:
            raise ConfigurationError(f"libvirt: the option timeout must be between 0 and {MOST_SECONDS} seconds")
        for name in ("uri", "domain"):
            if not is_template(getattr(self, name)):
                raise ConfigurationError(f"libvirt: the option {name} is a template with {{address}} and {{node}}")


@dataclass(frozen=True, slots=True)
class Machine:
    uri: str
    domain: str
    timeout: float


def machine(options: LibvirtOptions, bmc: BmcAccess) -> Machine:
    """Raises ``DriverRefused``. No message has the URI: it may hold a password."""
    for key in KNOWN["libvirt"]:
        wrong = fault(key, bmc.parameters[key]) if key in bmc.parameters else ""
        if wrong:
            raise DriverRefused(f"the design's oob.{key} {wrong}")
    fields = {"address": bmc.address or "", "node": bmc.node}
    given = bmc.parameters.get("libvirt_uri")
    if given:
        _check(given)
    elif not options.uri:
        raise DriverRefused("the design gives no oob.libvirt_uri, and the option uri is empty")
    elif "{address}" in options.uri and not bmc.address:
        raise DriverRefused("the design gives the hypervisor no address")
    patience = seconds(bmc.parameters.get("timeout", ""))
    return Machine(
        given or options.uri.format(address=in_url(bmc.address or ""), node=bmc.node),
        bmc.parameters.get("domain", options.domain).format(**fields),
        options.timeout if patience is None else patience,
    )


def _check(uri: str) -> None:
    try:
        parts = urlsplit(uri)
        host = parts.hostname or ""
    except ValueError:
        raise DriverRefused("the design's oob.libvirt_uri is no URI") from None
    if parts.scheme not in DESIGN_SCHEMES or not host or host.startswith("-"):
        raise DriverRefused(f"the design's oob.libvirt_uri must have one of the schemes {', '.join(DESIGN_SCHEMES)}")
    unknown = sorted(parse_qs(parts.query, keep_blank_values=True).keys() - DESIGN_PARAMETERS)
    if unknown:
        raise DriverRefused(f"the design's oob.libvirt_uri may not have the parameters {', '.join(unknown):.100}")
