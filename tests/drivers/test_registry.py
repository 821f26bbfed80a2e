"""Drivers by name, through the entry points of the installed package."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from keystoneauth1.session import Session

from drydock.conf import load
from drydock.conf.drivers import REDFISH_OPTS, label_driver
from drydock.drivers.labels.promenade import PromenadeLabels
from drydock.drivers.node.simulated import SimulatedProvisioner
from drydock.drivers.oob.redfish import RedfishDriver
from drydock.drivers.registry import load_labels, load_node_provisioner, load_oob_drivers
from drydock.errors import ConfigurationError
from tests.factories.drivers import defaults


def options(name: str) -> Mapping[str, Any]:
    return {}


def test_loads_what_is_named() -> None:
    drivers = load_oob_drivers(["redfish"], lambda name: defaults(REDFISH_OPTS))
    assert list(drivers) == ["redfish"]
    assert isinstance(drivers["redfish"], RedfishDriver)
    provisioner = load_node_provisioner("simulated", {"url": "http://127.0.0.1:9100"})
    assert isinstance(provisioner, SimulatedProvisioner)


def test_nothing_named_loads_nothing() -> None:
    assert load_oob_drivers([], options) == {}


def test_an_unknown_name_says_what_there_is() -> None:
    with pytest.raises(ConfigurationError, match=r"'telepathy'.*available: .*redfish"):
        load_oob_drivers(["manual", "telepathy"], options)
    with pytest.raises(ConfigurationError, match=r"'abacus'.*available: .*simulated"):
        load_node_provisioner("abacus", {})


def test_bad_options_stop_the_start() -> None:
    with pytest.raises(ConfigurationError, match="speed"):
        load_oob_drivers(["redfish"], lambda name: {"speed": "high"})


@pytest.mark.parametrize(
    ("text", "driver"),
    [
        ("", None),
        ("[promenade]\nurl = http://p/\n", "promenade"),
        ("[drivers]\nlabels = none\n[promenade]\nurl = http://p/\n", None),
        ("[drivers]\nlabels = kubernetes\n[promenade]\nurl = http://p/\n", "kubernetes"),
    ],
)
def test_promenade_keeps_labels_where_only_its_url_is_set(tmp_path: Path, text: str, driver: str | None) -> None:
    file = tmp_path / "drydock.conf"
    file.write_text(text)
    assert label_driver(load(["--config-file", str(file)], {})) == driver


def test_promenade_needs_its_url_and_a_session() -> None:
    session = Session()
    made = load_labels("promenade", {"url": "http://p", "timeout": 3}, lambda: session)
    assert isinstance(made, PromenadeLabels)
    with pytest.raises(ConfigurationError, match=r"\[promenade\] url: is not set"):
        load_labels("promenade", {"url": None, "timeout": 3}, lambda: session)
