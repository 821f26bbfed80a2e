"""What a design says, in Ironic's and OpenStack's words; and what Ironic found, in ours. No request is made."""

from __future__ import annotations

import json
import socket
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("openstack", reason="openstacksdk, the extra 'ironic', is not installed")

from dev import machine_tools
from drydock.drivers.node.base import NodeState
from drydock.drivers.node.ironic import access, disks, states
from drydock.drivers.node.ironic.driver import IronicProvisioner
from drydock.drivers.node.ironic.facts import hardware_facts
from drydock.drivers.node.ironic.images import load_images
from drydock.drivers.node.ironic.network_data import NicUnknown, network_data
from drydock.drivers.node.ironic.nodes import IronicNode
from drydock.drivers.node.ironic.settings import IronicSettings
from drydock.drivers.node.records import (
    AddressKind,
    AddressPlan,
    AttachedNetwork,
    DeviceSelector,
    DiskPlan,
    FileSystemPlan,
    InterfacePlan,
    PartitionPlan,
    ProvisionedNode,
    RoutePlan,
    SizePlan,
    SrIovPlan,
    StoragePlan,
    VolumeGroupPlan,
)
from drydock.drivers.oob.base import BmcAccess, BootMode
from drydock.errors import ConfigurationError, DriverRefused, DriverUnavailable
from drydock.model.hardware_facts import HardwareFacts, LldpNeighbour, NicFacts
from tests.factories.provisioning import node_plan

# openstacksdk uses itself what it deprecates, at each connection.
pytestmark = pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK60Warning")
TIMEOUT = "Timeout reached while waiting for callback for node u"
STATIC, DHCP, NONE = AddressKind.STATIC, AddressKind.DHCP, AddressKind.NONE
FACTS = HardwareFacts(
    nics=(
        NicFacts(mac="52:54:00:00:00:01", name="e1", bus_address="0000:01:00.0"),
        NicFacts(mac="52:54:00:00:00:02", name="e2", bus_address="0000:02:00.0"),
    )
)


def settings(**more: Any) -> IronicSettings:
    return IronicSettings.from_options({"endpoint_override": "http://127.0.0.1:6385", **more})


def network(name: str, cidr: str, *addresses: AddressPlan, tag: int | None = None, **more: Any) -> AttachedNetwork:
    plain: dict[str, Any] = {"mtu": None, "configured": True, "routes": (), "dns_servers": (), "dns_domain": ""}
    return AttachedNetwork(name=name, cidr=cidr, vlan=tag, tag=tag, addresses=addresses, **{**plain, **more})


def interface(*networks: AttachedNetwork, port: DeviceSelector | None = None, **more: Any) -> InterfacePlan:
    port = port or DeviceSelector("e1", None, None, None)
    plan = InterfacePlan("eno1", "link", True, (port,), None, None, None, networks)
    return replace(plan, **more)


# -- network data


def test_a_bond_with_a_vlan() -> None:
    found = network_data(node_plan("n01"), FACTS)
    assert found["links"] == [
        {"id": "e1", "type": "phy", "ethernet_mac_address": "52:54:00:00:00:01", "mtu": 9000},
        {"id": "e2", "type": "phy", "ethernet_mac_address": "52:54:00:00:00:02", "mtu": 9000},
        {
            "id": "bond0", "name": "bond0", "type": "bond", "bond_mode": "802.3ad",
            "bond_xmit_hash_policy": "layer3+4", "bond_lacp_rate": "fast", "bond_miimon": 100, "bond_updelay": 200,
            "bond_downdelay": 200, "bond_links": ["e1", "e2"], "ethernet_mac_address": "52:54:00:00:00:01",
            "mtu": 9000,
        },
        {
            "id": "bond0.101", "name": "bond0.101", "type": "vlan", "vlan_link": "bond0", "vlan_id": 101,
            "vlan_mac_address": "52:54:00:00:00:01", "mtu": 9000,
        },
    ]  # fmt: skip
    assert found["networks"] == [
        {
            "id": "bond0.101-calico-0", "link": "bond0.101", "network_id": "calico", "type": "ipv4",
            "ip_address": "10.3.0.11", "netmask": "255.255.0.0", "dns_search": ["example.org"], "routes": [],
        }
    ]  # fmt: skip


#: What a machine does with its network data: standard input to netplan's file, by cloud-init's own code.
CLOUD_INIT = """\
import json, sys
from cloudinit.net import netplan, network_state
from cloudinit.sources.helpers import openstack
macs = {"52:54:00:00:00:01": "e1", "52:54:00:00:00:02": "e2"}
state = network_state.parse_net_config_data(openstack.convert_net_json(json.load(sys.stdin), known_macs=macs))
print(netplan.Renderer({})._render_content(state))
"""


def netplan_of(node: ProvisionedNode, facts: HardwareFacts | None) -> dict[str, Any]:
    start = machine_tools.python_of_cloud_init()
    if start is None:
        pytest.skip(machine_tools.NEEDS_CLOUD_INIT)
    data = json.dumps(network_data(node, facts))
    done = subprocess.run([*start, "-c", CLOUD_INIT], input=data, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(yaml.safe_load(done.stdout)["network"])


@pytest.mark.parametrize("facts", [FACTS, None], ids=["inspected", "not inspected"])
def test_cloud_init_makes_a_bond_and_a_vlan_of_it(facts: HardwareFacts | None) -> None:
    made = netplan_of(node_plan("n01"), facts)
    assert made["bonds"]["bond0"]["interfaces"] == ["e1", "e2"]
    assert made["bonds"]["bond0"]["parameters"]["mode"] == "802.3ad"
    vlan = made["vlans"]["bond0.101"]
    assert (vlan["id"], vlan["link"], vlan["addresses"], vlan["mtu"]) == (101, "bond0", ["10.3.0.11/16"], 9000)


def test_cloud_init_takes_the_order_of_default_routes_and_the_search_domain() -> None:
    """And none from a network that says none, for which the design has "local"."""
    routes = (RoutePlan("0.0.0.0/0", "10.0.0.1", 200), RoutePlan("0.0.0.0/0", "10.0.0.2", 100))
    plans = (
        interface(
            network("a", "10.0.0.0/24", AddressPlan(STATIC, "10.0.0.5"), routes=routes, dns_domain="example.org")
        ),
        interface(
            network("b", "10.1.0.0/24", AddressPlan(STATIC, "10.1.0.5"), dns_domain="local"),
            port=DeviceSelector("e2", None, None, None), name="eno2",
        ),
    )  # fmt: skip
    made = netplan_of(node_plan("n01", interfaces=plans), FACTS)["ethernets"]
    (first, second) = made.values()
    assert [(route["via"], route["metric"]) for route in first["routes"]] == [("10.0.0.1", 200), ("10.0.0.2", 100)]
    assert first["nameservers"]["search"] == ["example.org"]
    assert "nameservers" not in second


def test_two_networks_of_one_tag_share_its_vlan_interface() -> None:
    plan = interface(
        network("four", "10.0.0.0/24", AddressPlan(STATIC, "10.0.0.5"), tag=7),
        network("six", "2001:db8::/64", AddressPlan(STATIC, "2001:db8::5"), tag=7),
    )
    found = network_data(node_plan("n01", interfaces=(plan,)), None)
    assert [link["id"] for link in found["links"]] == ["eno1", "eno1.7"]
    assert [(row["type"], row["netmask"]) for row in found["networks"]] == [
        ("ipv4", "255.255.255.0"),
        ("ipv6", "ffff:ffff:ffff:ffff::"),
    ]


def test_routes_and_name_servers() -> None:
    plan = interface(
        network(
            "pxe", "10.0.0.0/24", AddressPlan(STATIC, "10.0.0.5"), AddressPlan(STATIC, "10.0.0.6"), mtu=1400,
            routes=(RoutePlan("0.0.0.0/0", "10.0.0.1", None), RoutePlan("10.9.0.0/16", "10.0.0.9", 50)),
            dns_servers=("10.0.0.2",), dns_domain="example.org",
        )
    )  # fmt: skip
    found = network_data(node_plan("n01", interfaces=(plan,)), None)
    assert found["links"] == [{"id": "eno1", "name": "e1", "type": "phy", "mtu": 1400}]
    assert [row["routes"] for row in found["networks"]] == [
        [
            {"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": "10.0.0.1"},
            {"network": "10.9.0.0", "netmask": "255.255.0.0", "gateway": "10.0.0.9", "metric": 50},
        ],
        [],
    ]
    assert [row["dns_search"] for row in found["networks"]] == [["example.org"], ["example.org"]]
    assert found["networks"][0]["dns_nameservers"] == ["10.0.0.2"]
    assert found["services"] == [{"type": "dns", "address": "10.0.0.2"}]


def test_dhcp_none_and_what_is_to_be_left_alone() -> None:
    plans = (
        interface(
            network("a", "10.0.0.0/24", AddressPlan(DHCP, None)), network("b", "10.1.0.0/24", AddressPlan(NONE, None))
        ),
        interface(network("c", "10.2.0.0/24", AddressPlan(DHCP, None)), name="eno2", configured=False),
    )
    found = network_data(node_plan("n01", interfaces=plans), None)
    assert [link["id"] for link in found["links"]] == ["eno1"]
    assert [row["type"] for row in found["networks"]] == ["ipv4_dhcp"]


@pytest.mark.parametrize(
    "address", ["0000:02:00.0", "02:00.0", "0000:2:0.0", r"regexp:0000:0[23]:00\.0", "regexp:0000:02"]
)
def test_a_nic_by_its_place_on_the_bus(address: str) -> None:
    port = DeviceSelector("data1", "pci", address, None)
    found = network_data(node_plan("n01", interfaces=(interface(port=port),)), FACTS)
    assert found["links"][0]["ethernet_mac_address"] == "52:54:00:00:00:02"
    gone = DeviceSelector("data1", "pci", "0000:09:00.0", None)
    with pytest.raises(NicUnknown, match=r"0000:09:00\.0.*inspection found: 0000:01:00\.0, 0000:02:00\.0"):
        network_data(node_plan("n01", interfaces=(interface(port=gone),)), FACTS)


# -- disks


@pytest.mark.parametrize(
    ("selector", "hint"),
    [
        (DeviceSelector("sda", None, None, None), {"name": "s== /dev/sda"}),
        (DeviceSelector("boot", "scsi", "2:0.0.0", None), {"hctl": "s== 2:0:0:0"}),
        (DeviceSelector("boot", "scsi", "2:0:0:0", None), {"hctl": "s== 2:0:0:0"}),
        (DeviceSelector("boot", "pci", "0000:04:00.0", None), {"by_path": "<in> 0000:04:00.0"}),
        (DeviceSelector("boot", "pci", "AF:00.0", None), {"by_path": "<in> 0000:af:00.0"}),
        (DeviceSelector("boot", "pci", "regexp:0000:.*", None), {}),
        (None, {}),
    ],
)
def test_root_device_hints(selector: DeviceSelector | None, hint: dict[str, str]) -> None:
    plan = node_plan("n01")
    assert disks.root_device(replace(plan, hardware=replace(plan.hardware, boot_disk=selector))) == hint


@pytest.mark.parametrize("address", ["0000:af:00.0", "AF:00.0", "regexp:0000:a[ef]"])
def test_a_disk_by_its_place_on_the_pci_bus(address: str) -> None:
    path = "/dev/disk/by-path/pci-0000:af:00.0-nvme-1"
    others = [
        f"/dev/disk/by-path/{name}" for name in ("pci-0001:af:00.0-nvme-1", "pci-0000:3b:00.0-nvme-1", "virtio-1")
    ]
    disk = DeviceSelector("data", "pci", address, None)
    assert disks.device_path(disk, [{"by_path": each} for each in (*others, path)]) == path
    with pytest.raises(disks.DiskUnknown):
        disks.device_path(disk, [{"by_path": each} for each in others])
    anything = replace(disk, address="regexp:.*")
    assert disks.device_path(anything, [{"by_path": others[-1]}, {"by_path": path}]) == path


def partition(name: str, size: SizePlan | None, mountpoint: str | None) -> PartitionPlan:
    system = FileSystemPlan(mountpoint, "xfs", "defaults", None, None)
    return PartitionPlan(name, size, None, None, bootable=False, labels={}, filesystem=system)


def percent(number: int) -> SizePlan:
    return SizePlan(f"{number}%", None, number, at_least=False)


def test_further_disks_are_laid_out_by_cloud_init() -> None:
    device = DeviceSelector("data", "scsi", "2:0.1.0", None)
    parts = (partition("log", percent(40), "/var/log"), partition("lib", None, "/var/lib"))
    plan = node_plan("n01")
    plan = replace(plan, storage=StoragePlan((*plan.storage.disks, DiskPlan(device, None, {}, parts)), ()))
    path = "/dev/disk/by-path/pci-0000:00:05.0-scsi-0:0:1:0"
    text = disks.vendor_data(plan, [{"name": "/dev/sdb", "hctl": "2:0:1:0", "by_path": path}])["cloud-init"]
    config = yaml.safe_load(text)
    assert text.startswith("#cloud-config\n")
    assert config["disk_setup"] == {"disk1": {"table_type": "gpt", "layout": [40, 60], "overwrite": False}}
    assert config["device_aliases"] == {"disk1": path, "disk1part1": f"{path}-part1", "disk1part2": f"{path}-part2"}
    assert [row["device"] for row in config["fs_setup"]] == ["disk1part1", "disk1part2"]
    assert config["mounts"][1] == ["disk1.2", "/var/lib", "xfs", "defaults"]
    assert list(disks.unsupported(plan)) == []
    with pytest.raises(disks.DiskUnknown, match=r"2:0\.1\.0"):
        disks.vendor_data(plan, [])


#: What cloud-init's own code makes of device names; standard input: the cloud-config as JSON.
CLOUD_INIT_DISKS = """\
import json, logging, sys
from cloudinit.config import cc_disk_setup, cc_mounts
config = json.load(sys.stdin)
aliases = config["device_aliases"]
# There are no such block devices here.
cc_mounts._is_block_device = lambda disk, partition=None: True
cc_disk_setup.update_disk_setup_devices(config["disk_setup"], aliases.get)
cc_disk_setup.update_fs_setup_devices(config["fs_setup"], aliases.get)
mounts = [cc_mounts.sanitize_devname(m[0], str, logging.getLogger(), aliases) for m in config["mounts"]]
print(json.dumps([list(config["disk_setup"]), [[f["device"], f["partition"]] for f in config["fs_setup"]], mounts]))
"""


@pytest.mark.parametrize(
    ("disk", "partition_path"),
    [
        ("sdb", "sdb1"),
        ("nvme0n1", "nvme0n1p1"),
        ("by-path/pci-0000:04:00.0-scsi-0:0:0:1", "by-path/pci-0000:04:00.0-scsi-0:0:0:1-part1"),
    ],
)
def test_cloud_init_finds_the_partitions_of_further_disks(disk: str, partition_path: str, tmp_path: Path) -> None:
    start = machine_tools.python_of_cloud_init()
    if start is None:
        pytest.skip(machine_tools.NEEDS_CLOUD_INIT)
    plan = node_plan("n01")
    data = DiskPlan(DeviceSelector("data", "scsi", "2:0.1.0", None), None, {}, (partition("log", None, "/log"),))
    plan = replace(plan, storage=StoragePlan((*plan.storage.disks, data), ()))
    for device in (disk, partition_path):
        (tmp_path / device).parent.mkdir(exist_ok=True)
        (tmp_path / device).touch()
    config = disks.vendor_data(plan, [{"hctl": "2:0:1:0", "by_path": f"/dev/{disk}"}])["cloud-init"]
    text = json.dumps(yaml.safe_load(config)).replace("/dev/", f"{tmp_path}/")
    done = subprocess.run([*start, "-c", CLOUD_INIT_DISKS], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    path = f"{tmp_path}/{partition_path}"
    assert json.loads(done.stdout) == [[f"{tmp_path}/{disk}"], [[path, "none"]], [path]]


def test_what_no_config_drive_can_lay_out() -> None:
    plan = node_plan("n01")
    size = SizePlan("10g", 10**10, None, at_least=False)
    root = replace(
        plan.storage.disks[0], partitions=(*plan.storage.disks[0].partitions, partition("log", size, "/log"))
    )
    data = DiskPlan(DeviceSelector("sdb", None, None, None), None, {}, (partition("a", size, "/a"),))
    storage = StoragePlan((root, data), (VolumeGroupPlan("vg1", None, ()),))
    found = " | ".join(disks.unsupported(replace(plan, storage=storage)))
    assert "the volume group vg1" in found
    assert "the partition log on the boot disk sda" in found
    assert "the size 10g of the partition a" in found


def test_identities_and_file_systems_that_the_design_asks_for() -> None:
    plan = node_plan("n01")
    (root,) = plan.storage.disks[0].partitions
    asked = FileSystemPlan("/", "xfs", "noatime", "fs-1", "top")
    boot = replace(plan.storage.disks[0], partitions=(replace(root, uuid="part-1", filesystem=asked),))
    further = FileSystemPlan("/data", "xfs", "noatime", "fs-2", "data")
    part = replace(partition("data", None, None), uuid="part-2", filesystem=further)
    data = DiskPlan(DeviceSelector("sdb", None, None, None), None, {}, (part,))
    found = list(disks.unsupported(replace(plan, storage=StoragePlan((boot, data), ()))))
    of_root, own = "of the partition root on the boot disk sda: it is the image's", "cloud-init gives it one of its own"
    assert found == [
        f"the UUID part-1 {of_root}", f"the file system's UUID fs-1 {of_root}", f"the file system xfs {of_root}",
        f"the label top {of_root}", f"the mount options noatime {of_root}",
        f"the UUID part-2 of the partition data: {own}", f"the file system's UUID fs-2 of the partition data: {own}",
    ]  # fmt: skip


def test_what_the_driver_cannot_do(tmp_path: Path) -> None:
    images = tmp_path / "images.yaml"
    images.write_text("jammy: {source: http://h/j, kernel_params: quiet}")
    provisioner = IronicProvisioner(settings(images_file=str(images)))
    good = node_plan("n01", kernel_params="quiet")
    assert list(provisioner.unsupported(good)) == []
    sriov = interface(sriov=SrIovPlan(4, trusted=False))
    for bad, words in (
        (replace(good, bmc=None), "manages machines by their BMC"),
        (replace(good, bmc=BmcAccess("n01", "libvirt", "192.0.2.1")), "hardware_types of .ironic. names none"),
        (replace(good, bmc=BmcAccess("n01", "redfish", None)), "a BMC without an address"),
        (replace(good, image="focal"), "the image focal"),
        (replace(good, kernel_params="quiet iommu=on"), "the kernel parameters iommu=on"),
        (replace(good, interfaces=(sriov,)), "SR-IOV of eno1"),
        (
            replace(good, interfaces=(replace(good.interfaces[0], name="data"),)),
            "the bond data: cloud-init calls it bond0",
        ),
    ):
        (found,) = provisioner.unsupported(bad)
        assert words.replace(".ironic.", "[ironic]") in found


# -- access


def test_redfish() -> None:
    bmc = BmcAccess("n01", "redfish", "192.0.2.1", "admin", "secret", {"system": "S1", "verify_tls": "false"})
    found = access.driver_info(bmc, settings(driver_info={"deploy_kernel": "http://h/k"}))
    assert found == {
        "deploy_kernel": "http://h/k", "redfish_address": "https://192.0.2.1", "redfish_username": "admin",
        "redfish_password": "secret", "redfish_verify_ca": False, "redfish_system_id": "/redfish/v1/Systems/S1",
    }  # fmt: skip
    assert not access.differs({**found, "redfish_password": "******"}, found)
    assert access.differs({**found, "redfish_username": "root"}, found)


@pytest.mark.parametrize(
    ("parameters", "options", "verify"),
    [
        ({}, {}, True),
        ({"verify_tls": " True "}, {}, True),
        ({"verify_tls": "no"}, {}, False),
        # Types that the design's rules do not know may have any text.
        ({"verify_tls": "perhaps"}, {}, True),
        ({}, {"redfish_verify_ca": "/etc/ca.pem"}, "/etc/ca.pem"),
        ({"verify_tls": "true"}, {"redfish_verify_ca": "/etc/ca.pem"}, "/etc/ca.pem"),
        ({"verify_tls": "false"}, {"redfish_verify_ca": "/etc/ca.pem"}, False),
    ],
)
def test_tls_is_verified_unless_somebody_says_otherwise(
    parameters: dict[str, str], options: dict[str, str], verify: object
) -> None:
    bmc = BmcAccess("n01", "redfish", "192.0.2.1", parameters=parameters)
    assert access.driver_info(bmc, settings(driver_info=options))["redfish_verify_ca"] == verify


def test_a_bmc_with_an_ipv6_address() -> None:
    bmc = BmcAccess("n01", "redfish", "2001:db8::1")
    assert access.driver_info(bmc, settings())["redfish_address"] == "https://[2001:db8::1]"


def test_a_template_that_no_rule_of_the_design_has_checked() -> None:
    bmc = BmcAccess("n01", "idrac", "192.0.2.1", parameters={"endpoint": "https://{host}"})
    with pytest.raises(DriverRefused, match=r"oob\.endpoint and oob\.system of n01"):
        access.driver_info(bmc, settings(hardware_types={"idrac": "idrac"}))


@pytest.mark.parametrize("kind", ["ilo5", "irmc"])
def test_a_hardware_type_whose_access_is_not_known(kind: str) -> None:
    """It is not given Redfish's, which it does not read."""
    bmc = BmcAccess("n01", "redfish", "192.0.2.1", "admin", "secret")
    node = node_plan("n01", bmc=bmc)
    alone = settings(hardware_types={"redfish": kind}, images_file=None)
    assert access.driver_info(bmc, alone) == {}
    assert f"the hardware type {kind}: how it is given" in " ".join(IronicProvisioner(alone).unsupported(node))
    given = settings(hardware_types={"redfish": kind}, driver_info={f"{kind}_address": "192.0.2.1"})
    assert f"the hardware type {kind}" not in " ".join(IronicProvisioner(given).unsupported(node))


def test_ipmi() -> None:
    bmc = BmcAccess("n01", "ipmi", "192.0.2.1", "admin", "secret", {"port": "6230"})
    assert access.driver_info(bmc, settings()) == {
        "ipmi_address": "192.0.2.1", "ipmi_username": "admin", "ipmi_password": "secret", "ipmi_port": "6230",
    }  # fmt: skip


def test_capabilities_that_are_there_stay() -> None:
    plan = node_plan("n01")
    plan = replace(plan, hardware=replace(plan.hardware, boot_mode=BootMode.UEFI))
    found = access.properties(plan, {"cpus": 4, "capabilities": "a:b,boot_mode:bios"})
    assert found == {"cpus": 4, "capabilities": "a:b,boot_mode:uefi"}


@pytest.mark.parametrize("there", ["boot_mode:uefi,a:b", "a:b,boot_mode:uefi", "boot_mode:uefi", "boot_mode:uefi,a:b,"])
def test_a_capability_that_is_there_is_not_ours_whatever_its_place(there: str) -> None:
    plan = node_plan("n01")
    plan = replace(plan, hardware=replace(plan.hardware, boot_mode=BootMode.UEFI))
    assert access.changed_properties(plan, {"capabilities": there}, {}) == []


def test_of_two_boot_modes_the_design_s_stays() -> None:
    plan = node_plan("n01")
    plan = replace(plan, hardware=replace(plan.hardware, boot_mode=BootMode.UEFI))
    found = access.changed_properties(plan, {"capabilities": "boot_mode:uefi,boot_mode:bios"}, {})
    assert [change["value"] for change in found] == [{"capabilities": "boot_mode:uefi"}, "boot_mode:uefi"]


# -- what Ironic says


def row(state: str, **more: Any) -> IronicNode:
    return IronicNode.from_row({"uuid": "u", "name": "n01", "provision_state": state, **more})


@pytest.mark.parametrize(
    ("node", "state", "words"),
    [
        (row("available"), NodeState.READY, ""),
        (row("wait call-back"), NodeState.DEPLOYING, "waits for the agent"),
        (row("rescue wait"), NodeState.BUSY, ""),
        (row("deploy failed", last_error=TIMEOUT), NodeState.FAILED, "did not call back"),
        (row("active", instance_uuid="i", extra={"drydock_stopped": "i"}), NodeState.FAILED, "was stopped"),
        (row("active", instance_uuid="j", extra={"drydock_stopped": "i"}), NodeState.DEPLOYED, ""),
        (row("manageable", maintenance=True, maintenance_reason="fan"), NodeState.MAINTENANCE, "in Ironic: fan"),
        (row("active", maintenance=True), NodeState.DEPLOYED, "no reason given"),
    ],
)  # fmt: skip
def test_observations(node: IronicNode, state: NodeState, words: str) -> None:
    seen = node.observation("n01")
    assert seen.state is state
    assert words in seen.detail


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("No suitable device was found for deployment", "no disk is like the design's boot disk"),
        ("Agent returned error: image checksum mismatch", "the image is not the one"),
        ("", "look at the conductor's log"),
        ("HTTP POST https://192.0.2.1/redfish/v1/Sessions returned code 401. None", "does not accept the account's"),
        ("Redfish exception occurred. Error: AccessError", "does not accept the account's"),
        ("Validation of image href http://h/j failed: Got HTTP code 401 instead of 200", "the image cannot be fetched"),
        ("Something new", "Ironic: Something new"),
    ],
)
def test_errors_in_words(error: str, words: str) -> None:
    assert words in states.in_words(error)


def test_a_number_within_an_identity_is_no_status() -> None:
    text = "Failed to deploy node 5c401f2e-0000-4000-8000-000000000401: no space left on device"
    assert states.in_words(text) == f"Ironic: {text}"


def test_an_inventory_becomes_facts() -> None:
    # Types and values of TLVs: a chassis by its MAC, a port by its name, the system's name.
    lldp = [[1, "04aabbccddeeff"], [2, "0545746831"], [5, "73773031"]]
    inventory = {
        "cpu": {"count": 8, "architecture": "x86_64"},
        "memory": {"physical_mb": 4096, "total": 4 * 2**30},
        "disks": [
            {"name": "/dev/sda", "size": 10**10, "rotational": True, "serial": "S1", "hctl": "2:0:0:0"},
            {"name": "/dev/nvme0n1", "size": 1, "by_path": "/dev/disk/by-path/pci-0000:03:00.0-nvme-1"},
        ],
        "interfaces": [
            {"name": "e1", "mac_address": "52:54:00:AA:00:01", "pci_address": "0000:01:00.0", "lldp": lldp},
            {"name": "e2", "mac_address": "52:54:00:aa:00:02", "speed_mbps": 1000},
        ],
        "system_vendor": {
            "manufacturer": "QEMU", "product_name": "Q35", "serial_number": "7", "firmware": {"version": "2.1"},
        },
    }  # fmt: skip
    parsed = {"e2": {"switch_system_name": "sw02", "switch_port_id": "Eth2"}}
    facts = hardware_facts({"inventory": inventory, "plugin_data": {"parsed_lldp": parsed}})
    assert (facts.vendor, facts.product, facts.serial, facts.bios_version) == ("QEMU", "Q35", "7", "2.1")
    assert (facts.arch, facts.cpu_count, facts.memory_mib) == ("x86_64", 8, 4096)
    assert facts.disks is not None
    assert [(disk.name, disk.bus_address) for disk in facts.disks] == [("sda", "2:0.0.0"), ("nvme0n1", "0000:03:00.0")]
    assert facts.nics is not None
    first, second = facts.nics
    assert (first.mac, first.bus_address) == ("52:54:00:aa:00:01", "0000:01:00.0")
    assert first.neighbour == LldpNeighbour(chassis_id="aa:bb:cc:dd:ee:ff", system_name="sw01", port_id="Eth1")
    assert second.neighbour == LldpNeighbour(system_name="sw02", port_id="Eth2")
    assert hardware_facts({}) == HardwareFacts()


def test_the_place_of_a_virtual_nic_is_not_known() -> None:
    """It would be compared with PCI addresses of designs, and be another one."""
    interface = {"name": "enp1s0", "mac_address": "52:54:00:aa:00:01", "pci_address": "virtio0"}
    facts = hardware_facts({"inventory": {"interfaces": [interface]}})
    assert facts.nics == (NicFacts(mac="52:54:00:aa:00:01", name="enp1s0"),)


# -- options


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "needs the option endpoint_override"),
        ({"auth_type": "password", "auth_url": "http://k"}, "needs the option username"),
        ({"auth_type": "kerberos"}, "auth_type must be one of"),
        ({"endpoint_override": "http://h", "glance": True}, "glance needs Keystone"),
    ],
)
def test_options_that_cannot_work(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        IronicProvisioner.from_options(options)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "mapping of names"), ("a: 1", "a must be a mapping"), ("a: {url: x}", "'url'; there are"),
        ("a: {}", "either source or boot_iso"), ("a: {source: x, kernel: k}", "kernel and ramdisk, or neither"),
        ("a: {source: x, kernels: k}", "list of names"), ("a: {source: x, root_gb: y}", "must be a number"),
        ("{", "YAML"),
    ],
)  # fmt: skip
def test_files_of_images_that_cannot_work(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "images.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=words):
        load_images(str(path))


def test_images_in_ironics_words(tmp_path: Path) -> None:
    path = tmp_path / "images.yaml"
    path.write_text(
        "whole: {source: http://h/w, checksum: abc, arch: x86_64}\n"
        "part: {source: http://h/p, kernel: http://h/k, ramdisk: http://h/r, root_gb: 10}\n"
        "iso: {boot_iso: http://h/i}\n"
    )
    images = load_images(str(path))
    assert images["whole"].instance_info() == {
        "image_source": "http://h/w", "image_type": "whole-disk", "image_checksum": "abc",
    }  # fmt: skip
    assert images["part"].instance_info()["image_type"] == "partition"
    assert images["part"].instance_info()["root_gb"] == 10
    assert images["iso"].instance_info() == {"boot_iso": "http://h/i"}


# -- an Ironic that is not there


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    provisioner = IronicProvisioner(settings(endpoint_override=f"http://127.0.0.1:{port}"))
    with pytest.raises(DriverUnavailable, match="cannot be reached"):
        provisioner.check()
    with pytest.raises(DriverUnavailable, match="cannot be reached"):
        provisioner.observe(["n01"])


def test_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}"
        with pytest.raises(DriverUnavailable):
            IronicProvisioner(settings(endpoint_override=url, timeout=0.2)).check()
