"""The rules, in the order they run."""

from __future__ import annotations

from drydock.design.rules.allowed_networks import AllowedNetworks
from drydock.design.rules.base import Rule
from drydock.design.rules.bootaction_scope import BootActionScope
from drydock.design.rules.cidr_validity import CidrValidity
from drydock.design.rules.duplicate_ips import DuplicateIps
from drydock.design.rules.hostnames import Hostnames
from drydock.design.rules.ip_locality import IpLocality

RULES: tuple[Rule, ...] = (
    CidrValidity(),
    IpLocality(),
    DuplicateIps(),
    AllowedNetworks(),
    Hostnames(),
    BootActionScope(),
)
