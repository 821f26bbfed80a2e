"""The records that drivers are given."""

from __future__ import annotations

import json

import pytest

from drydock.design.provisioning import bmc_access, meta_data, provisioned_node, provisioned_site
from drydock.drivers.node.records import (
    AddressKind,
    AddressPlan,
    BondPlan,
    DeviceSelector,
    FileSystemPlan,
    RoutePlan,
    SizePlan,
    document,
)
from drydock.drivers.oob.base import BootMode
from drydock.errors import DesignInvalid
from drydock.model.site import SiteDesign
from tests.factories.documents import hardware, link, network, node, region, site

STORAGE = {
    "physical_devices": {
        "sda": {"partitions": [{"name": "data", "size": "some"}]},
        "boot": {
            "labels": {"bootdrive": "true"},
            "partitions": [{"name": "root", "size": ">30g", "bootable": True, "filesystem": {"mountpoint": "/"}}],
        },
        "sdb": {"volume_group": "vg"},
    },
    "volume_groups": {"vg": {"logical_volumes": [{"name": "lv", "size": "50%"}]}},
}
ALIASES = {
    "nic": {"bus_type": "pci", "address": "0000:01:00.0", "dev_type": "10G"},
    "boot": {"bus_type": "scsi", "address": "2:0.0.0"},
}


def whole() -> SiteDesign:
    route = {"subnet": "0.0.0.0/0", "gateway": "10.0.0.1", "metric": 100}
    marker = {"gateway": "10.0.0.1", "routedomain": "d"}
    trunk = {"mode": "802.1q", "default_network": "pxe"}
    return site(
        hardware(device_aliases=ALIASES, boot_mode="uefi", pxe_interface=0, vendor="HP", bios_version="2.1"),
        network(routes=[route, marker], vlan="5", dns={"domain": "rack.example", "servers": "192.0.2.1, 192.0.2.2"}),
        network("calico", cidr="10.1.0.0/24", vlan="101", mtu=9000, labels={"noconfig": "true"}),
        link(allowed_networks=["pxe", "calico"], bonding={"mode": "active-backup"}, mtu=9000, trunking=trunk),
        node(
            primary_network="pxe",
            storage=STORAGE,
            platform={"image": "noble", "kernel": "ga", "kernel_params": {"quiet": True}},
            metadata={"tags": ["a"], "boot_mac": "52:54:00:00:00:01", "owner_data": {"role": "worker"}},
            interfaces={
                "b": {"device_link": "pxe", "slaves": ["nic", "eth1"], "networks": ["pxe", "calico"], "sriov": {}}
            },
            oob={"type": "redfish", "network": "pxe", "account": "root", "credential": "top-secret"},
        ),
    )


def test_a_node_for_the_provisioner() -> None:
    found = provisioned_node(whole(), "n1")
    assert (found.name, found.domain, found.image, found.kernel, found.kernel_params) == (
        "n1",
        "rack.example",
        "noble",
        "ga",
        "quiet",
    )
    assert (found.tags, dict(found.labels), found.boot_mac) == (("a",), {"role": "worker"}, "52:54:00:00:00:01")


def test_interfaces_of_a_node() -> None:
    (interface,) = provisioned_node(whole(), "n1").interfaces
    assert (interface.name, interface.link, interface.mtu, interface.configured) == ("b", "pxe", 9000, True)
    assert interface.ports == (
        DeviceSelector("nic", bus_type="pci", address="0000:01:00.0", model="10G"),
        DeviceSelector("eth1", bus_type=None, address=None, model=None),
    )
    assert interface.bond == BondPlan("active-backup", None, None, mon_rate=100, up_delay=200, down_delay=200)
    assert interface.sriov is not None
    assert (interface.sriov.vf_count, interface.sriov.trusted) == (0, False)


def test_networks_of_an_interface() -> None:
    """The native network of a trunk is untagged, whatever its VLAN; the others have their tags."""
    (interface,) = provisioned_node(whole(), "n1").interfaces
    pxe, calico = interface.networks
    assert (pxe.vlan, pxe.tag, calico.vlan, calico.tag, calico.mtu) == (5, None, 101, 101, 9000)
    assert pxe.addresses == (AddressPlan(AddressKind.STATIC, "10.0.0.11"),)
    assert calico.addresses == (AddressPlan(AddressKind.NONE, None),)
    assert (pxe.configured, calico.configured) == (True, False)
    assert pxe.routes == (RoutePlan("0.0.0.0/0", "10.0.0.1", 100),)
    assert (pxe.dns_domain, pxe.dns_servers) == ("rack.example", ("192.0.2.1", "192.0.2.2"))


def test_a_network_without_a_trunk_is_untagged() -> None:
    found = provisioned_node(
        site(
            network(vlan="5"),
            link(allowed_networks=["pxe"], trunking={"mode": "disabled", "default_network": "pxe"}),
            node(
                interfaces={"e": {"device_link": "pxe", "slaves": ["e"], "networks": ["pxe"]}},
                addressing=[{"network": "pxe", "address": "dhcp"}],
            ),
        ),
        "n1",
    )
    assert found.interfaces[0].networks[0].tag is None
    assert found.interfaces[0].networks[0].addresses == (AddressPlan(AddressKind.DHCP, None),)
    assert found.interfaces[0].bond is None


def test_disks_of_a_node() -> None:
    storage = provisioned_node(whole(), "n1").storage
    data, boot, physical = storage.disks
    assert boot.device == DeviceSelector("boot", bus_type="scsi", address="2:0.0.0", model=None)
    (root,) = boot.partitions
    assert root.size == SizePlan(">30g", bytes=30 * 10**9, percent=None, at_least=True)
    assert root.filesystem == FileSystemPlan("/", "ext4", "defaults", uuid=None, label=None)
    assert data.partitions[0].size == SizePlan("some", bytes=None, percent=None, at_least=False)
    assert (physical.volume_group, physical.partitions) == ("vg", ())
    (group,) = storage.volume_groups
    assert group.volumes[0].size == SizePlan("50%", bytes=None, percent=50, at_least=False)


def test_hardware_of_a_node() -> None:
    hints = provisioned_node(whole(), "n1").hardware
    assert (hints.boot_mode, hints.pxe_interface, hints.vendor, hints.bios_version) == (BootMode.UEFI, "0", "HP", "2.1")
    assert hints.boot_disk is not None
    assert hints.boot_disk.address == "2:0.0.0"


def test_the_disk_of_the_root_file_system_is_the_boot_disk_if_none_is_labelled() -> None:
    root = {"name": "root", "size": "30g", "filesystem": {"mountpoint": "/"}}
    disks = {"sda": {"partitions": []}, "sdb": {"partitions": [root]}}
    hints = provisioned_node(site(node(storage={"physical_devices": disks})), "n1").hardware
    assert hints.boot_disk is not None
    assert hints.boot_disk.name == "sdb"


def test_a_node_comes_with_its_bmc_and_shows_no_credential() -> None:
    found = provisioned_node(whole(), "n1")
    assert found.bmc == bmc_access(whole(), "n1")
    assert found.bmc is not None
    assert found.bmc.credential == "top-secret"
    assert "top-secret" not in repr(found) + repr(found.bmc)


def test_the_site_for_the_provisioner() -> None:
    found = provisioned_site(
        site(
            region(
                authorized_keys=["ssh-rsa A"],
                tag_definitions=[{"tag": "t", "definition_type": "lshw_xpath", "definition": "//x"}],
            ),
            network(vlan="5", ranges=[{"type": "dhcp", "start": "10.0.0.2", "end": "10.0.0.9"}]),
            link(allowed_networks=["pxe"], labels={"noconfig": "true"}),
        )
    )
    (pxe,) = found.networks
    assert (pxe.name, pxe.vlan, pxe.ranges[0].kind, pxe.dhcp_relay) == ("pxe", 5, "dhcp", None)
    assert [(one.name, one.configured, one.trunk) for one in found.links] == [("pxe", False, True)]
    assert found.authorized_keys == ("ssh-rsa A",)
    assert found.repositories is None


def test_meta_data() -> None:
    found = meta_data(whole(), "n1", "some-id")
    assert (found.instance_id, found.hostname, dict(found.labels)) == ("some-id", "n1.rack.example", {"role": "worker"})


def test_records_become_json_without_what_is_not_said() -> None:
    found = provisioned_node(whole(), "n1")
    text = json.loads(json.dumps(document((found.interfaces, found.storage, found.hardware))))
    ((interface,), storage, hints) = text
    assert interface["networks"][0]["addresses"] == [{"kind": "static", "address": "10.0.0.11"}]
    assert "tag" not in interface["networks"][0]
    assert storage["disks"][2] == {
        "device": {"name": "sdb"},
        "volume_group": "vg",
        "labels": {},
        "partitions": [],
    }
    assert hints["boot_mode"] == "uefi"


def test_bmc_access_becomes_no_json() -> None:
    with pytest.raises(TypeError, match="BMC access"):
        document(provisioned_node(whole(), "n1"))


def test_a_vlan_that_is_no_number_is_refused() -> None:
    with pytest.raises(DesignInvalid, match="the vlan of network pxe is no number: red"):
        provisioned_site(site(network(vlan="red")))


def test_a_bmc() -> None:
    oob = {"type": "redfish", "network": "pxe", "account": "root", "credential": "c", "endpoint": "https://x"}
    found = bmc_access(site(node(oob=oob)), "n1")
    assert found is not None
    assert (found.type, found.node, found.address, found.account, found.credential) == (
        "redfish",
        "n1",
        "10.0.0.11",
        "root",
        "c",
    )
    assert dict(found.parameters) == {"network": "pxe", "endpoint": "https://x"}


def test_a_node_without_out_of_band_type_has_no_bmc() -> None:
    assert bmc_access(site(node(addressing=[{"network": "pxe", "address": "dhcp"}])), "n1") is None


def test_unknown_node() -> None:
    for function in (bmc_access, provisioned_node):
        with pytest.raises(DesignInvalid, match="the design has no node n9"):
            function(site(node()), "n9")
