"""Designs compared by what their nodes amount to, not by their text."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from drydock.design.compiler import compile_texts
from drydock.model.site import SiteDesign
from drydock.plan.design_difference import DesignDifference, design_difference
from tests.factories import site as small_site

EXAMPLE = Path(__file__).parents[3] / "etc/drydock/examples/site.yaml"
Document = dict[str, Any]
Documents = list[Document]


@pytest.fixture
def documents() -> Documents:
    return [document for document in yaml.safe_load_all(EXAMPLE.read_text()) if document]


def compiled(documents: Sequence[Document]) -> SiteDesign:
    text = yaml.safe_dump_all(documents).encode()
    design = compile_texts({"": text})
    assert design.valid, [message.message for message in design.messages if message.error]
    return design.site


def compared(old: Documents, new: Documents) -> DesignDifference:
    return design_difference(compiled(old), compiled(new))


def of_kind(documents: Documents, kind: str) -> Documents:
    return [document for document in documents if f"/{kind}/" in document["schema"]]


def named(documents: Documents, kind: str, name: str) -> Document:
    return next(document for document in of_kind(documents, kind) if document["metadata"]["name"] == name)


def test_the_same_design_has_no_changes(documents: Documents) -> None:
    found = compared(documents, documents)
    assert found.empty
    assert found.unchanged == 12


@pytest.mark.parametrize("seed", range(20))
def test_the_order_of_documents_and_keys_does_not_matter(documents: Documents, seed: int) -> None:
    shuffled = copy.deepcopy(documents)
    order = random.Random(seed)  # noqa: S311 - nothing secret
    order.shuffle(shuffled)
    assert compared(documents, [_keys_shuffled(document, order) for document in shuffled]).empty


def test_layout_and_comments_do_not_matter(documents: Documents) -> None:
    text = "# a comment\n" + "\n---\n".join(json.dumps(document, indent=6) for document in documents)
    assert design_difference(compiled(documents), compile_texts({"": text.encode()}).site).empty


def test_a_setting_that_moves_to_the_host_profile_changes_nothing(documents: Documents) -> None:
    """Each node of a profile says itself what its profile said before."""
    moved = copy.deepcopy(documents)
    profiles = {profile["metadata"]["name"]: profile for profile in of_kind(moved, "HostProfile")}
    for node in of_kind(moved, "BaremetalNode"):
        parent = node["data"]["host_profile"]
        while parent is not None:
            inherited = profiles[parent]["data"]
            node["data"]["platform"] = _merged(inherited.get("platform", {}), node["data"].get("platform", {}))
            parent = inherited.get("host_profile")
    for profile in profiles.values():
        profile["data"].pop("platform", None)
    assert [group.changes for group in compared(documents, moved).groups] == []


def test_one_line_of_a_profile_changes_its_nodes_alike(documents: Documents) -> None:
    new = copy.deepcopy(documents)
    for profile in of_kind(new, "HostProfile"):
        if "platform" in profile["data"]:
            profile["data"]["platform"]["image"] = "jammy"
    found = compared(documents, new)
    assert [len(group.nodes) for group in found.groups] == [12]
    (change,) = found.groups[0].changes
    assert (".".join(change.path), change.new) == ("platform.image", "jammy")
    assert found.groups[0].needs_deployment


def test_a_label_of_a_partition_is_a_change_as_drivers_are_given_it(documents: Documents) -> None:
    new = copy.deepcopy(documents)
    disks = [
        disk
        for profile in of_kind(new, "HostProfile")
        for disk in profile["data"].get("storage", {}).get("physical_devices", {}).values()
    ]
    for disk in disks:
        for partition in disk.get("partitions", ()):
            partition["labels"] = {"purpose": "system"}
    groups = compared(documents, new).groups
    assert groups
    assert all(group.needs_deployment for group in groups)


SITE = small_site.site(("n01",)).decode()


def sites(old: str, new: str) -> DesignDifference:
    compiled = [compile_texts({"": text.encode()}) for text in (old, new)]
    assert all(design.valid for design in compiled)
    return design_difference(compiled[0].site, compiled[1].site)


def test_a_network_that_only_templates_see_counts_as_far_as_they_see_it() -> None:
    """It has an address of the node, and is on none of its interfaces."""
    more = """
---
schema: drydock/Network/v1
metadata: {name: spare}
data: {cidr: 10.3.0.0/16, mtu: 1500}
"""
    old = SITE.replace("addressing:", "addressing:\n    - {network: spare, address: 10.3.0.1}") + more
    assert not sites(old, old.replace("mtu: 1500", "mtu: 9000")).groups
    (group,) = sites(old, old.replace("mtu: 1500", "dns: {domain: other.invalid}")).groups
    assert group.needs_deployment


def test_the_vlan_of_a_native_network_counts_as_it_takes_away_tags() -> None:
    """The interface does not carry that network, but another one of its VLAN."""
    more = """
---
schema: drydock/NetworkLink/v1
metadata: {name: trunk}
data: {allowed_networks: [tagged, native], trunking: {mode: 802.1q, default_network: native}}
---
schema: drydock/Network/v1
metadata: {name: tagged}
data: {cidr: 10.3.0.0/16, vlan: '7'}
---
schema: drydock/Network/v1
metadata: {name: native}
data: {cidr: 10.4.0.0/16, vlan: '8'}
"""
    old = SITE.replace(
        "  interfaces:\n", "  interfaces:\n    eno2: {device_link: trunk, slaves: [eno2], networks: [tagged]}\n"
    )
    (group,) = sites(old + more, old + more.replace("vlan: '8'", "vlan: '7'")).groups
    assert [change.path[-1] for change in group.changes] == ["native_vlan"]


def test_nodes_that_come_and_go_are_named(documents: Documents) -> None:
    new = copy.deepcopy(documents)
    named(new, "BaremetalNode", "n03")["metadata"]["name"] = "n33"
    found = compared(documents, new)
    assert (found.added, found.removed, found.unchanged) == (("n33",), ("n03",), 11)


def test_another_rack_alone_needs_no_deployment(documents: Documents) -> None:
    new = copy.deepcopy(documents)
    racks = [rack["metadata"]["name"] for rack in of_kind(new, "Rack")]
    node = named(new, "BaremetalNode", "n02")
    now = node["data"]["metadata"]["rack"]
    node["data"]["metadata"]["rack"] = next(rack for rack in racks if rack != now)
    groups = compared(documents, new).groups
    assert [group.nodes for group in groups] == [("n02",)]
    assert ("placement", "rack") in [change.path for change in groups[0].changes]


def test_only_chosen_nodes_are_compared(documents: Documents) -> None:
    new = copy.deepcopy(documents)
    for node in of_kind(new, "BaremetalNode"):
        node["data"].setdefault("platform", {})["kernel_params"] = {"quiet": "true"}
    found = design_difference(compiled(documents), compiled(new), ["n01", "n02"])
    assert [group.nodes for group in found.groups] == [("n01", "n02")]
    assert found.site == ()


def test_credentials_stand_in_no_representation_of_a_shown_change(documents: Documents) -> None:
    new = copy.deepcopy(documents)
    _each_credential(new, lambda _: "hunter2")
    found = compared(documents, new)
    assert [group.needs_deployment for group in found.groups] == [False]


def _merged(below: Document, above: Document) -> Document:
    both = {key: _merged(below[key], above[key]) for key in below if isinstance(above.get(key), dict)}
    return {**below, **above, **both}


def _each_credential(value: Any, make: Callable[[str], str]) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "credential":
                value[key] = make(item)
            else:
                _each_credential(item, make)
    elif isinstance(value, list):
        for item in value:
            _each_credential(item, make)


def _keys_shuffled(value: Any, order: random.Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        order.shuffle(keys)
        return {key: _keys_shuffled(value[key], order) for key in keys}
    return [_keys_shuffled(item, order) for item in value] if isinstance(value, list) else value
