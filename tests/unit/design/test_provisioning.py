"""The records that drivers are given."""

from __future__ import annotations

import json

import pytest

from drydock.design.provisioning import bmc, provisioned_node
from drydock.errors import DesignInvalid
from tests.unit.design.documents import hardware, link, network, node, site


def test_a_node_for_the_provisioner() -> None:
    route = {"subnet": "0.0.0.0/0", "gateway": "10.0.0.1", "metric": 100}
    marker = {"gateway": "10.0.0.1", "routedomain": "d"}
    partition = {"name": "root", "size": "30g", "bootable": True, "filesystem": {"mountpoint": "/"}}
    storage = {
        "physical_devices": {
            "sda": {"labels": {"bootdrive": "true"}, "partitions": [partition]},
            "sdb": {"volume_group": "vg"},
        },
        "volume_groups": {"vg": {"logical_volumes": [{"name": "lv", "size": "50%"}]}},
    }
    aliases = {"nic": {"bus_type": "pci", "address": "0000:01:00.0"}}
    found = provisioned_node(
        site(
            hardware(device_aliases=aliases),
            network(routes=[route, marker], vlan="5"),
            network("bare", cidr="10.1.0.0/24"),
            link(allowed_networks=["pxe", "bare"], bonding={"mode": "active-backup"}, mtu=9000),
            node(
                primary_network="pxe",
                storage=storage,
                platform={"image": "noble", "kernel": "ga", "kernel_params": {"quiet": True}},
                metadata={"tags": ["a"], "boot_mac": "52:54:00:00:00:01"},
                interfaces={
                    "b": {"device_link": "pxe", "slaves": ["nic", "eth1"], "networks": ["pxe", "bare"], "sriov": {}}
                },
            ),
        ),
        "n1",
    )
    assert (found.name, found.domain, found.image, found.kernel, found.kernel_params) == (
        "n1",
        "local",
        "noble",
        "ga",
        "quiet",
    )
    assert (found.tags, found.boot_mac) == (("a",), "52:54:00:00:00:01")
    interface = found.networking["interfaces"]["b"]
    assert interface["slaves"] == ["0000:01:00.0", "eth1"]
    assert (interface["mtu"], interface["bond_mode"]) == (9000, "active-backup")
    assert interface["bond"] == {"mon_rate": 100, "up_delay": 200, "down_delay": 200}
    assert interface["sriov"] == {"vf_count": 0, "trustedmode": False}
    assert interface["networks"][0] == {
        "name": "pxe",
        "cidr": "10.0.0.0/24",
        "vlan": "5",
        "mtu": None,
        "address": "10.0.0.11",
        "routes": [{"subnet": "0.0.0.0/0", "gateway": "10.0.0.1", "metric": "100"}],
    }
    assert interface["networks"][1]["address"] is None
    assert found.storage["disks"]["sda"]["partitions"] == [
        {**partition, "filesystem": {"mountpoint": "/", "fstype": "ext4", "mount_options": "defaults"}}
    ]
    assert found.storage["volume_groups"]["vg"]["logical_volumes"] == [{"name": "lv", "size": "50%"}]
    json.dumps([found.networking, found.storage])


def test_a_bmc() -> None:
    oob = {"type": "redfish", "network": "pxe", "account": "root", "credential": "c", "endpoint": "https://x"}
    kind, record = bmc(site(node(oob=oob)), "n1")
    assert kind == "redfish"
    assert (record.node, record.address, record.account, record.credential) == ("n1", "10.0.0.11", "root", "c")
    assert dict(record.parameters) == {"network": "pxe", "endpoint": "https://x"}


def test_a_bmc_without_anything() -> None:
    kind, record = bmc(site(node(addressing=[{"network": "pxe", "address": "dhcp"}])), "n1")
    assert (kind, record.address, record.account) == (None, None, "")


def test_unknown_node() -> None:
    for function in (bmc, provisioned_node):
        with pytest.raises(DesignInvalid, match="the design has no node n9"):
            function(site(node()), "n9")
