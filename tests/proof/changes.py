"""Changes that people make to designs, drawn at random. What a change amounts to for the machines it does not know."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from bench.gen_site import node, site
from tests.proof.writing import Document

Named = dict[str, Any]
Change = Callable[["Site"], str | None]

PROFILES = ("any-server", "worker", "steward")
NETWORKS = ("oob", "boot", "control", "pods", "disks")
TAGS = ("red", "green", "blue", "worker")
LABELS = ("zone", "role", "owner")


class Site:
    """The documents of a site, and the chance that changes them. ``nodes``: how many at first."""

    def __init__(self, nodes: int, chance: random.Random) -> None:
        self.chance = chance
        self.documents: list[Document] = [
            document for document in yaml.load_all(site(nodes), yaml.CSafeLoader) if document is not None
        ]
        self._made = nodes
        self.named("HostProfile", "any-server")["oob"]["type"] = "redfish"
        for number in range(4):
            name, feed = f"r{number}", {"feed": "ab"[number % 2]}
            self.add("Rack", name, {"tor_switches": {name: {"mgmt_ip": f"10.45.9.{number}"}}, "labels": feed})
        for document in self.of("BaremetalNode"):
            document["data"]["metadata"]["rack"] = f"r{chance.randrange(4)}"

    def changed(self) -> Site:
        """A copy to be changed."""
        other = copy.copy(self)
        other.documents = copy.deepcopy(self.documents)
        return other

    def of(self, kind: str) -> list[Document]:
        return [document for document in self.documents if document["schema"] == f"drydock/{kind}/v1"]

    def named(self, kind: str, name: str) -> Named:
        """The data of this document."""
        found: Named = next(item for item in self.of(kind) if item["metadata"]["name"] == name)["data"]
        return found

    def has(self, kind: str, name: str) -> bool:
        return any(item["metadata"]["name"] == name for item in self.of(kind))

    def any(self, kind: str) -> tuple[str, Named]:
        """A document's name and data."""
        document = self.chance.choice(self.of(kind))
        return document["metadata"]["name"], document["data"]

    def add(self, kind: str, name: str, data: Named) -> None:
        self.documents.append({"schema": f"drydock/{kind}/v1", "metadata": {"name": name}, "data": data})

    def new_node(self) -> Document:
        document: Document = yaml.load(node(self._made).removeprefix("---\n"), yaml.CSafeLoader)
        self._made += 1
        document["data"]["metadata"]["rack"] = f"r{self.chance.randrange(4)}"
        document["data"]["host_profile"] = self.any("HostProfile")[0]
        return document

    def host(self) -> tuple[str, Named]:
        """A node or, less often, one of its profiles."""
        return self.any("HostProfile") if self.chance.random() < 0.35 else self.any("BaremetalNode")


def _put(holder: Named, chance: random.Random, values: Mapping[str, tuple[Any, ...]]) -> str:
    """One of these fields gets another value, or goes; None in place of a value: it goes."""
    field = chance.choice(sorted(values))
    value = chance.choice([value for value in (*values[field], None) if value != holder.get(field)])
    if value is None:
        holder.pop(field, None)
    else:
        holder[field] = value
    return f"{field} is {value!r}"


# -- nodes and their profiles


def platform(site: Site) -> str:
    name, data = site.host()
    values = {"image": ("jammy", "noble"), "kernel": ("ga-22.04", "hwe-22.04")}
    return f"{name}: platform: {_put(data.setdefault('platform', {}), site.chance, values)}"


def kernel_params(site: Site) -> str:
    name, data = site.host()
    params = data.setdefault("platform", {}).setdefault("kernel_params", {})
    values = {
        "console": ("ttyS0", "ttyS1"),
        "quiet": (True, "yes"),
        "intel_iommu": ("on", "off"),
        "isolcpus": ("hardwareprofile:cpuset.guests", "2-7"),
        "hugepages": ("hardwareprofile:hugepages.guests.count", "4"),
    }
    return f"{name}: kernel_params: {_put(params, site.chance, values)}"


def tags(site: Site) -> str:
    name, data = site.host()
    metadata = data.setdefault("metadata", {})
    chosen = site.chance.sample(TAGS, site.chance.randint(0, 3))
    metadata["tags"] = [*chosen, *(["!" + site.chance.choice(TAGS)] if site.chance.random() < 0.2 else [])]
    return f"{name}: tags are {metadata['tags']}"


def owner_data(site: Site) -> str:
    name, data = site.host()
    labels = data.setdefault("metadata", {}).setdefault("owner_data", {})
    values = dict.fromkeys(LABELS, ("z0", "z1", "worker", "steward")) | {"ldap_password": ("hunter2", "hunter3")}
    return f"{name}: owner_data: {_put(labels, site.chance, values)}"


def moved_to_another_rack(site: Site) -> str:
    name, data = site.any("BaremetalNode")
    data["metadata"]["rack"] = f"r{site.chance.randrange(4)}"
    return f"{name}: rack is {data['metadata']['rack']}"


def moved_to_another_profile(site: Site) -> str:
    name, data = site.any("BaremetalNode")
    data["host_profile"] = site.chance.choice([*PROFILES, site.any("HostProfile")[0]])
    return f"{name}: host_profile is {data['host_profile']}"


def renamed(site: Site) -> str:
    document = site.chance.choice(site.of("BaremetalNode"))
    old = document["metadata"]["name"]
    taken = {other["metadata"]["name"] for other in site.of("BaremetalNode")}
    new = next(name for number in range(10**6) if (name := f"x{number:03}") not in taken)
    document["metadata"]["name"] = new
    return f"{old} is named {new}"


def added(site: Site) -> str:
    document = site.new_node()
    site.documents.insert(site.chance.randint(0, len(site.documents)), document)
    return f"{document['metadata']['name']} is new"


def removed(site: Site) -> str | None:
    nodes = site.of("BaremetalNode")
    if len(nodes) < 2:
        return None
    document = site.chance.choice(nodes)
    site.documents.remove(document)
    return f"{document['metadata']['name']} is gone"


def boot_mac(site: Site) -> str:
    name, data = site.any("BaremetalNode")
    data["metadata"]["boot_mac"] = f"52:54:09:00:{site.chance.randrange(256):02x}:{site.chance.randrange(256):02x}"
    return f"{name}: boot_mac is {data['metadata']['boot_mac']}"


def address(site: Site) -> str:
    name, data = site.any("BaremetalNode")
    found = site.chance.choice(data["addressing"])
    if found["address"] != "dhcp":
        start, _, _ = found["address"].rpartition(".")
        second = start.split(".")[1]
        found["address"] = f"10.{second}.200.{site.chance.randrange(1, 255)}"
    return f"{name}: address on {found['network']} is {found['address']}"


def order_of_addresses(site: Site) -> str:
    name, data = site.any("BaremetalNode")
    site.chance.shuffle(data["addressing"])
    return f"{name}: addresses in another order"


def primary_network(site: Site) -> str:
    name, data = site.host()
    return f"{name}: {_put(data, site.chance, {'primary_network': ('control', 'pods')})}"


def bmc(site: Site) -> str:
    name, data = site.host()
    values = {"account": ("operator", "admin"), "credential": ("not-a-secret", "neither")}
    return f"{name}: oob: {_put(data.setdefault('oob', {}), site.chance, values)}"


def interface(site: Site) -> str:
    name, data = site.host()
    bond = data.setdefault("interfaces", {}).setdefault("bond0", {})
    values = {
        "networks": (["control"], ["pods", "control", "disks"], ["!disks"]),
        "slaves": (["fast0"], ["fast1", "fast0"], ["!fast1"]),
        "sriov": ({"vf_count": 4}, {"vf_count": 4, "trustedmode": True}),
        "device_link": ("fast",),
    }
    return f"{name}: bond0: {_put(bond, site.chance, values)}"


def carried(site: Site) -> str:
    """Which networks the interface carries that all nodes have; their addresses stay."""
    bond = site.named("HostProfile", "lowest" if site.has("HostProfile", "lowest") else "any-server")["interfaces"][
        "bond0"
    ]
    bond["networks"] = site.chance.choice((["control"], ["control", "pods", "disks"]))
    return f"all bond0 carry {bond['networks']}"


def disk(site: Site) -> str:
    name, data = site.host()
    devices = data.setdefault("storage", {}).setdefault("physical_devices", {})
    device = devices.setdefault("system", {})
    if site.chance.random() < 0.3:
        return f"{name}: system: labels: {_put(device.setdefault('labels', {}), site.chance, {'tier': ('a', 'b')})}"
    parts = device.setdefault("partitions", [])
    wanted = site.chance.choice(("root", "boot", "logs", "spare"))
    part = next((part for part in parts if part["name"] == wanted), None)
    if part is None:
        part = {"name": wanted}
        parts.append(part)
    values = {
        "size": ("60g", "70g", ">8g"),
        "bootable": (True, False),
        "part_uuid": ("one", "two"),
        "labels": ({"purpose": "a"}, {"purpose": "b"}),
        "filesystem": ({"mountpoint": f"/{wanted}x"}, {"mountpoint": f"/{wanted}x", "fstype": "xfs", "fs_label": "f"}),
    }
    return f"{name}: partition {wanted}: {_put(part, site.chance, values)}"


def volume(site: Site) -> str:
    name, data = site.host()
    group = data.setdefault("storage", {}).setdefault("volume_groups", {}).setdefault("bulk", {})
    if site.chance.random() < 0.3:
        return f"{name}: bulk: {_put(group, site.chance, {'vg_uuid': ('one', 'two')})}"
    volumes = group.setdefault("logical_volumes", [])
    if not any(found["name"] == "guests" for found in volumes):
        volumes.append({"name": "guests"})
    found = next(found for found in volumes if found["name"] == "guests")
    return f"{name}: guests: {_put(found, site.chance, {'size': ('90%', '50%'), 'lv_uuid': ('one', 'two')})}"


# -- what nodes refer to


def hardware(site: Site) -> str:
    name, data = site.any("HardwareProfile")
    values = {
        "vendor": ("Example", "Other"),
        "generation": ("3", "4"),
        "hw_version": ("1", "2"),
        "bios_version": ("1.0", "1.1"),
        "boot_mode": ("uefi", "bios"),
        "bootstrap_protocol": ("pxe",),
        "pxe_interface": (0, 1),
    }
    return f"{name}: {_put(data, site.chance, values)}"


def alias(site: Site) -> str:
    name, data = site.any("HardwareProfile")
    wanted = site.chance.choice([*data["device_aliases"], "unused"])
    found = data["device_aliases"].setdefault(
        wanted, {"bus_type": "pci", "address": "0000:77:00.0", "dev_type": "10G NIC"}
    )
    if site.chance.random() < 0.5:
        found["dev_type"] = site.chance.choice(("10G NIC", "25G NIC", "SSD"))
    elif found["bus_type"] == "pci":
        found["address"] = f"0000:{site.chance.randrange(16, 99)}:00.0"
    else:
        found["address"] = f"0:0.{site.chance.randrange(9)}.0"
    return f"{name}: {wanted} is {found}"


def cpus(site: Site) -> str:
    name, data = site.any("HardwareProfile")
    if site.chance.random() < 0.5:
        data["cpu_sets"][site.chance.choice(("guests", "unused"))] = site.chance.choice(("8-63", "8-31"))
        return f"{name}: cpu_sets are {data['cpu_sets']}"
    pages = site.chance.choice(("guests", "unused"))
    data["hugepages"][pages] = {"size": "1G", "count": site.chance.choice((96, 97))}
    return f"{name}: hugepages are {data['hugepages']}"


def another_hardware_profile(site: Site) -> str:
    """A copy of the first one, maybe with a difference, and somebody who has it."""
    names = [document["metadata"]["name"] for document in site.of("HardwareProfile")]
    if len(names) < 3:
        data = copy.deepcopy(site.named("HardwareProfile", "two-socket"))
        names.append(f"copy-{len(names)}")
        site.add("HardwareProfile", names[-1], data)
    name, data = site.host()
    data["hardware_profile"] = site.chance.choice(names)
    return f"{name}: hardware_profile is {data['hardware_profile']}"


def network(site: Site) -> str:
    name, data = site.any("Network")
    second = NETWORKS.index(name) + 40
    gateway = f"10.{second}.0.1"
    values: dict[str, tuple[Any, ...]] = {
        "mtu": (1500, 9000),
        "vlan": (str(second + 100), str(second + 200), "142"),
        "dns": ({"domain": "meadow.example.invalid"}, {"domain": "other.example.invalid", "servers": "10.42.0.2"}),
        "labels": ({"noconfig": "yes"}, {"purpose": "x"}),
        "routedomain": ("storage", "tenants"),
        "dhcp_relay": ({"self_ip": gateway, "upstream_target": "10.45.0.1"},),
        "routes": (
            [{"subnet": "0.0.0.0/0", "gateway": gateway, "metric": 10}],
            [{"routedomain": "storage", "gateway": gateway, "metric": 100}],
            [
                {"subnet": f"10.200.{second}.0/24", "gateway": gateway, "metric": 10},
                {"routedomain": "tenants", "gateway": gateway, "metric": 100},
            ],
        ),
    }
    return f"network {name}: {_put(data, site.chance, values)}"


def ranges(site: Site) -> str:
    name, data = site.any("Network")
    found = site.chance.choice(data["ranges"])
    found["end"] = found["end"].rpartition(".")[0] + f".{site.chance.randrange(200, 256)}"
    return f"network {name}: ranges are {data['ranges']}"


def link(site: Site) -> str:
    name, data = site.any("NetworkLink")
    values = {"mtu": (1500, 9000), "linkspeed": ("auto", "10Gbps"), "labels": ({"noconfig": "yes"}, {"purpose": "x"})}
    if name != "fast" or site.chance.random() < 0.5:
        return f"link {name}: {_put(data, site.chance, values)}"
    bonding = {"hash": ("layer3+4", "layer2"), "mon_rate": (100, 200), "mode": ("802.3ad", "active-backup")}
    if site.chance.random() < 0.7:
        return f"link {name}: bonding: {_put(data.setdefault('bonding', {}), site.chance, bonding)}"
    return f"link {name}: trunking: {_put(data['trunking'], site.chance, {'default_network': ('control', 'pods')})}"


def boot_action(site: Site) -> str:
    name, data = site.any("BootAction")
    asset = data["assets"][0]
    if site.chance.random() < 0.3:
        return f"boot action {name}: {_put(data, site.chance, {'signaling': (True, False)})}"
    values = {
        "data": ("{{ node.hostname }}", "x {{ node.tags | join(' ') }}"),
        "permissions": ("644", "600"),
        "data_pipeline": (["utf8_decode", "template"], ["utf8_decode"]),
    }
    return f"boot action {name}: {_put(asset, site.chance, values)}"


def targets(site: Site) -> str:
    name, data = site.any("BootAction")
    chance = site.chance
    one: dict[str, Any] = {"filter_type": chance.choice(("intersection", "union"))}
    one |= chance.choice(
        (
            {"node_tags": [chance.choice(TAGS)]},
            {"node_labels": {"role": chance.choice(("worker", "steward"))}},
            {"rack_labels": {"feed": chance.choice("ab")}},
            {"rack_names": [f"r{chance.randrange(4)}"]},
            {"node_names": [site.any("BaremetalNode")[0]]},
        )
    )
    data["node_filter"] = {"filter_set_type": "union", "filter_set": [one]}
    return f"boot action {name}: {one}"


def another_boot_action(site: Site) -> str:
    actions = site.of("BootAction")
    if len(actions) > 4:
        site.documents.remove(actions[-1])
        return f"boot action {actions[-1]['metadata']['name']} is gone"
    name = f"extra-{site.chance.randrange(100)}"
    asset = {"path": f"/etc/{name}", "type": "file", "data": "x = 1", "data_pipeline": ["utf8_decode"]}
    site.add("BootAction", name, {"signaling": False, "assets": [asset]})
    return f"boot action {name} is new"


def rack(site: Site) -> str:
    name, data = site.any("Rack")
    data["labels"] = {"feed": site.chance.choice("ab")}
    return f"rack {name}: labels are {data['labels']}"


def region(site: Site) -> str:
    _, data = site.any("Region")
    values: dict[str, tuple[Any, ...]] = {
        "authorized_keys": (["ssh-ed25519 AAAAexample a"], ["ssh-ed25519 AAAAexample b"]),
        "tag_definitions": ([{"tag": "big", "definition_type": "lshw_xpath", "definition": "//node"}],),
    }
    return f"region: {_put(data, site.chance, values)}"


# -- the same in other documents


def moved_to_the_profile(site: Site) -> str | None:
    """What a profile's heirs inherit they get from further up; or a node says itself what it inherits anyway."""
    base, chance = site.named("HostProfile", "any-server"), site.chance
    if chance.random() < 0.5:
        name, data = site.any("BaremetalNode")
        data["platform"] = {**copy.deepcopy(base.get("platform", {})), **data.get("platform", {})}
        return f"{name}: says its platform itself"
    if site.has("HostProfile", "lowest"):
        return None
    lowest: Named = {key: base.pop(key) for key in ("oob", "interfaces", "storage") if key in base}
    base["host_profile"] = "lowest"
    site.add("HostProfile", "lowest", {"hardware_profile": base["hardware_profile"], **lowest})
    return "any-server: half of it comes from lowest"


def profile_renamed(site: Site) -> str | None:
    document = site.chance.choice(site.of("HostProfile"))
    old = document["metadata"]["name"]
    if old in ("any-server", "lowest"):
        return None
    new = f"{old.partition('-')[0]}-{site.chance.randrange(10**6)}"
    document["metadata"]["name"] = new
    for other in (*site.of("HostProfile"), *site.of("BaremetalNode")):
        if other["data"].get("host_profile") == old:
            other["data"]["host_profile"] = new
    return f"profile {old} is named {new}"


#: How often each comes, relative to the others.
CHANGES: Mapping[Change, int] = {
    platform: 3,
    kernel_params: 3,
    tags: 3,
    owner_data: 3,
    moved_to_another_rack: 3,
    moved_to_another_profile: 3,
    renamed: 3,
    added: 5,
    removed: 4,
    boot_mac: 1,
    address: 2,
    order_of_addresses: 1,
    primary_network: 1,
    bmc: 2,
    interface: 3,
    carried: 2,
    disk: 3,
    volume: 2,
    hardware: 2,
    alias: 2,
    cpus: 2,
    another_hardware_profile: 2,
    network: 4,
    ranges: 1,
    link: 3,
    boot_action: 3,
    targets: 3,
    another_boot_action: 2,
    rack: 2,
    region: 2,
    moved_to_the_profile: 3,
    profile_renamed: 2,
}
