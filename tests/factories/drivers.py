"""Drivers with the defaults of their options, but for what a test changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from oslo_config import cfg

from drydock.conf.drivers import IPMI_OPTS, LIBVIRT_OPTS, REDFISH_OPTS
from drydock.drivers.oob.redfish import RedfishDriver

if TYPE_CHECKING:
    from drydock.drivers.oob.ipmi import IpmiDriver
    from drydock.drivers.oob.libvirt import LibvirtDriver


def defaults(options: Sequence[cfg.Opt], **changes: Any) -> dict[str, Any]:
    return {**{option.dest: option.default for option in options}, **changes}


def redfish_driver(**changes: Any) -> RedfishDriver:
    return RedfishDriver.from_options(defaults(REDFISH_OPTS, **changes))


def ipmi_driver(**changes: Any) -> IpmiDriver:
    """Needs pyghmi."""
    from drydock.drivers.oob.ipmi import IpmiDriver

    return IpmiDriver.from_options(defaults(IPMI_OPTS, **changes))


def libvirt_driver(**changes: Any) -> LibvirtDriver:
    """Needs libvirt-python."""
    from drydock.drivers.oob.libvirt import LibvirtDriver

    return LibvirtDriver.from_options(defaults(LIBVIRT_OPTS, **changes))
