"""The machines of the simulator are those of the example site."""

from __future__ import annotations

from pathlib import Path

import pytest

from drydock.design.compiler import compile_design
from drydock.design.hardware_check import device_names, differences, switches_of
from drydock.design.provisioning import provisioned_node
from drydock.model.hardware_sources import read_facts
from drydock.model.site import SiteDesign
from drydock.simulator.machine import Machine
from tests.unit.design.test_example_site import EXAMPLE


@pytest.fixture(scope="module")
def site() -> SiteDesign:
    return compile_design(EXAMPLE.read_bytes()).site


def test_they_are_as_designed(site: SiteDesign, tmp_path: Path) -> None:
    for name in site.nodes:
        facts = read_facts(Machine(name, tmp_path).facts())
        assert differences(provisioned_node(site, name), facts, switches_of(site, name)) == ()
    assert device_names(provisioned_node(site, name), facts) == {
        "bootdisk": "sda",
        "nic1": "ens1f0",
        "nic2": "ens1f1",
    }


def test_a_small_disk_is_one_difference(site: SiteDesign, tmp_path: Path) -> None:
    name = next(iter(site.nodes))
    facts = read_facts(Machine(name, tmp_path, ["small_disk"]).facts())
    assert differences(provisioned_node(site, name), facts, ()) == (
        "the boot disk bootdisk (scsi 0:2.0.0) has 8.0 GB, and its partitions need 62.0 GB",
    )
