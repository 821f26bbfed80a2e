"""Peers of packages that are unpacked when a test first asks for them; without them the test is skipped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dev.peers import packages
from dev.peers.ipmi_sim import IpmiSim
from dev.peers.libvirt_daemon import LibvirtDaemon


@contextmanager
def libvirt_daemon(directory: Path, *, tls: bool = False) -> Iterator[LibvirtDaemon]:
    try:
        made = LibvirtDaemon(directory, tls=tls)
    except packages.Unavailable as error:
        pytest.skip(f"libvirtd cannot be had: {error}")
    with made as running:
        yield running


@contextmanager
def ipmi_sim(directory: Path, *, count: int) -> Iterator[IpmiSim]:
    try:
        made = IpmiSim(directory, count=count)
    except packages.Unavailable as error:
        pytest.skip(f"needs Debian's openipmi and ipmitool: {error}")
    with made as running:
        yield running
