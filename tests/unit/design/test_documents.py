"""Documents: which are ours, which fit their schema, and what is said about the others."""

from __future__ import annotations

import pytest

from drydock.design.compiler import compile_design, compile_texts
from tests.factories.documents import (
    Body,
    boot_action,
    codes,
    compiled,
    document,
    dump,
    errors,
    hardware,
    link,
    network,
    node,
    profile,
    region,
    warnings,
)


def test_documents_of_other_services_are_nobodys_business() -> None:
    design = compile_design(dump({"schema": "promenade/Genesis/v1", "metadata": {}, "data": 5}))
    assert design.valid
    assert not warnings(design)


@pytest.mark.parametrize(
    "strange", [{"kind": "Pod"}, {"schema": "drydock/Region"}, {"schema": 5}, {"schema": "a/b/c/d"}]
)
def test_documents_without_a_schema_are_ignored_with_a_warning(strange: object) -> None:
    design = compile_design(dump(strange))
    assert design.valid
    assert warnings(design) == [
        "The document at line 1 has no schema of the form namespace/Kind/version and is ignored."
    ]


@pytest.mark.parametrize("strange", ["just text", ["a", "list"], 5])
def test_a_document_that_is_not_a_mapping(strange: object) -> None:
    design = compile_design(b"---\n" + dump(strange))
    assert codes(design) == ["DD000"]
    assert not design.valid


@pytest.mark.parametrize(("kind", "version"), [("Galaxy", "v1"), ("Region", "v2")])
def test_unknown_kind_or_version(kind: str, version: str) -> None:
    design = compile_design(dump({"schema": f"drydock/{kind}/{version}", "metadata": {"name": "x"}, "data": {}}))
    assert errors(design) == [f"Error processing document: Invalid document - Kind {kind} and Version {version}"]
    assert design.messages[0].documents[0].schema == f"drydock/{kind}/{version}"


@pytest.mark.parametrize("metadata", [None, {}, {"name": 5}, {"name": ""}, "text"])
def test_a_document_without_a_name(metadata: object) -> None:
    design = compile_design(dump({"schema": "drydock/Region/v1", "metadata": metadata, "data": {}}))
    assert errors(design) == [
        "Error processing document: metadata.name must be a string of 1 to 255 characters, "
        "none of them a control character, at line 1"
    ]


def test_missing_data_is_a_schema_error() -> None:
    design = compile_design(dump({"schema": "drydock/Region/v1", "metadata": {"name": "x"}}))
    assert errors(design) == ['Region:v1 schema validation error: [] is not of type "object" (line 1)']


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [
        ("Region", {"bogus": 1}, "('bogus' was unexpected)"),
        ("Region", {"authorized_keys": [{}]}, 'authorized_keys[0]: {} is not of type "string"'),
        ("Rack", {"location": []}, "location: "),
        ("NetworkLink", {"allowed_networks": ["a"], "bonding": {"speed": 1}}, "bonding: Additional properties"),
        ("Network", {"cidr": "10.0.0.0/24", "vlan": 100}, 'vlan: 100 is not of type "string"'),
        ("HardwareProfile", {"boot_mode": "floppy"}, 'boot_mode: "floppy" is not one of'),
        ("HostProfile", {"metadata": {"owner_data": {"a": 1}}}, 'metadata.owner_data.a: 1 is not of type "string"'),
        ("BaremetalNode", {"addressing": {}}, "addressing: "),
        ("BootAction", {"assets": [{}]}, 'assets[0]: "type" is a required property'),
        ("BootAction", {"assets": [{"type": "file", "permissions": 555}]}, "assets[0].permissions: 555 is not of type"),
    ],
)
def test_schema_errors_name_the_document_and_the_place(kind: str, data: object, text: str) -> None:
    design = compile_design(dump(document(kind, "it", data)))
    (found,) = [message for message in design.messages if message.error]
    assert (found.code, found.rule) == ("DD001", "schema")
    assert found.message.startswith(f"{kind}:v1 schema validation error: ")
    assert text in found.message
    assert [(item.schema, item.name) for item in found.documents] == [(f"drydock/{kind}/v1", "it")]


def test_all_errors_of_all_documents_are_reported() -> None:
    design = compiled(region(a=1, authorized_keys=5), network(vlan=5, mtu="x"), node(oob={"type": 5}))
    assert codes(design) == ["DD001"] * 5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("labels: {1: x}", "the key 1 is not of type 'string'"),
        ("labels: {since: 2017-02-17}", "labels.since: a date is not of type 'string'"),
        ("vlan: !!binary aGk=", "vlan: a bytes is not of type 'string'"),
    ],
)
def test_what_json_does_not_know(text: str, said: str) -> None:
    design = compile_design(f"schema: drydock/Network/v1\nmetadata: {{name: n}}\ndata: {{cidr: a, {text}}}".encode())
    assert codes(design) == ["DD001"]
    assert said in errors(design)[0]


@pytest.mark.parametrize("value", ["1:23:45", "1:23" * 50, ".inf", "x\u200b", "hunter2: x"])
def test_credentials_that_yaml_takes_for_something_else_are_not_repeated(value: str) -> None:
    text = f"schema: drydock/HostProfile/v1\nmetadata: {{name: n}}\ndata:\n  oob:\n    credential: {value}\n"
    design = compile_design(text.encode())
    assert not [message for message in design.messages if value[:4] in message.message and message.level != "Info"]


def test_credentials_are_not_repeated() -> None:
    design = compiled(node(oob={"type": "ipmi", "credential": 1234567}), profile(oob={"token": ["hunter2"]}))
    assert codes(design) == ["DD001", "DD001"]
    assert not any(secret in text for text in errors(design) for secret in ("1234567", "hunter2"))


def test_malformed_yaml_after_good_documents_says_where() -> None:
    design = compile_design(dump(region(bogus=1)) + b"---\nschema: [\n")
    assert codes(design) == ["DD001", "DD000"]
    assert "(line 9, column 1)" in errors(design)[1]
    assert design.broken.unknown
    assert not design.valid


def test_two_documents_run_together_are_a_warning_with_the_line() -> None:
    design = compile_design(b"schema: drydock/Region/v1\nmetadata: {name: x}\ndata: {}\ndata: {}\n")
    assert design.valid
    assert warnings(design) == [
        "Suspicious document: duplicate key 'data': the last one wins; a --- line is probably missing before it "
        "(line 4, column 1)"
    ]


def test_other_duplicate_keys_are_an_error_with_the_line() -> None:
    design = compile_design(b"schema: drydock/Network/v1\nmetadata: {name: x}\ndata:\n  cidr: 1.0.0.0/8\n  cidr: x\n")
    (found,) = [message for message in design.messages if message.error]
    assert (found.code, found.documents[0].name) == ("DD000", "x")
    assert "duplicate key 'cidr' (line 5, column 3)" in found.message


def test_a_mac_that_is_a_number_explains_itself() -> None:
    text = b"schema: drydock/BaremetalNode/v1\nmetadata: {name: x}\ndata:\n  metadata: {boot_mac: 52:54:00:41:13:01}\n"
    design = compile_design(text)
    assert "DD001" in [message.code for message in design.messages if message.error]
    assert any("put quotes around it (line 4, column 24)" in text for text in warnings(design))


class TestLegacyForm:
    """apiVersion, kind, spec: as strict as the other form, and both may be mixed."""

    def legacy(self, document: Body, version: str = "v1") -> Body:
        return {
            "apiVersion": f"drydock/{version}",
            "kind": document["schema"].split("/")[1],
            "metadata": {"name": document["metadata"]["name"], "region": "r", "date": "17-FEB-2017", "author": "a"},
            "spec": document["data"],
        }

    @pytest.mark.parametrize("version", ["v1", "1.0", "v1.1"])
    def test_mixed_streams_compile_to_the_same(self, version: str) -> None:
        parts = [
            network(routes=[{"subnet": "0.0.0.0/0", "gateway": "10.0.0.1"}]),
            link(),
            hardware(cpu_sets={"a": "1-2"}, hugepages={"b": {"size": "1G", "count": 2}}),
            node(interfaces={"eth0": {"device_link": "pxe", "networks": ["pxe"], "sriov": {"vf_count": 2}}}),
            boot_action(assets=[]),
        ]
        wanted = compile_design(dump(*parts))
        assert wanted.valid
        mixed = [self.legacy(part, version) if number % 2 else part for number, part in enumerate(parts)]
        for documents in (mixed, [self.legacy(part, version) for part in parts]):
            found = compile_design(dump(*documents))
            assert (found.site, found.messages) == (wanted.site, wanted.messages)

    def test_as_strict_and_messages_name_the_document(self) -> None:
        design = compile_design(dump(self.legacy(document("Network", "x", {"cidr": 7, "colour": "red"}))))
        found = [message for message in design.messages if message.error]
        assert [message.code for message in found] == ["DD001", "DD001"]
        assert {(ref.schema, ref.name) for message in found for ref in message.documents} == {
            ("drydock/Network/v1", "x")
        }

    @pytest.mark.parametrize("kind", ["Weather", None, 7, "Region/v1"])
    def test_unknown_kinds(self, kind: object) -> None:
        design = compile_design(dump({"apiVersion": "drydock/v1", "kind": kind, "metadata": {"name": "x"}, "spec": {}}))
        assert codes(design) == ["DD000"]

    def test_promenade_is_nobodys_business(self) -> None:
        promenade = {"apiVersion": "promenade/v1", "kind": "Network", "metadata": {"name": "x"}, "spec": {"a": [1]}}
        design = compile_design(dump(promenade, {"apiVersion": "promenade/v1"}))
        assert design.valid
        assert warnings(design) == []


def test_nothing_at_all_is_a_valid_design() -> None:
    assert compile_design(b"").valid
    assert compile_design(b"---\n---\n").valid


PLACES = """\
---
schema: drydock/Network/v1
metadata: {name: oam}
data:
  cidr: 10.0.0.0/24
  vlna: '5'
  ranges:
  - {type: static, start: 10.0.0.1, end: 10.0.0.2}
  - type: static
    start: [1]
    end: 10.0.0.2
---
metadata: {name: base}
spec:
  metadata:
    owner_data: {a: x,
      b: 5}
  interfaces: &interfaces
    eth0: {slaves: no}
kind: HostProfile
apiVersion: drydock/v1
"""


def test_schema_errors_name_file_and_line_of_what_is_wrong() -> None:
    design = compile_texts({"site/ok.yaml": dump(region()), "site/bad.yaml": PLACES.encode()})
    assert [message.message.rpartition(" (")[2] for message in design.messages if message.code == "DD001"] == [
        "site/bad.yaml line 10)",
        "site/bad.yaml line 6)",
        "site/bad.yaml line 17)",
        "site/bad.yaml line 19)",
    ]


@pytest.mark.parametrize(
    ("part", "hint"),
    [
        (network("x", vlna="5"), "'vlna' was unexpected); did you mean vlan?"),
        (hardware("x", boot_mode="uefy"), '"uefy" is not one of "bios" or "uefi"; did you mean uefi?'),
        (node("x", hardware_profile="sever"), "HardwareProfile sever does not exist; did you mean server?"),
        (profile("y", host_profile="bse"), "HostProfile bse does not exist; did you mean base?"),
        (document("NetworkLnk", "x", {}), "did you mean NetworkLink?"),
        (
            node("x", primary_network="pex"),
            "the primary network of node x, does not exist; did you mean pxe?",
        ),
        (node("x", metadata={"rack": "rakc1"}), "not described by any Rack document; did you mean rack1?"),
        (
            node("x", interfaces={"a": {"device_link": "pex"}}),
            "which does not exist on BaremetalNode x; did you mean pxe?",
        ),
    ],
)
def test_what_was_probably_meant_is_told(part: Body, hint: str) -> None:
    design = compiled(profile("base"), document("Rack", "rack1", {}), hardware("server"), part)
    assert any(hint in message.message for message in design.messages), [item.message for item in design.messages]


def test_one_fault_of_a_profile_is_told_once() -> None:
    bad = {"eth0": {"device_link": "nowhere", "networks": ["pxe"]}}
    addresses = [f"10.0.0.{number}" for number in range(11, 25)]
    nodes = [node(f"n{number}", address, host_profile="base") for number, address in enumerate(addresses)]
    design = compiled(
        profile("base", hardware_profile="server", storage={}, interfaces=bad, primary_network="x"), *nodes
    )
    for rule in ("allowed-networks", "known-networks", "boot-storage", "bootaction-scope"):
        (found,) = [message for message in design.messages if message.rule == rule and message.level != "Info"]
        assert found.documents[-1].name == "base" or rule == "bootaction-scope"
        assert "n0, n1, n2, n3, n4 and 9 more (14 in all)" in found.message
        assert len(found.documents) == 11


def test_one_fault_of_a_profile_that_stops_nodes_is_told_once() -> None:
    nodes = [node(f"n{number}", f"10.0.0.{number}", host_profile="base", hardware_profile=None) for number in range(9)]
    design = compiled(profile("base", hardware_profile="nothing"), *nodes)
    assert errors(design) == [
        "Error compiling BaremetalNode n0, n1, n2, n3, n4 and 4 more (9 in all): HardwareProfile nothing does not exist"
    ]
