"""Changes of nodes and of the profiles that they inherit from."""

from __future__ import annotations

from tests.proof.site import Site, put

PROFILES = ("any-server", "worker", "steward")
TAGS = ("red", "green", "blue", "worker")
LABELS = ("zone", "role", "owner")


def platform(site: Site) -> str:
    name, data = site.host()
    values = {"image": ("jammy", "noble"), "kernel": ("ga-22.04", "hwe-22.04")}
    return f"{name}: platform: {put(data.setdefault('platform', {}), site.chance, values)}"


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
    return f"{name}: kernel_params: {put(params, site.chance, values)}"


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
    return f"{name}: owner_data: {put(labels, site.chance, values)}"


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
    return f"{name}: {put(data, site.chance, {'primary_network': ('control', 'pods')})}"


def bmc(site: Site) -> str:
    name, data = site.host()
    values = {"account": ("operator", "admin"), "credential": ("not-a-secret", "neither")}
    return f"{name}: oob: {put(data.setdefault('oob', {}), site.chance, values)}"


def interface(site: Site) -> str:
    name, data = site.host()
    bond = data.setdefault("interfaces", {}).setdefault("bond0", {})
    values = {
        "networks": (["control"], ["pods", "control", "disks"], ["!disks"]),
        "slaves": (["fast0"], ["fast1", "fast0"], ["!fast1"]),
        "sriov": ({"vf_count": 4}, {"vf_count": 4, "trustedmode": True}),
        "device_link": ("fast",),
    }
    return f"{name}: bond0: {put(bond, site.chance, values)}"


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
        return f"{name}: system: labels: {put(device.setdefault('labels', {}), site.chance, {'tier': ('a', 'b')})}"
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
    return f"{name}: partition {wanted}: {put(part, site.chance, values)}"


def volume(site: Site) -> str:
    name, data = site.host()
    group = data.setdefault("storage", {}).setdefault("volume_groups", {}).setdefault("bulk", {})
    if site.chance.random() < 0.3:
        return f"{name}: bulk: {put(group, site.chance, {'vg_uuid': ('one', 'two')})}"
    volumes = group.setdefault("logical_volumes", [])
    if not any(found["name"] == "guests" for found in volumes):
        volumes.append({"name": "guests"})
    found = next(found for found in volumes if found["name"] == "guests")
    return f"{name}: guests: {put(found, site.chance, {'size': ('90%', '50%'), 'lv_uuid': ('one', 'two')})}"
