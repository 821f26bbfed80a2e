"""A machine beside its hardware profile and its design."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from drydock.design.hardware_check import device_names, differences, switches_of
from drydock.design.provisioning import provisioned_node
from drydock.drivers.node.records import ProvisionedNode
from drydock.model.hardware_facts import DiskFacts, HardwareFacts, LldpNeighbour, NicFacts
from tests.factories.documents import document, hardware, link, network, node, region, site

ALIASES = {
    "nic": {"bus_type": "pci", "address": "18:00.0"},
    "boot": {"bus_type": "scsi", "address": "regexp:[02]:2.0.0"},
}
STORAGE = {
    "physical_devices": {
        "boot": {
            "labels": {"bootdrive": "true"},
            "partitions": [
                {"name": "root", "size": "40g"},
                {"name": "var", "size": ">20g"},
                {"name": "x", "size": "9%"},
            ],
        }
    }
}
SWITCH = {"tor1": {"mgmt_ip": "10.0.0.2", "sdn_api_uri": "http://switches.example.org/?switch=tor1"}}
NIC = NicFacts(mac="02:00:00:00:00:01", name="ens1f0", bus_address="0000:18:00.0")
ENO1 = NicFacts(mac="02:00:00:00:00:02", name="eno1", bus_address="0000:01:00.0")
DISK = DiskFacts(name="sda", size_bytes=480 * 10**9, bus_address="0:2.0.0")
FACTS = HardwareFacts(vendor="Dell Inc.", bios_version="2.1", disks=(DISK,), nics=(NIC, ENO1))


def design() -> Any:
    return site(
        hardware(device_aliases=ALIASES, vendor="Dell", bios_version="2.1", generation="12", hw_version="3"),
        document("Rack", "r1", {"tor_switches": SWITCH}),
        region(),
        network(),
        link(bonding={"mode": "active-backup"}),
        node(
            primary_network="pxe",
            storage=STORAGE,
            metadata={"rack": "r1"},
            interfaces={"b": {"device_link": "pxe", "slaves": ["nic", "eno1"], "networks": ["pxe"]}},
        ),
    )


@pytest.fixture(scope="module")
def plan() -> ProvisionedNode:
    return provisioned_node(design(), "n1")


def found(plan: ProvisionedNode, **facts: Any) -> tuple[str, ...]:
    return differences(plan, replace(FACTS, **facts), {"tor1"})


def test_a_machine_as_designed(plan: ProvisionedNode) -> None:
    assert found(plan) == ()
    assert device_names(plan, FACTS) == {"boot": "sda", "nic": "ens1f0"}
    assert switches_of(design(), "n1") == {"tor1"}
    assert switches_of(design(), "n9") == frozenset()


def test_all_differences_at_once(plan: ProvisionedNode) -> None:
    neighbour = LldpNeighbour(system_name="tor9.example.org", port_id="1")
    assert found(
        plan,
        vendor="Supermicro",
        bios_version="2.0",
        disks=(replace(DISK, size_bytes=8 * 10**9),),
        nics=(replace(NIC, neighbour=neighbour),),
    ) == (
        "the vendor is Supermicro, and the hardware profile has Dell",
        "the BIOS version is 2.0, and the hardware profile has 2.1",
        "the boot disk boot (scsi regexp:[02]:2.0.0) has 8.0 GB, and its partitions need 60.0 GB",
        "NIC nic (pci 18:00.0) is plugged into tor9.example.org port 1, and the rack has tor1",
        "NIC eno1 is not there, but ens1f0 (0000:18:00.0)",
    )


def test_a_disk_that_is_not_there(plan: ProvisionedNode) -> None:
    other = replace(DISK, bus_address="0:3.0.0")
    assert found(plan, disks=(other,)) == (
        "the boot disk boot (scsi regexp:[02]:2.0.0) is not there, but sda (0:3.0.0)",
    )
    assert found(plan, disks=()) == ("the boot disk boot (scsi regexp:[02]:2.0.0) is not there, nor any other",)


@pytest.mark.parametrize("address", ["0000:18:00.0", "18:00.0", "regexp:0000:18", "regexp:" + "(.*)" * 20 + "0"])
def test_a_nic_at_an_address_as_designs_write_it(plan: ProvisionedNode, address: str) -> None:
    """An expression need only match the beginning, and is no reason to wait."""
    (interface,) = plan.interfaces
    port = replace(interface.ports[0], address=address)
    designed = replace(plan, interfaces=(replace(interface, ports=(port, *interface.ports[1:])),))
    gone = (replace(NIC, bus_address="0000:3b:00.1"), ENO1)
    began = time.process_time()
    assert differences(designed, FACTS, ()) == ()
    missing = () if address.endswith(")0") else (f"NIC nic (pci {address}) is not there",)
    assert tuple(text.partition(", but")[0] for text in differences(designed, replace(FACTS, nics=gone), ())) == missing
    assert time.process_time() - began < 1


@pytest.mark.parametrize("address", ["0:2.0.0", "0:2:0:0", "regexp:0:2"])
@pytest.mark.parametrize("known", ["0:2.0.0", "0:2:0:0"])
def test_a_disk_as_lshw_or_the_kernel_writes_it(plan: ProvisionedNode, address: str, known: str) -> None:
    (disk,) = plan.storage.disks
    boot = replace(disk.device, address=address)
    hardware = replace(plan.hardware, boot_disk=boot)
    designed = replace(plan, hardware=hardware, storage=replace(plan.storage, disks=(replace(disk, device=boot),)))
    assert found(designed, disks=(replace(DISK, bus_address=known),)) == ()


@pytest.mark.parametrize(
    "facts",
    [
        {"vendor": None, "bios_version": None, "disks": None, "nics": None},
        {"disks": (replace(DISK, size_bytes=None),)},
        {"disks": (replace(DISK, bus_address=None),)},
        {"nics": (replace(NIC, bus_address=None, name=None), ENO1)},
        {"nics": (NIC, replace(ENO1, name=None))},
        {"nics": (replace(NIC, neighbour=LldpNeighbour(chassis_id="02:aa")), ENO1)},
    ],
)
def test_what_is_not_known_is_no_difference(plan: ProvisionedNode, facts: dict[str, Any]) -> None:
    assert found(plan, **facts) == ()


@pytest.mark.parametrize("name", ["tor1", "TOR1.example.org"])
def test_a_switch_of_the_rack(plan: ProvisionedNode, name: str) -> None:
    nic = replace(NIC, neighbour=LldpNeighbour(system_name=name))
    assert found(plan, nics=(nic, ENO1)) == ()
    assert (
        differences(plan, replace(FACTS, nics=(replace(NIC, neighbour=LldpNeighbour(system_name="x")), ENO1)), ()) == ()
    )
