"""Virtual machines of a hypervisor: the verbs. Connections are in ``libvirt_connector``, XML in ``libvirt_mapping``."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, Self

import libvirt

from drydock.drivers.oob import libvirt_mapping as mapping
from drydock.drivers.oob.base import BmcAccess, BootDevice, BootMode, OobCapabilities, PowerState
from drydock.drivers.oob.driver_values import known_values
from drydock.drivers.oob.libvirt_connector import LibvirtConnector
from drydock.drivers.oob.libvirt_uris import LibvirtOptions
from drydock.drivers.oob.power_requests import waits
from drydock.drivers.progress import Progress, succeeded
from drydock.model.hardware_facts import HardwareFacts

VALUES: Mapping[str, type | tuple[type, ...]] = {"uri": str, "domain": str, "timeout": (int, float)}


class LibvirtDriver:
    name = "libvirt"
    capabilities = OobCapabilities(boot_devices=frozenset(mapping.BOOT_NAMES), boot_modes=frozenset(), by_hand=False)

    def __init__(self, *, uri: str, domain: str, timeout: float) -> None:
        """``timeout``: seconds for each verb. Raises ``ConfigurationError``."""
        self._connector = LibvirtConnector(LibvirtOptions(uri, domain, timeout))

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Self:
        return cls(**known_values("libvirt", VALUES, options))

    def power_state(self, bmc: BmcAccess) -> PowerState:
        return self._connector.converse(bmc, "power_state", _power)

    def power_on(self, bmc: BmcAccess) -> Progress:
        return self._connector.converse(bmc, "power_on", _switch_on)

    def power_off(self, bmc: BmcAccess) -> Progress:
        return self._connector.converse(bmc, "power_off", _switch_off)

    def set_boot_device(self, bmc: BmcAccess, device: BootDevice, mode: BootMode | None) -> Progress:
        return self._connector.converse(bmc, "set_boot_device", lambda domain: _boot_next(domain, device))

    def facts(self, bmc: BmcAccess) -> HardwareFacts:
        return self._connector.converse(bmc, "facts", _facts)


def _power(domain: Any) -> PowerState:
    return mapping.STATES.get(domain.state()[0], PowerState.UNKNOWN)


def _switch_on(domain: Any) -> Progress:
    state = domain.state()[0]
    if state == libvirt.VIR_DOMAIN_PAUSED:
        domain.resume()
    elif state == libvirt.VIR_DOMAIN_PMSUSPENDED:
        domain.pMWakeup(0)
    elif _power(domain) is not PowerState.ON:
        if domain.isActive():
            # It has crashed and was kept for a look at its memory.
            domain.destroy()
        _discard_saved(domain)
        domain.create()
    _forget_past_boot(domain)
    return succeeded() if _power(domain) is PowerState.ON else waits(PowerState.ON)


def _discard_saved(domain: Any) -> None:
    """A domain that was saved would go on where it was: with the memory and the boot order of then."""
    # NOTE: not VIR_DOMAIN_START_FORCE_BOOT, which some hypervisors refuse, also of a domain that was not saved.
    try:
        saved = domain.hasManagedSaveImage(0)
    except libvirt.libvirtError as exc:
        if exc.get_error_code() != libvirt.VIR_ERR_NO_SUPPORT:
            raise
        return
    if saved:
        domain.managedSaveRemove(0)


def _switch_off(domain: Any) -> Progress:
    if domain.isActive():
        _forget_past_boot(domain)
        domain.destroy()
    return succeeded() if _power(domain) is PowerState.OFF else waits(PowerState.OFF)


def _boot_next(domain: Any, device: BootDevice) -> Progress:
    xml = _defined(domain)
    asked, running = mapping.boots_next(xml), _running(domain)
    if asked is None or asked[0] != mapping.BOOT_NAMES[device] or asked == running:
        domain.connect().defineXML(mapping.with_next(xml, device))
    return succeeded()


def _forget_past_boot(domain: Any) -> None:
    """Once: the boot order that the running machine was started with is not that of its next start."""
    xml = _defined(domain)
    asked = mapping.boots_next(xml)
    if asked is not None and asked == _running(domain):
        domain.connect().defineXML(mapping.without_next(xml))


def _facts(domain: Any) -> HardwareFacts:
    xml = _defined(domain)
    sizes = {}
    for target in mapping.disk_targets(xml):
        with contextlib.suppress(libvirt.libvirtError):
            sizes[target] = int(domain.blockInfo(target)[0])
    return mapping.facts(xml, sizes)


def _defined(domain: Any) -> str:
    flags = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
    return str(domain.XMLDesc(flags))


def _running(domain: Any) -> tuple[str, str] | None:
    return mapping.boots_next(domain.XMLDesc(0)) if domain.isActive() else None
