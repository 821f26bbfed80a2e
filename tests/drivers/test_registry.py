"""Drivers by name, through the entry points of the installed package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from drydock.drivers.node.simulated import SimulatedProvisioner
from drydock.drivers.oob.redfish import RedfishDriver
from drydock.drivers.registry import load_node_provisioner, load_oob_drivers
from drydock.errors import ConfigurationError


def options(name: str) -> Mapping[str, Any]:
    return {}


def test_loads_what_is_named() -> None:
    drivers = load_oob_drivers(["redfish"], lambda name: {"timeout": 3})
    assert list(drivers) == ["redfish"]
    assert isinstance(drivers["redfish"], RedfishDriver)
    provisioner = load_node_provisioner("simulated", {"url": "http://127.0.0.1:9100"})
    assert isinstance(provisioner, SimulatedProvisioner)


def test_nothing_named_loads_nothing() -> None:
    assert load_oob_drivers([], options) == {}


def test_an_unknown_name_says_what_there_is() -> None:
    with pytest.raises(ConfigurationError, match=r"'telepathy'.*available: .*redfish"):
        load_oob_drivers(["redfish", "telepathy"], options)
    with pytest.raises(ConfigurationError, match=r"'abacus'.*available: .*simulated"):
        load_node_provisioner("abacus", {})


def test_bad_options_stop_the_start() -> None:
    with pytest.raises(ConfigurationError, match="speed"):
        load_oob_drivers(["redfish"], lambda name: {"speed": "high"})
