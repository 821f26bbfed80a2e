"""Machines that say what they found out about themselves."""

from __future__ import annotations

import json
from typing import Any

import pytest

from drydock.model.machine_limits import MAX_KEPT_BYTES, MAX_KEPT_ROWS
from tests.api.conftest import Client
from tests.api.seeds import Seeds

DATA: dict[str, Any] = {"generator": "lshw", "format": "application/json", "element": '{"id": "n01"}\n'}


@pytest.mark.parametrize("prefix", ["/bootdata", "/bootactions/nodes"])
def test_it_is_shown_as_clients_know_it(nobody: Client, reader: Client, seeds: Seeds, prefix: str) -> None:
    node = seeds.booted_node("n01")
    answer = nobody.post(f"{prefix}/n01/builddata", DATA, headers=node.header)
    assert (answer.status_code, answer.json) == (201, {})
    nobody.post(f"{prefix}/n01/builddata", {**DATA, "element": "newer"}, headers=node.header)
    nobody.post(f"{prefix}/n01/builddata", {**DATA, "generator": "dmidecode"}, headers=node.header)
    shown = reader.get("/nodes/n01/builddata").json
    assert shown[0].pop("collected_date")
    assert shown[0] == {
        "node_name": "n01",
        "task_id": str(node.task_id),
        "generator": "lshw",
        "data_format": "application/json",
        "data_element": '{"id": "n01"}\n',
    }
    latest = reader.get("/nodes/n01/builddata?latest=True").json
    assert [(item["generator"], item["data_element"]) for item in latest] == [
        ("lshw", "newer"),
        ("dmidecode", DATA["element"]),
    ]
    assert len(reader.get(f"/tasks/{node.task_id}/builddata").json) == 3
    assert reader.get(f"/tasks/{node.task_id}").json["machine"]["last_contact"]


def test_who_may(nobody: Client, seeds: Seeds) -> None:
    seeds.booted_node("n01")
    other = seeds.booted_node("n02")
    assert nobody.post("/bootdata/n01/builddata", DATA).status_code == 401
    assert nobody.post("/bootdata/n01/builddata", DATA, headers=other.header).status_code == 403
    assert nobody.post("/bootdata/n03/builddata", DATA, headers=other.header).status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"generator": ""}, "generator"),
        ({"generator": "x" * 256}, "generator"),
        ({"format": "a\nb"}, "format"),
        ({"element": 1}, "element"),
        ({"element": "\x1b"}, "element"),
        ({"more": 1}, "more"),
    ],
)
def test_bad_input_names_the_field(nobody: Client, seeds: Seeds, change: dict[str, Any], field: str) -> None:
    node = seeds.booted_node("n01")
    refused = nobody.post("/bootdata/n01/builddata", {**DATA, **change}, headers=node.header)
    assert (refused.status_code, refused.json["reason"]) == (400, "invalid_input")
    assert refused.json["message"].startswith(field)


@pytest.mark.parametrize("driver", ["ironic", "ironic-cleaning", "redfish", "simulated"])
def test_no_machine_speaks_for_a_driver(nobody: Client, reader: Client, seeds: Seeds, driver: str) -> None:
    """What a driver found goes before what a machine says of itself."""
    node, other = seeds.booted_node("n01"), seeds.booted_node("n02")
    facts = {"vendor": "Acme", "bios_version": "1", "disks": [], "nics": []}
    data = {**DATA, "generator": driver, "element": json.dumps(facts)}
    refused = nobody.post("/bootdata/n01/builddata", data, headers=node.header)
    assert (refused.status_code, refused.json["reason"]) == (400, "invalid_input")
    assert refused.json["message"].startswith("generator: is the name of a driver")
    assert nobody.post("/bootdata/n01/builddata", data, headers=other.header).status_code == 403
    assert reader.get("/nodes/n01/builddata").status_code == 404
    own = {**data, "generator": "hardware-facts"}
    assert nobody.post("/bootdata/n01/builddata", own, headers=node.header).status_code == 201
    assert [source["generator"] for source in reader.get("/nodes/n01").json["sources"]] == ["hardware-facts"]


def test_it_is_bounded(nobody: Client, reader: Client, seeds: Seeds) -> None:
    node = seeds.booted_node("n01")
    large = nobody.post("/bootdata/n01/builddata", {**DATA, "element": "x" * 1024 * 1024}, headers=node.header)
    assert large.status_code == 413
    nobody.post("/bootdata/n01/builddata", {**DATA, "element": "1"}, headers=node.header)
    with seeds.database.unit_of_work() as uow:
        context_id = uow.boot_contexts.live_context("n01")
        assert context_id is not None
        uow.boot_contacts.keep(context_id, kept_bytes=MAX_KEPT_BYTES - 3)
        uow.commit()
    assert nobody.post("/bootdata/n01/builddata", {**DATA, "element": "é"}, headers=node.header).status_code == 201
    full = nobody.post("/bootdata/n01/builddata", {**DATA, "element": "1"}, headers=node.header)
    assert (full.status_code, full.json["reason"]) == (409, "conflict")
    assert len(reader.get("/nodes/n01/builddata").json) == 2


def test_pieces_without_a_byte_in_them_are_counted_too(nobody: Client, reader: Client, seeds: Seeds) -> None:
    node = seeds.booted_node("n01")
    with seeds.database.unit_of_work() as uow:
        context_id = uow.boot_contexts.live_context("n01")
        assert context_id is not None
        uow.boot_contacts.keep(context_id, kept_rows=MAX_KEPT_ROWS - 2)
        uow.commit()
    answers = [
        nobody.post("/bootdata/n01/builddata", {**DATA, "element": ""}, headers=node.header).status_code
        for _ in range(4)
    ]
    assert answers == [201, 201, 409, 409]
    files = [{"path": f"/l{number}", "content": "", "encoding": "base64"} for number in range(8)]
    event = {"name": "late-commands", "event_type": "finish", "description": "", "files": files}
    assert nobody.post("/bootdata/n01/events", event, headers=node.header).status_code == 200
    assert len(reader.get("/nodes/n01/builddata").json) == 2
    with seeds.database.unit_of_work() as uow:
        told = [message.message for message in uow.tasks.get(node.task_id).result.messages]
    assert told[1:] == ["log files left out, for their size: /l0, /l1, /l2, /l3, /l4 and 3 more"]


def test_what_was_sent_is_counted_as_it_comes(nobody: Client, seeds: Seeds) -> None:
    node = seeds.booted_node("n01")
    nobody.post("/bootdata/n01/builddata", DATA, headers=node.header)
    files = [{"path": f"/l{number}", "content": "eA==", "encoding": "base64"} for number in range(3)]
    event = {"name": "e", "event_type": "finish", "files": files}
    nobody.post("/bootdata/n01/events", event, headers=node.header)
    with seeds.database.unit_of_work() as uow:
        context_id = uow.boot_contexts.live_context("n01")
        assert context_id is not None
        kept = uow.boot_contacts.record_contact(context_id, node.task_id)
    assert (kept.events, kept.kept_rows, kept.kept_bytes) == (1, 4, len(str(DATA["element"]).encode()) + 3)
