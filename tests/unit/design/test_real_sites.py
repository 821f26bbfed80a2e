"""Designs of real sites: what they compile to, and what is said about them."""

from __future__ import annotations

import json

import pytest

from drydock.design.compiler import compile_design
from drydock.design.site_form import site_form
from tests.unit.design import real_sites

#: README of the designs, and for those it leaves to judge: what is wrong with them.
VERDICTS = {
    "treasuremap-v1.9-seaworthy": (5, []),
    "treasuremap-v1.8p-stl1": (6, []),
    "aiab-gate-multinode": (3, []),
    "attcomdev-ucp-integration": (1, []),
    "aiab-demo": (0, []),
    "treasuremap-pr1-deathkitten": (3, ["DD000", "DD000", "DD000", "DD2006"]),
    "souj-airsloop": (1, ["DD2005"]),
    "attcomdev-atl-lab1": (4, []),
    "attcomdev-ucp-integration-example": (None, ["DD001"] * 5),
    "cheng1li-airsloop": (1, []),
    "treasuremap-v1.0-airskiff": (5, []),
    "treasuremap-v1.0-airsloop": (1, []),
    "treasuremap-v1.9-aiab": (0, []),
    "treasuremap-v1.9-airskiff": (0, []),
    "treasuremap-v1.9-airsloop": (1, []),
    "treasuremap-v1.9-seaworthy-virt": (3, []),
    "treasuremap-v18.11-airship-seaworthy": (5, []),
    "velovec-airsloop": (None, ["DD001"]),
}


@real_sites.needs_real_sites
def test_every_field_design_has_a_verdict() -> None:
    assert {path.stem for path in real_sites.DESIGNS.glob("*.yaml")} == set(VERDICTS)


@real_sites.needs_real_sites
@pytest.mark.parametrize("name", VERDICTS)
def test_verdict(name: str) -> None:
    nodes, codes = VERDICTS[name]
    design = compile_design(real_sites.design(name))
    assert [message.code for message in design.messages if message.error] == codes
    assert design.valid == (not codes)
    if not design.broken:
        assert len(design.site.nodes) == nodes


@real_sites.needs_real_sites
def test_a_missing_profile_is_said_of_every_node_and_names_both() -> None:
    design = compile_design(real_sites.design("treasuremap-pr1-deathkitten"))
    missing = [message for message in design.messages if message.error and message.code == "DD000"]
    assert [message.documents[0].name for message in missing] == ["deathkitten-02", "deathkitten-03", "deathkitten-04"]
    assert all("HostProfile cpdp_c6100-primary does not exist" in message.message for message in missing)


@real_sites.needs_real_sites
def test_what_the_oldest_site_says_and_nobody_reads_is_a_warning() -> None:
    design = compile_design(real_sites.design("treasuremap-v1.8p-stl1"))
    warnings = [message.message for message in design.messages if message.level == "Warning"]
    assert any("unknown keys in sriov have no effect: device, num_vfs, promisc" in text for text in warnings)
    assert any("more than one Region" in text for text in warnings)


@real_sites.needs_real_sites
def test_an_empty_site_is_valid_with_warnings() -> None:
    design = compile_design(real_sites.design("aiab-demo"))
    assert {message.message for message in design.messages if message.level == "Warning"} == {
        "CIDR Validity: No networks found.",
        "IP Locality Check: No networks found.",
        "IP Locality Check: No baremetal_nodes found.",
        "Duplicated IP Check: No BaremetalNodes Found.",
    }


@real_sites.needs_real_sites
@pytest.mark.parametrize("name", real_sites.EXPECTED)
def test_effective_site_is_the_fields(name: str) -> None:
    site = compile_design(real_sites.design(name)).site
    found, wanted = site_form(site), real_sites.expected(name)["site"]
    for action in (*found["bootactions"], *wanted["bootactions"]):
        action["target_nodes"] = set(action["target_nodes"])
    # NOTE: the one difference is meant. Upstream Drydock never reads ``bootable``; we do, as documented.
    bootable = {
        (host["name"], device["name"], partition["name"])
        for host in found["nodes"]
        for device in host["storage_devices"]
        for partition in device["partitions"]
        if partition.pop("bootable")
    }
    for host in wanted["nodes"]:
        for device in host["storage_devices"]:
            for partition in device["partitions"]:
                assert partition.pop("bootable") is False
    assert {partition for *_, partition in bootable} <= {"root"}
    # As text: dictionaries compare without regard to order, but labels, for one, are used in theirs.
    assert json.dumps(found, indent=1, default=sorted) == json.dumps(wanted, indent=1, default=sorted)
