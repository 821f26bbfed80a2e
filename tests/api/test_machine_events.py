"""Installers that post their progress: as cloud-init and curtin do, with no header of their own."""

from __future__ import annotations

import base64
import json
import logging
from typing import Any

import pytest

from drydock.bootaction.keys import events_token
from drydock.model.machine_limits import MAX_EVENTS, MAX_LOG_BYTES
from tests.api.conftest import Client, logged_requests
from tests.api.seeds import BootedNode, Seeds
from tests.eventually import eventually

EVENT: dict[str, Any] = {
    "name": "cmd-install/stage-partitioning",
    "description": "preparing for installation",
    "event_type": "finish",
    "origin": "curtin",
    "timestamp": 1767225600.5,
    "result": "SUCCESS",
    "duration": 1.25,
    "later_versions": "may say more",
}


@pytest.fixture
def node(seeds: Seeds) -> BootedNode:
    return seeds.booted_node("n01")


def token(node: BootedNode) -> str:
    return events_token(bytes.fromhex(node.key)).hex()


def oauth(secret: str) -> dict[str, str]:
    """The header that oauthlib makes for PLAINTEXT."""
    fields = {
        "oauth_nonce": "1", "oauth_timestamp": "2", "oauth_version": "1.0", "oauth_signature_method": "PLAINTEXT",
        "oauth_consumer_key": "n01", "oauth_token": "n01", "oauth_signature": f"%26{secret}",
    }  # fmt: skip
    return {"Authorization": "OAuth " + ", ".join(f'{name}="{value}"' for name, value in fields.items())}


def task(reader: Client, node: BootedNode) -> Any:
    return reader.get(f"/tasks/{node.task_id}").json


def messages(reader: Client, node: BootedNode) -> list[Any]:
    found = task(reader, node)["result"]["details"]["messageList"]
    return [message for message in found if message["context_type"] == "installer"]


@pytest.mark.parametrize("prefix", ["/bootdata", "/bootactions/nodes"])
@pytest.mark.parametrize("way", ["path", "oauth", "key"])
@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded", None])
def test_an_event_becomes_a_message_of_the_subtask(
    nobody: Client, reader: Client, node: BootedNode, prefix: str, way: str, content_type: str | None
) -> None:
    path = f"{prefix}/n01/events" + (f"/{token(node)}" if way == "path" else "")
    headers = {"path": {}, "oauth": oauth(token(node)), "key": node.header}[way]
    assert task(reader, node)["machine"] == {"first_contact": None, "last_contact": None, "stage": None}
    first = nobody("POST", path, body=falcon_json({**EVENT, "event_type": "start", "result": None}), headers=headers)
    assert first.status_code == 200
    more = {**headers, "Content-Type": content_type} if content_type else headers
    assert nobody("POST", path, body=falcon_json(EVENT), headers=more).status_code == 200
    start, end = messages(reader, node)
    assert start["message"] == "cmd-install/stage-partitioning: preparing for installation"
    assert end["message"] == "cmd-install/stage-partitioning: preparing for installation (SUCCESS)"
    assert (end["error"], end["context"]) == (False, "curtin")
    assert end["extra"] == {
        "name": EVENT["name"], "event_type": "finish", "result": "SUCCESS", "timestamp": 1767225600.5, "duration": 1.25,
    }  # fmt: skip
    machine = task(reader, node)["machine"]
    assert machine["stage"] == "cmd-install/stage-partitioning: SUCCESS"
    assert machine["first_contact"] < machine["last_contact"]


def falcon_json(value: object) -> bytes:
    return json.dumps(value).encode()


def test_a_machine_that_posts_no_events_was_heard_of_too(
    nobody: Client, reader: Client, node: BootedNode, seeds: Seeds
) -> None:
    other = seeds.booted_node("n02")
    assert nobody.get("/bootdata/n01/units", headers={"X-Bootaction-Key": "0" * 64}).status_code == 403
    assert nobody.get("/bootdata/n02/units", headers=other.header).status_code == 200
    fetched = eventually(lambda: task(reader, other)["machine"], lambda machine: machine["first_contact"])
    assert fetched["first_contact"] == fetched["last_contact"]
    assert task(reader, node)["machine"]["first_contact"] is None, "that was somebody else"


def test_a_machine_that_only_reports_was_heard_of_too(nobody: Client, reader: Client, node: BootedNode) -> None:
    reported = nobody.post(f"/bootaction/{next(iter(node.actions.values()))}", {}, headers=node.header)
    assert reported.status_code == 200
    assert eventually(lambda: task(reader, node)["machine"], lambda machine: machine["last_contact"])


def test_a_failed_step_is_an_error(nobody: Client, reader: Client, node: BootedNode) -> None:
    nobody.post("/bootdata/n01/events", {**EVENT, "result": "FAIL"}, headers=node.header)
    assert messages(reader, node)[0]["error"] is True


def test_log_files_become_build_data(nobody: Client, reader: Client, node: BootedNode) -> None:
    def file(path: str, content: bytes) -> dict[str, str]:
        return {"path": path, "content": base64.b64encode(content).decode(), "encoding": "base64"}

    long = b"x" * MAX_LOG_BYTES + b"the end \xff\x00"
    files = [file("/var/log/a", b"one\n"), file("/tmp/install.log", long)]
    assert nobody.post("/bootdata/n01/events", {**EVENT, "files": files}, headers=node.header).status_code == 200
    assert nobody.post("/bootdata/n01/events", {**EVENT, "files": files[:1]}, headers=node.header).status_code == 200
    kept = reader.get("/nodes/n01/builddata?latest=true").json
    assert [(item["generator"], item["data_format"]) for item in kept] == [
        ("curtin:/tmp/install.log", "text/plain"),
        ("curtin:/var/log/a", "text/plain"),
    ]
    assert kept[0]["data_element"].endswith("the end \ufffd\ufffd")
    assert len(kept[0]["data_element"]) == MAX_LOG_BYTES
    assert len(reader.get("/nodes/n01/builddata").json) == 3


def test_what_one_machine_may_leave_behind_is_bounded(
    nobody: Client, reader: Client, seeds: Seeds, node: BootedNode
) -> None:
    with seeds.database.unit_of_work() as uow:
        context_id = uow.boot_contexts.live_context("n01")
        assert context_id is not None
        uow.boot_contacts.keep(context_id, events=MAX_EVENTS - 1, kept_bytes=32 * 1024 * 1024)
        uow.commit()
    files = [{"path": "/l", "content": base64.b64encode(b"x").decode(), "encoding": "base64"}]
    for number in range(3):
        event = {**EVENT, "name": f"e{number}", "files": files}
        assert nobody.post("/bootdata/n01/events", event, headers=node.header).status_code == 200
    assert [message["message"] for message in messages(reader, node)] == [
        "e0: preparing for installation (SUCCESS)",
        "log files left out, for their size: /l",
        f"{MAX_EVENTS} events of this machine are kept: no more will be",
    ]
    assert reader.get("/nodes/n01/builddata").status_code == 404
    assert task(reader, node)["machine"]["stage"] == "e2: SUCCESS"


def test_who_may_post(nobody: Client, seeds: Seeds, node: BootedNode) -> None:
    other = seeds.booted_node("n02")
    path = "/bootdata/n01/events"
    assert nobody.post(path, EVENT).status_code == 401
    for headers in (
        {"Authorization": "Basic xyz"},
        {"Authorization": "OAuth oauth_token=1"},
        {"Authorization": "x" * 9000},
    ):
        assert nobody.post(path, EVENT, headers=headers).status_code == 401
    for secret in (token(other), "0" * 64, "x", "", node.key[:-1]):
        refused = nobody.post(path, EVENT, headers=oauth(secret))
        assert (refused.status_code, refused.json["reason"]) == (403, "forbidden")
        assert not secret or secret not in refused.json["message"]
    for wrong in (token(other), "0" * 64, "zz"):
        assert nobody.post(f"{path}/{wrong}", EVENT).status_code == 403
    assert nobody.post("/bootdata/n03/events", EVENT, headers=oauth("0" * 64)).status_code == 404


def test_the_token_opens_nothing_else(nobody: Client, node: BootedNode) -> None:
    header = {"X-Bootaction-Key": token(node)}
    for name in ("files", "units", "script"):
        assert nobody.get(f"/bootdata/n01/{name}", headers=header).status_code == 403
        assert nobody.get(f"/bootdata/n01/{name}", headers=oauth(token(node))).status_code == 403
    data = {"generator": "g", "format": "f", "element": "e"}
    assert nobody.post("/bootdata/n01/builddata", data, headers=header).status_code == 403
    assert nobody.post(f"/bootaction/{node.actions['greet']}", {}, headers=header).status_code == 403


def test_a_new_deployment_revokes_the_token(nobody: Client, seeds: Seeds, node: BootedNode) -> None:
    old = token(node)
    seeds.booted_node("n01")
    assert nobody.post(f"/bootdata/n01/events/{old}", EVENT).status_code == 403


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"event_type": 1}, "event_type"),
        ({"description": "x" * 10_001}, "description"),
        ({"files": [{"path": "/l", "content": "x", "encoding": "base64"}]}, "files[0].content"),
        ({"files": [{"path": "/l", "content": "%%%%", "encoding": "base64"}]}, "files[0].content"),
        ({"files": [{"path": "/l", "content": "x", "encoding": "hex"}]}, "files[0].encoding"),
        ({"files": [{"path": "/l"}]}, "files[0]"),
        ({"description": "\u0000"}, "description"),
    ],
)
def test_what_is_no_event_is_400(nobody: Client, node: BootedNode, change: dict[str, Any], field: str) -> None:
    refused = nobody.post("/bootdata/n01/events", {**EVENT, **change}, headers=node.header)
    assert (refused.status_code, refused.json["reason"]) == (400, "invalid_input")
    assert refused.json["message"].startswith(field)


def test_a_body_too_large_is_413(nobody: Client, node: BootedNode) -> None:
    headers = {**node.header, "Content-Length": str(9 * 1024 * 1024)}
    assert nobody("POST", "/bootdata/n01/events", body=b"{}", headers=headers).status_code == 413


@pytest.mark.parametrize("ending", ["", "/", "/x", "/x/y"])
def test_the_token_is_not_logged(
    nobody: Client, node: BootedNode, caplog: pytest.LogCaptureFixture, ending: str
) -> None:
    caplog.set_level(logging.DEBUG)
    results = [
        nobody.post(f"/bootdata/n01/{events}/{secret}{ending}", EVENT)
        for secret in (token(node), token(node).upper())
        for events in ("events", "EVENTS")
    ]
    logged_requests(caplog, *(result.headers["X-Drydock-Req"] for result in results))
    logged = "\n".join(str(record.__dict__) for record in caplog.records)
    assert "/bootdata/n01/events/***" in logged
    assert token(node) not in logged.lower()
