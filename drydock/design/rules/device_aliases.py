"""DD5024: the regular expressions of device aliases can be used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from drydock.design.rules.base import Finding, document
from drydock.model.bus_addresses import REGEXP, pattern_fault
from drydock.model.message import Level
from drydock.model.site import SiteDesign


class DeviceAliases:
    code: ClassVar[str] = "DD5024"
    name: ClassVar[str] = "device-aliases"
    long_name: ClassVar[str] = "Device Aliases"

    def check(self, site: SiteDesign) -> Iterator[Finding]:
        for profile in site.hardware_profiles.values():
            for name, device in profile.device_aliases.items():
                fault = pattern_fault(device.address)
                if fault is not None:
                    yield Finding(
                        Level.ERROR,
                        f"HardwareProfile {profile.name}: device_aliases.{name:.100}.address: "
                        f"the regular expression after {REGEXP} cannot be used: {fault:.200}.",
                        (document("HardwareProfile", profile.name),),
                        "Write it in RE2's syntax, which has neither back-references nor look-around.",
                    )
