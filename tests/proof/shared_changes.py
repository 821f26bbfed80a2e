"""Changes of what nodes refer to."""

from __future__ import annotations

import copy
from typing import Any

from tests.proof.node_changes import TAGS
from tests.proof.site import Site, put

NETWORKS = ("oob", "boot", "control", "pods", "disks")


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
    return f"{name}: {put(data, site.chance, values)}"


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
    return f"network {name}: {put(data, site.chance, values)}"


def ranges(site: Site) -> str:
    name, data = site.any("Network")
    found = site.chance.choice(data["ranges"])
    found["end"] = found["end"].rpartition(".")[0] + f".{site.chance.randrange(200, 256)}"
    return f"network {name}: ranges are {data['ranges']}"


def link(site: Site) -> str:
    name, data = site.any("NetworkLink")
    values = {"mtu": (1500, 9000), "linkspeed": ("auto", "10Gbps"), "labels": ({"noconfig": "yes"}, {"purpose": "x"})}
    if name != "fast" or site.chance.random() < 0.5:
        return f"link {name}: {put(data, site.chance, values)}"
    bonding = {"hash": ("layer3+4", "layer2"), "mon_rate": (100, 200), "mode": ("802.3ad", "active-backup")}
    if site.chance.random() < 0.7:
        return f"link {name}: bonding: {put(data.setdefault('bonding', {}), site.chance, bonding)}"
    return f"link {name}: trunking: {put(data['trunking'], site.chance, {'default_network': ('control', 'pods')})}"


def boot_action(site: Site) -> str:
    name, data = site.any("BootAction")
    asset = data["assets"][0]
    if site.chance.random() < 0.3:
        return f"boot action {name}: {put(data, site.chance, {'signaling': (True, False)})}"
    values = {
        "data": ("{{ node.hostname }}", "x {{ node.tags | join(' ') }}"),
        "permissions": ("644", "600"),
        "data_pipeline": (["utf8_decode", "template"], ["utf8_decode"]),
    }
    return f"boot action {name}: {put(asset, site.chance, values)}"


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


#: What is behind references; some render alike, some only for some nodes.
BEHIND = (
    "one",
    "two",
    "{{ node.hostname }}",
    "{# a word #}{{ node['hostname'] }}",
    "{{ node.hostname if node.labels.role == 'steward' }}",
    "{{ node.tags | sort | join(',') }}",
    "{{ action.action_id }} of {{ action.action_key | length }}",
    "{{ range(1000) | random }}",
)


def another_reference(site: Site) -> str:
    """An asset with an address, or one for each node; most are templates."""
    name, data = site.any("BootAction")
    file, chance = f"f{len(site.files) % 5}", site.chance
    site.files.setdefault(file, chance.choice(BEHIND))
    asset: dict[str, Any] = {
        "path": f"/srv/{file}-{chance.randrange(3)}",
        "type": "file",
        "location": f"{site.url}/{file}",
        "data_pipeline": chance.choice((["utf8_decode", "template"], ["utf8_decode", "template"], ["base64_encode"])),
    }
    if chance.random() < 0.3:
        asset |= {"location": f"{site.url}/{file}?{{{{ node.hostname }}}}", "location_pipeline": ["template"]}
    data["assets"] = [*data["assets"][:3], asset]
    return f"boot action {name}: {asset}"


def behind_a_reference(site: Site) -> str:
    """No word of the design changes."""
    if not site.files:
        return another_reference(site)
    file = site.chance.choice(sorted(site.files))
    site.files[file] = site.chance.choice([content for content in BEHIND if content != site.files[file]])
    return f"file {file}: {site.files[file]}"


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
    return f"region: {put(data, site.chance, values)}"
