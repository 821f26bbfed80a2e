"""Changes that people make to designs, drawn at random. What a change amounts to for the machines it does not know."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

from tests.proof import node_changes, shared_changes
from tests.proof.site import Named, Site

#: Returns what was changed, in words; None if nothing was.
Change = Callable[[Site], str | None]


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
    node_changes.platform: 3,
    node_changes.kernel_params: 3,
    node_changes.tags: 3,
    node_changes.owner_data: 3,
    node_changes.moved_to_another_rack: 3,
    node_changes.moved_to_another_profile: 3,
    node_changes.renamed: 3,
    node_changes.added: 5,
    node_changes.removed: 4,
    node_changes.boot_mac: 1,
    node_changes.address: 2,
    node_changes.order_of_addresses: 1,
    node_changes.primary_network: 1,
    node_changes.bmc: 2,
    node_changes.interface: 3,
    node_changes.carried: 2,
    node_changes.disk: 3,
    node_changes.volume: 2,
    shared_changes.hardware: 2,
    shared_changes.alias: 2,
    shared_changes.cpus: 2,
    shared_changes.another_hardware_profile: 2,
    shared_changes.network: 4,
    shared_changes.ranges: 1,
    shared_changes.link: 3,
    shared_changes.boot_action: 3,
    shared_changes.targets: 3,
    shared_changes.another_boot_action: 2,
    shared_changes.another_reference: 4,
    shared_changes.behind_a_reference: 8,
    shared_changes.rack: 2,
    shared_changes.region: 2,
    moved_to_the_profile: 3,
    profile_renamed: 2,
}
