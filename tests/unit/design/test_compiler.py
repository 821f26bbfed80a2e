"""From text to site: every stage in place, every fault a message, nothing shared and nothing changed."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drydock.design.compiler import CompiledDesign, at_site, compile_design
from drydock.design.rules.platform import PlatformSelection
from drydock.model.host_profile import SlaveSelector, SrIov
from drydock.model.message import Level
from drydock.model.network import BondMode, Route
from tests.factories.documents import (
    boot_action,
    codes,
    compiled,
    document,
    dump,
    errors,
    hardware,
    link,
    names,
    network,
    node,
    profile,
    region,
    site,
    warnings,
)
from tests.unit.design import real_sites


def test_digest_is_of_the_text() -> None:
    assert compile_design(b"a: 1").digest == hashlib.sha256(b"a: 1").hexdigest()


def test_compiling_twice_gives_the_same() -> None:
    content = dump(
        network(
            "a", cidr="10.1.0.0/24", routedomain="d", routes=[{"routedomain": "d", "gateway": "10.1.0.1", "metric": 1}]
        ),
        network("b", cidr="10.2.0.0/24", routedomain="d"),
    )
    assert compile_design(content) == compile_design(content)


def test_nobody_can_change_a_compiled_site() -> None:
    found = site(node(metadata={"owner_data": {"a": "b"}}))
    for mapping in (found.nodes, found.networks, found.nodes["n1"].owner_data, found.nodes["n1"].interfaces):
        with pytest.raises(TypeError):
            mapping["x"] = 1  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.nodes["n1"].rack = "x"  # type: ignore[misc]


def test_credentials_are_not_in_repr() -> None:
    found = site(node(oob={"type": "ipmi", "credential": "hunter2"}))
    assert "hunter2" not in repr(found)


class TestKernelParameters:
    def test_references_and_order(self) -> None:
        found = site(
            hardware(
                cpu_sets={"kvm": "4-8"},
                hugepages={"big": {"size": "1G", "count": 12}, "small": {"size": "2M", "count": "7"}},
            ),
            node(
                platform={
                    "kernel_params": {
                        "isolcpus": "hardwareprofile:cpuset.kvm",
                        "hugepages": "hardwareprofile:hugepages.big.count",
                        "quiet": True,
                        "splash": False,
                        "text": "true",
                        "number": 5,
                        "hugepagesz": "hardwareprofile:hugepages.big.size",
                        "other": "hardwareprofile:hugepages.small.count",
                    }
                }
            ),
        ).nodes["n1"]
        assert found.kernel_param_string == (
            "hugepagesz=1G hugepages=12 isolcpus=4-8 quiet splash=False text=true number=5 other=7"
        )
        assert found.kernel_params["isolcpus"] == "4-8"

    def test_the_line_starts_with_a_space_without_huge_pages(self) -> None:
        assert site(node(platform={"kernel_params": {"a": "b"}})).nodes["n1"].kernel_param_string == " a=b"

    @pytest.mark.parametrize(
        "path", ["cpuset", "cpuset.none", "hugepages.none.size", "hugepages.big.colour", "gpu.x", ""]
    )
    def test_a_reference_that_leads_nowhere_stays_and_is_a_warning(self, path: str) -> None:
        design = compiled(
            hardware(hugepages={"big": {"size": "1G", "count": 1}}),
            node(platform={"kernel_params": {"x": f"hardwareprofile:{path}"}}),
        )
        assert design.valid
        assert design.site.nodes["n1"].kernel_param_string == f" x=hardwareprofile:{path}"
        assert warnings(design) == [
            f"BaremetalNode n1: kernel parameter reference hardwareprofile:{path} does not exist"
        ]


def test_device_aliases() -> None:
    aliases = {
        "nic": {"bus_type": "pci", "address": "0000:01:00.0", "dev_type": "NIC"},
        "disk": {"bus_type": "scsi", "address": "0:2.0.0"},
    }
    interface = {"device_link": "pxe", "slaves": ["nic", "disk", "eth0"], "networks": ["pxe"]}
    found = site(hardware(device_aliases=aliases), node(interfaces={"bond0": interface})).nodes["n1"]
    assert found.interfaces["bond0"].slave_selectors == (
        SlaveSelector("address", "0000:01:00.0", "NIC"),
        SlaveSelector("name", "disk"),
        SlaveSelector("name", "eth0"),
    )


def test_route_domains() -> None:
    marker = {"gateway": "10.1.0.1", "metric": 5, "routedomain": "d"}
    found = site(
        network("pxe"),
        network("a", cidr="10.1.0.0/24", routedomain="d", routes=[marker, {**marker, "gateway": "10.1.0.9"}]),
        network("b", cidr="10.2.0.0/24", routedomain="d"),
        network("c", cidr="10.3.0.0/24", routedomain="d", routes=[{"gateway": "10.3.0.1", "routedomain": "d"}]),
        link(allowed_networks=["pxe", "a", "b", "c"]),
        node(),
    ).networks
    assert found["a"].routes[2:] == (Route("10.2.0.0/24", "10.1.0.1", "5"), Route("10.3.0.0/24", "10.1.0.1", "5"))
    assert found["a"].routes[0] == Route(None, "10.1.0.1", "5", "d")
    assert found["b"].routes == ()
    assert len(found["c"].routes) == 1


@pytest.mark.parametrize("mode", ["802.3ad", "active-backup", "balance-rr", "balanced-rr", "disabled"])
def test_every_documented_bond_mode(mode: str) -> None:
    bonding = site(link(bonding={"mode": mode}), node()).network_links["pxe"].bonding
    assert bonding.mode == mode.replace("balanced", "balance")
    assert (bonding.hash, bonding.peer_rate) == (("layer3+4", "fast") if mode == "802.3ad" else (None, None))
    assert bonding.up_delay == (None if bonding.mode is BondMode.DISABLED else 200)


def test_sriov() -> None:
    found = site(node(interfaces={"a": {"sriov": {}}, "b": {"sriov": {"vf_count": 4, "trustmode": True}}, "c": {}}))
    interfaces = found.nodes["n1"].interfaces
    assert [interfaces[name].sriov for name in "abc"] == [SrIov(), SrIov(4, trustedmode=True), None]


def test_the_domain_is_the_primary_networks() -> None:
    found = site(network(dns={"domain": "example.invalid"}), node(primary_network="pxe"), node("n2", "10.0.0.12"))
    assert [host.fqdn for host in found.nodes.values()] == ["n1.example.invalid", "n2.local"]


def test_a_null_interface_takes_an_inherited_one_away() -> None:
    interface = {"device_link": "pxe", "networks": ["pxe"]}
    found = site(
        profile(interfaces={"a": interface, "b": interface}, hardware_profile="server"),
        node(host_profile="base", interfaces={"a": None}),
        node("n2", "10.0.0.12", interfaces={"a": None}),
    )
    assert [list(host.interfaces) for host in found.nodes.values()] == [["b"], []]


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (network("x", cidr=None), "schema validation error: cidr"),
        (document("Network", "x", {}), "cidr is missing"),
        (document("NetworkLink", "x", {}), "allowed_networks is missing"),
        (link("x", bonding={"mode": "magic"}), "bonding.mode must be one of disabled, 802.3ad"),
        (link("x", trunking={"mode": "magic"}), "trunking.mode must be one of disabled, 802.1q"),
        (link("x", mtu=1500.5), "mtu must be a whole number"),
        (hardware("x", device_aliases={"a": {"bus_type": "pci"}}), "device_aliases.a.address is missing"),
        (hardware("x", hugepages={"a": {"size": "1G", "count": "many"}}), "hugepages.a.count must be a whole number"),
        (region(tag_definitions=[{"tag": "t", "definition": "d"}]), "t: definition_type is missing"),
        (document("BootAction", "x", {}), "assets is missing"),
        (profile("x", storage={"physical_devices": {"sda": {"partitions": [{}]}}}), "partitions: name is missing"),
        (node("x", addressing=[]), "addressing is missing"),
        (node("x", addressing=[{"network": "pxe"}]), "the address on network pxe is missing"),
        (node("x", addressing=[{"address": "10.0.0.1"}]), "network is missing"),
        (node("x", hardware_profile=None), "hardware_profile is not set"),
        (node("x", hardware_profile="nothing"), "HardwareProfile nothing does not exist"),
        (node("x", host_profile="nothing"), "HostProfile nothing does not exist"),
    ],
)
def test_what_no_schema_tells(part: dict[str, Any], text: str) -> None:
    design = compiled(part)
    (found,) = [message for message in design.messages if message.error]
    assert text in found.message
    assert found.documents[0].name == part["metadata"]["name"]
    assert design.broken


def asset(**body: Any) -> dict[str, Any]:
    return boot_action(assets=[{"type": "file", "path": "/x", "data": "", **body}])


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (asset(data={"a": "b"}), "assets[0].data must be a string"),
        (asset(type="pkg_list"), "assets[0].data of a pkg_list must map package to version"),
        (boot_action(assets=[{"type": "file", "path": "/x"}]), "assets[0] has neither data nor location"),
        (asset(permissions="x644"), "assets[0].permissions must be octal"),
        (asset(permissions="999"), "assets[0].permissions must be octal"),
        (asset(path="/etc/../root"), "assets[0].path: must not contain .."),
        (asset(path="/etc/"), "assets[0].path: must be the absolute path of a file"),
        (asset(path="/a\x7fb"), "assets[0].path: must not contain control characters"),
        (asset(path="//./"), "assets[0].path: must be the absolute path of a file"),
        (
            boot_action(node_filter={"filter_set_type": "union", "filter_set": [{}]}),
            "filter_set[0].filter_type: is required",
        ),
        (boot_action(node_filter={"filter_set": []}), "node_filter.filter_set_type: is required"),
    ],
)
def test_what_is_wrong_with_a_boot_action(part: dict[str, Any], text: str) -> None:
    design = compiled(node(), part)
    assert codes(design) == ["DD000"]
    assert text in errors(design)[0]


def test_host_profiles_in_a_circle() -> None:
    design = compiled(profile("a", host_profile="b"), profile("b", host_profile="a"), node(host_profile="a"))
    assert errors(design) == ["Error compiling BaremetalNode n1: host profiles inherit in a circle: a < b < a"]
    assert len(warnings(design)) == 2


def test_a_profile_nobody_uses_may_be_unfinished() -> None:
    design = compiled(profile("loose", host_profile="nowhere"), node())
    assert design.valid
    assert warnings(design) == ["HostProfile loose cannot be used: HostProfile nowhere does not exist"]


def test_what_a_broken_document_explains_is_not_said_again() -> None:
    design = compiled(
        profile("base", bogus=1),
        hardware("broken", bogus=1),
        network("gone", bogus=1),
        profile("heir", host_profile="base"),
        hardware(),
        network(),
        node("n1", host_profile="heir"),
        node("n2", hardware_profile="broken"),
        node("n3", "10.9.9.9"),
        node("n4", addressing=[{"network": "gone", "address": "10.0.0.1"}]),
    )
    assert codes(design) == ["DD001", "DD001", "DD001", "DD2002"]
    assert "10.9.9.9" in errors(design)[3]


def told(design: CompiledDesign) -> list[str]:
    """The codes of what is held against the design; not that the trunk of ``compiled`` has a network without a tag."""
    return [item.code for item in design.messages if item.level is not Level.INFO and item.code != "DD5009"]


def test_broken_documents_hide_neither_errors_nor_warnings_of_the_others() -> None:
    design = compiled(
        region(bogus=1),
        network(ranges=[{"type": "static", "start": "10.0.0.20", "end": "10.0.0.30"}]),
        node("n1", "10.0.0.11", interfaces={"loose": {}}, metadata={"rack": "r9"}),
        node("n2", "10.0.0.11"),
        document("Rack", "r1", {}),
    )
    assert told(design) == ["DD001", "DD2005", "DD4001", "DD5003", "DD5003", "DD5007", "DD5008"]
    assert not any("Validation successful" in message.message for message in design.messages)


def test_warnings_that_a_broken_document_explains_are_not_given() -> None:
    design = compiled(
        network(bogus=1),
        link(bogus=1),
        document("Rack", "r1", {"bogus": 1}),
        document("Rack", "r2", {}),
        node("n1", interfaces={"a": {"device_link": "pxe"}}, metadata={"rack": "r1"}, primary_network="pxe"),
        boot_action("unread", bogus=1),
    )
    assert told(design) == ["DD001"] * 4


@pytest.mark.parametrize("unreadable", ["schema: [", "just text", "schema: drydock/BootAction/v1\nmetadata: {}\n"])
def test_what_nobody_could_read_may_be_what_is_missing(unreadable: str) -> None:
    others = dump(network(), link(), hardware(), node("n1"), node("n2", "10.0.0.11"))
    design = compile_design(b"---\n" + unreadable.encode() + b"\n---\n" + others)
    assert told(design) == ["DD000", "DD2005"]


def test_malformed_yaml_hides_no_error_and_makes_none_up() -> None:
    broken = b"schema: drydock/HostProfile/v1\nmetadata: {name: base}\ndata: {oob: [}\n---\n"
    others = dump(
        network(cidr="10.0.0.1/24"),
        link(),
        hardware(),
        node("n1", host_profile="base"),
        node("n2", addressing=[{"network": "nowhere", "address": "10.0.0.3"}]),
        boot_action(node_filter={"filter_set_type": "union", "filter_set": []}),
    )
    design = compile_design(broken + others)
    assert told(design) == ["DD000", "DD2006", "DD5022"]
    assert "line 3" in errors(design)[0]
    assert codes(compile_design(broken.replace(b"[}", b"{}}") + others)) == ["DD1001", "DD2006", "DD2002"]


def test_no_node_is_not_the_news_when_each_has_an_error_of_its_own() -> None:
    assert told(compiled(node("n1", hardware_profile="nowhere"), boot_action(signaling=False))) == ["DD000"]


def test_what_the_provisioner_offers_is_said_where_nothing_was_known_of_it() -> None:
    design = compiled(node(platform={"image": "bionic"}), boot_action())
    there = at_site(design, PlatformSelection({"jammy": ["ga-22.04"]}))
    (error,) = errors(there)
    assert (design.valid, there.valid) == (True, False)
    assert error == "Platform Selection: Platform Validation: invalid image bionic on BaremetalNode n1"
    rules = [message.rule for message in there.messages]
    assert rules[rules.index("platform-selection") + 1] == "network-bonds"
    assert at_site(there, PlatformSelection()) == design


def test_an_image_that_is_not_offered_is_told_beside_broken_documents() -> None:
    design = at_site(compiled(region(bogus=1), node(platform={"image": "bionic"})), PlatformSelection({}))
    assert codes(design) == ["DD001", "DD3001"]


def test_duplicate_names_are_warnings() -> None:
    design = compiled(
        node(metadata={"rack": "first"}),
        node("n1", "10.0.0.12"),
        boot_action("same"),
        boot_action("same"),
        profile("p"),
        profile("p"),
    )
    assert design.valid
    assert design.site.nodes["n1"].rack == "first"
    assert names(design.site.boot_actions) == ["same", "same"]
    assert warnings(design) == [
        "BaremetalNode n1: there is more than one BaremetalNode of this name: the first one is used",
        "BootAction same: there is more than one BootAction of this name: all of them are used",
        "HostProfile p: there is more than one HostProfile of this name: the first one is used",
    ]


def test_the_last_region_counts() -> None:
    first, last = region(authorized_keys=["a"]), region(authorized_keys=["b"])
    found = site(first, {**last, "metadata": {"name": "other"}}, node())
    assert found.region is not None
    assert (found.region.name, found.region.authorized_keys) == ("other", ("b",))


def test_suspicions() -> None:
    design = compiled(
        profile(storage={"physical_devices": {"sda": {"volume_group": "vg", "partitions": [{"name": "p"}]}}}),
        node(interfaces={"a": {"sriov": {"num_vfs": 4}}, "b": None}),
        link(bonding={"mode": "disabled", "hash": "layer2"}),
    )
    assert design.valid
    assert warnings(design) == [
        "HostProfile base: device sda has a volume_group and partitions: the partitions have no effect",
        "BaremetalNode n1: interface a: unknown keys in sriov have no effect: num_vfs",
        "NetworkLink pxe: bonding is disabled, so its options have no effect: hash",
    ]


def test_repositories_and_racks() -> None:
    repositories = {
        "remove_unlisted": True,
        "main": {"url": "http://a.invalid", "repo_type": "apt", "components": ["x"]},
    }
    racks = {
        "tor_switches": {"s": {"mgmt_ip": "10.0.0.1", "sdn_api_uri": "https://s.invalid"}},
        "location": {"floor": 7},
    }
    found = site(region(repositories=repositories), document("Rack", "r", {**racks, "labels": {"a": True}}), node())
    assert found.region is not None
    assert found.region.repositories is not None
    (main,) = found.region.repositories
    assert (main.components, main.subrepos, main.arches) == (("x",), None, ("amd64",))
    assert found.region.remove_unlisted
    rack = found.racks["r"]
    assert (rack.tor_switches[0].sdn_api_url, dict(rack.location), dict(rack.labels)) == (
        "https://s.invalid",
        {"floor": "7"},
        {"a": "True"},
    )


_BASE = dump(
    region(), link(), network(), hardware(), profile(), node(host_profile="base"), boot_action(assets=[])
).splitlines(keepends=True)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(_BASE) - 1), st.sampled_from(["", "  x: [\n", "data: 5\n", "name: ~\n"]))))
def test_no_damage_to_a_design_crashes(damage: list[tuple[int, str]]) -> None:
    lines = list(_BASE)
    for line, text in damage:
        lines[line] = text.encode()
    design = compile_design(b"".join(lines))
    assert design.valid == (design.error_count == 0)


_words = st.sampled_from(["", "a", "!a", "10.0.0.1", "dhcp", "x" * 300, "\u2603", "10.0.0.0/99", "%", "."])
_junk = st.recursive(
    _words | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_words, inner, max_size=3),
    max_leaves=6,
)
_kinds = ["Region", "Rack", "NetworkLink", "Network", "HardwareProfile", "HostProfile", "BaremetalNode", "BootAction"]
_keys = st.sampled_from(
    [
        "cidr",
        "routes",
        "ranges",
        "allowed_networks",
        "bonding",
        "trunking",
        "interfaces",
        "storage",
        "oob",
        "platform",
        "metadata",
        "addressing",
        "assets",
        "host_profile",
        "hardware_profile",
        "primary_network",
        "device_aliases",
        "hugepages",
        "repositories",
        "tor_switches",
        "node_filter",
    ]
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.tuples(st.sampled_from(_kinds), _words, st.dictionaries(_keys, _junk)), max_size=5))
def test_no_document_crashes(parts: list[tuple[str, str, dict[str, Any]]]) -> None:
    design = compiled(*(document(kind, name, data) for kind, name, data in parts))
    assert design.valid == (design.error_count == 0)


@real_sites.needs_real_sites
def test_no_truncation_of_a_real_site_crashes() -> None:
    content = real_sites.design("treasuremap-v1.8p-stl1")
    for end in range(0, len(content), len(content) // 60):
        design = compile_design(content[:end])
        assert design.valid == (design.error_count == 0)


def test_more_routes_than_anybody_can_mean_are_an_error_and_cost_nothing() -> None:
    marker = {"gateway": "10.0.0.1", "metric": 1, "routedomain": "all"}
    networks = [network(f"n{number}", routedomain="all", routes=[marker]) for number in range(600)]
    design = compiled(*networks, link(allowed_networks=[]))
    assert "route domains make 360000 routes" in errors(design)[0]
