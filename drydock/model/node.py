"""A machine of the site, with everything it inherited."""

from __future__ import annotations

from dataclasses import dataclass

from drydock.model.host_profile import HostProfile

STATIC = "static"
DHCP = "dhcp"


@dataclass(frozen=True, slots=True)
class Address:
    """``type`` is ``static``, or ``dhcp`` without an ``address``."""

    network: str
    type: str
    address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Node(HostProfile):
    """The effective node. ``domain`` is its primary network's; ``kernel_param_string`` the finished command line."""

    boot_mac: str | None = None
    addresses: tuple[Address, ...] = ()
    domain: str = "local"
    kernel_param_string: str = ""

    @property
    def fqdn(self) -> str:
        return f"{self.name}.{self.domain}"

    def static_address(self, network: str | None) -> str | None:
        """The first static address on ``network``, None if there is none."""
        for address in self.addresses:
            if address.network == network and address.type == STATIC:
                return address.address
        return None
