"""Bad input of every kind gets a 4xx that names the field, and never a 5xx."""

from __future__ import annotations

import io
import json
from typing import Any
from uuid import uuid4

import pytest
from falcon.testing import create_environ

from tests.api.conftest import Client
from tests.api.seeds import Seeds
from tests.api.test_access import NODE_PATHS, OPERATOR_CALLS, POSTED, filled

REF = "drydock://designs/" + "0" * 64
TASK = {"action": "deploy_nodes", "design_ref": REF}
MIB = 1024 * 1024
JSON = {"Content-Type": "application/json"}


def union(**members: Any) -> dict[str, Any]:
    return {"filter_set_type": "union", "filter_set": [{"filter_type": "union", **members}]}


def refused(result: Any, status: int, field: str) -> None:
    assert result.status_code == status, result.text
    body = result.json
    assert body["type"] == "error"
    assert (body["kind"], body["code"], body["retry"]) == ("Status", status, False)
    assert body["message"].startswith(field), body["message"]
    assert len(result.content) < 4000


BODIES: list[tuple[Any, str]] = [
    ([], "body"),
    ("deploy", "body"),
    (None, "body"),
    ({}, "action"),
    ({"action": "deploy_nodes"}, "design_ref"),
    ({**TASK, "action": "explode"}, "action"),
    ({**TASK, "action": None}, "action"),
    ({**TASK, "design_ref": 7}, "design_ref"),
    ({**TASK, "design_ref": ["x"]}, "design_ref"),
    ({**TASK, "design_ref": ""}, "design_ref"),
    ({**TASK, "design_ref": "file:///a\x00b"}, "design_ref"),
    ({**TASK, "design_ref": "file:///a\x1bb"}, "design_ref"),
    ({**TASK, "design_ref": "\ud800"}, "design_ref"),
    ({**TASK, "extra": 1}, "extra"),
    ({**TASK, "node_filter": "n01"}, "node_filter"),
    ({**TASK, "node_filter": []}, "node_filter"),
    ({**TASK, "node_filter": {"filter_set_type": "xor", "filter_set": []}}, "node_filter.filter_set_type"),
    ({**TASK, "node_filter": {"filter_set_type": "union", "filter_set": {}}}, "node_filter.filter_set"),
    ({**TASK, "node_filter": {**union(), "more": 1}}, "node_filter.more"),
    ({**TASK, "node_filter": union(node_names="n01")}, "node_filter.filter_set[0].node_names"),
    ({**TASK, "node_filter": union(node_names=[7])}, "node_filter.filter_set[0].node_names[0]"),
    ({**TASK, "node_filter": union(node_names=["a\x00"])}, "node_filter.filter_set[0].node_names[0]"),
    ({**TASK, "node_filter": union(node_labels=["a"])}, "node_filter.filter_set[0].node_labels"),
]


@pytest.mark.parametrize(("body", "field"), BODIES)
def test_task_bodies(admin: Client, body: Any, field: str) -> None:
    refused(admin("POST", "/tasks", body=json.dumps(body), headers=JSON), 400, field)
    assert admin.get("/tasks").json == []


RAW = [
    (b"", 400, "body"),
    (b"{", 400, "body"),
    (b"\xff\xfe\x00", 400, "body"),
    (b"{'action': 1}", 400, "body"),
    (b'{"action": NaN}', 400, "body"),
    (b"[" * 50_000, 400, "body"),
    (b'{"a":' * 500 + b"1" + b"}" * 500, 400, ""),
    (b'"' + b"x" * MIB + b'"', 413, "body"),
    (b" " * 20 * MIB, 413, "body"),
]


@pytest.mark.parametrize("path", ["/tasks", "/nodefilter", "/validatedesign"])
@pytest.mark.parametrize(("content", "status", "field"), RAW, ids=[f"{len(raw)}-{raw[:5]!r}" for raw, _, _ in RAW])
def test_raw_bodies(admin: Client, path: str, content: bytes, status: int, field: str) -> None:
    refused(admin("POST", path, body=content, headers=JSON), status, field)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "", "application/x-yaml"])
@pytest.mark.parametrize("path", ["/tasks", "/nodefilter", "/validatedesign"])
def test_content_types(admin: Client, path: str, content_type: str) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    refused(admin("POST", path, body=b"{}", headers=headers), 415, "Content-Type")


@pytest.mark.parametrize("content_type", ["application/json", "text/html", ""])
def test_designs_are_yaml(admin: Client, content_type: str) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    refused(admin("POST", "/designs", body=b"a: b", headers=headers), 415, "Content-Type")


NUMBERS = ["", "x", "1.5", "1e3", "0x10", "%00", "-5", "999999999999999999999999", "1_0", "NaN"]


@pytest.mark.parametrize("value", [*NUMBERS, "0", "-1", "1001"])
def test_limits(admin: Client, value: str) -> None:
    refused(admin.get("/tasks", query_string=f"limit={value}"), 400, "limit")


@pytest.mark.parametrize("value", [*NUMBERS, "-1", "36501"])
def test_days(admin: Client, value: str) -> None:
    refused(admin("DELETE", "/tasks", query_string=f"days={value}"), 400, "days")


@pytest.mark.parametrize("value", [*NUMBERS, "0", "-2"])
def test_layers(admin: Client, value: str) -> None:
    refused(admin.get(f"/tasks/{uuid4()}", query_string=f"layers={value}"), 400, "layers")


@pytest.mark.parametrize("value", ["", "x", "-1", "nan", "inf", "%00", "1e3"])
def test_waits(admin: Client, value: str) -> None:
    refused(admin.get(f"/tasks/{uuid4()}", query_string=f"wait={value}"), 400, "wait")


@pytest.mark.parametrize("value", ["", "7", "x" * 3000, "%00", "6f1c2b1e-3f3c-4c7e-9a55-0a4d7f0f2c1"])
@pytest.mark.parametrize("name", ["marker", "parent"])
def test_uuids(admin: Client, name: str, value: str) -> None:
    refused(admin.get("/tasks", query_string=f"{name}={value}"), 400, name)


@pytest.mark.parametrize("limit", ["", "&limit=5"])
def test_a_marker_of_no_task(admin: Client, limit: str) -> None:
    refused(admin.get("/tasks", query_string=f"marker={uuid4()}{limit}"), 400, "marker")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=done", "status"),
        ("action=explode", "action"),
        ("node=", "node"),
        ("node=%00", "node"),
        ("node=a%0Ab", "node"),
        ("created_by=%7F", "created_by"),
        ("surprise=1", "surprise"),
        ("limit=1&limit=2", "limit"),
    ],
)
def test_filters(admin: Client, query: str, field: str) -> None:
    refused(admin.get("/tasks", query_string=query), 400, field)


@pytest.mark.parametrize(("method", "path"), [call[:2] for call in OPERATOR_CALLS])
def test_no_operators_route_takes_an_unknown_parameter(admin: Client, method: str, path: str) -> None:
    refused(admin(method, filled(path), query_string="dry_run=true"), 400, "dry_run: is no parameter of this route")


def test_a_refused_request_does_nothing(admin: Client) -> None:
    task = admin.post("/tasks", TASK).json["task_id"]
    refused(admin("POST", f"/tasks/{task}/terminate", query_string="dry_run=true"), 400, "dry_run")
    assert admin.get(f"/tasks/{task}").json["status"] == "queued"


def test_who_may_not_come_in_is_told_that_first(nobody: Client, reader: Client) -> None:
    path = f"/tasks/{uuid4()}/terminate"
    assert nobody("POST", path, query_string="dry_run=true").status_code == 401
    assert reader("POST", path, query_string="dry_run=true").status_code == 403


@pytest.mark.parametrize("path", ["/health", "/versions", "/metrics"])
def test_open_routes_do_not_look_at_the_query(nobody: Client, path: str) -> None:
    assert nobody.get(path, query_string="probe=1&probe=2").status_code in (200, 204)


@pytest.mark.parametrize("path", NODE_PATHS)
def test_nor_do_those_of_machines(nobody: Client, path: str) -> None:
    method = "POST" if any(part in path for part in POSTED) else "GET"
    key = {"X-Bootaction-Key": "0" * 64}
    asked = [nobody(method, filled(path), headers=key, json={}, query_string=query) for query in ("", "a=1&a=2")]
    assert [result.status_code for result in asked] == [404, 404]


@pytest.mark.parametrize(("query", "field"), [("builddata=x", "builddata"), ("subtaskerrors=", "subtaskerrors")])
def test_flags(admin: Client, query: str, field: str) -> None:
    refused(admin.get(f"/tasks/{uuid4()}", query_string=query), 400, field)


@pytest.mark.parametrize("host", ["%00", "a%0Ab", "a%1Bb", "x" * 2000])
def test_hostnames(admin: Client, host: str) -> None:
    refused(admin.get(f"/nodes/{host}/builddata"), 400, "hostname")
    refused(admin.get(f"/bootdata/{host}/files", headers={"X-Bootaction-Key": "0" * 64}), 400, "hostname")


@pytest.mark.parametrize("digest", ["0" * 64, "x", "0" * 63, "A" * 64, "%00", "..%2F"])
def test_unknown_designs(admin: Client, digest: str) -> None:
    result = admin.get(f"/designs/{digest}")
    assert (result.status_code, result.json["type"]) == (404, "error")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "design_ref"),
        ({"node_filter": None}, "design_ref"),
        ({"design_ref": REF, "node_filter": {"filter_set_type": 1}}, "node_filter"),
        ({"design_ref": REF, "more": 1}, "more"),
        ({"design_ref": REF}, "design_ref"),
    ],
)
def test_node_filters(admin: Client, body: Any, field: str) -> None:
    refused(admin.post("/nodefilter", body), 400, field)


@pytest.mark.parametrize("ref", ["ftp://x/y", "file:///etc/passwd", "nonsense", "http://", "gopher+http://x/y", "::"])
def test_references_that_cannot_work(admin: Client, ref: str) -> None:
    refused(admin.post("/nodefilter", {"design_ref": ref}), 400, "design_ref: ")
    refused(admin.post("/plans", {"design_ref": ref}), 400, "design_ref: ")
    refused(admin.post("/validatedesign", {"href": ref}), 400, "href")


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "href"), ({"href": 7}, "href"), ({"href": REF, "rel": "x"}, "rel"), ({"href": REF, "extra": 1}, "extra")],
)
def test_validation_requests(admin: Client, body: Any, field: str) -> None:
    refused(admin.post("/validatedesign", body), 400, field)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"status": "done"}, "status: must be one of success, failure"),
        ({"status": 1}, "status"),
        ({"unknown": 1}, "unknown"),
        ({"details": "x"}, "details"),
        ({"details": [{"message": "m", "error": "x"}]}, "details[0].error"),
        ({"details": [{"message": "a\x00b", "error": True}]}, "details[0].message"),
        ({"details": [{"message": "a", "error": True, "extra": {"x": "\x00"}}]}, "details[0].extra.x"),
    ],
)
@pytest.mark.parametrize("route", ["/bootaction", "/bootactions"])
def test_reports(nobody: Client, seeds: Seeds, route: str, body: Any, field: str) -> None:
    node = seeds.booted_node()
    refused(nobody.post(f"{route}/{node.actions['greet']}", body, headers=node.header), 400, field)


NUMBERS_OUT_OF_RANGE = ("1e999", "-1e999", "[1, 1e400]", '{"y": 1e999}')


@pytest.mark.parametrize("number", NUMBERS_OUT_OF_RANGE)
def test_numbers_that_no_column_holds(admin: Client, nobody: Client, seeds: Seeds, number: str) -> None:
    node = seeds.booted_node()
    deeper = ".y" if "y" in number else "[1]" if "[" in number else ""
    labels = '{"filter_set_type": "union", "filter_set": [{"filter_type": "union", "node_labels": {"x": @}}]}'
    task = json.dumps(TASK)[:-1]
    for client, path, body, field in (
        (admin, "/tasks", task + f', "node_filter": {labels}}}', "node_filter.filter_set[0].node_labels.x"),
        (
            admin,
            "/nodefilter",
            f'{{"design_ref": "x", "node_filter": {labels}}}',
            "node_filter.filter_set[0].node_labels.x",
        ),
        (
            nobody,
            f"/bootaction/{node.actions['greet']}",
            '{"details": [{"message": "", "error": true, "x": @}]}',
            "details[0].x",
        ),
        (nobody, "/bootdata/n01/events", '{"name": "n", "event_type": "start", "duration": @}', "duration"),
        (nobody, "/bootdata/n01/events", '{"name": "n", "event_type": "start", "more": @}', "more"),
        (nobody, "/bootdata/n01/builddata", '{"generator": "g", "format": "f", "element": @}', "element"),
    ):
        headers = {**JSON, **(node.header if client is nobody else {})}
        refused(client("POST", path, body=body.replace("@", number), headers=headers), 400, field + deeper)


def test_a_path_is_measured_in_bytes(nobody: Client, seeds: Seeds) -> None:
    """It is part of an index, whose rows have a limit in bytes."""
    node = seeds.booted_node()

    def posted(path: str, origin: str = "curtin") -> Any:
        file = {"path": path, "content": "YQ==", "encoding": "base64"}
        event = {"name": "n", "event_type": "finish", "origin": origin, "files": [file]}
        return nobody.post("/bootdata/n01/events", event, headers=node.header)

    refused(posted("漢" * 1024), 400, "files[0].path")
    refused(posted("漢" * 342), 400, "files[0].path")
    assert posted("/" + "漢" * 341, origin="\U0001f600" * 255).status_code == 200
    generator = {"generator": "\U0001f600" * 255, "format": "\U0001f600" * 255, "element": ""}
    assert nobody.post("/bootdata/n01/builddata", generator, headers=node.header).status_code == 201


class Unread(io.RawIOBase):
    """A body that must not be read."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        raise AssertionError("the body of somebody unknown is read")


@pytest.mark.parametrize("key", [None, "0" * 64, "nonsense"])
def test_the_key_is_compared_before_a_body_is_read(noauth_app: Any, seeds: Seeds, key: str | None) -> None:
    node = seeds.booted_node()
    for path in (
        f"/bootaction/{node.actions['greet']}",
        f"/bootactions/{node.actions['quiet']}",
        "/bootaction/nobody",
        "/bootdata/n01/events",
        "/bootdata/n01/events/" + "0" * 64,
        "/bootdata/n01/builddata",
        "/bootdata/n99/builddata",
        "/bootactions/nodes/n01/events",
        "/bootactions/nodes/n01/builddata",
    ):
        headers = {**JSON, "Content-Length": "1000"} | ({"X-Bootaction-Key": key} if key else {})
        environ = create_environ(f"/api/v1.0{path}", method="POST", headers=headers)
        environ["wsgi.input"] = Unread()
        statuses: list[str] = []
        b"".join(noauth_app(environ, lambda status, headers, _=None, said=statuses: said.append(status)))
        assert statuses[0][:3] in ("401", "403", "404"), path


def test_large_reports(nobody: Client, seeds: Seeds) -> None:
    node = seeds.booted_node()
    path = f"/bootaction/{node.actions['greet']}"
    refused(nobody("POST", path, body=b" " * 20 * MIB, headers={**node.header, **JSON}), 413, "body")
    refused(nobody("POST", path, headers={**node.header, **JSON}), 400, "body")
    refused(
        nobody("POST", path, body=b"{}", headers={**node.header, "Content-Type": "text/plain"}), 415, "Content-Type"
    )


@pytest.mark.parametrize("value", [*NUMBERS, "0", "1001"])
def test_limits_of_plans(admin: Client, value: str) -> None:
    refused(admin.get("/plans", query_string=f"limit={value}"), 400, "limit")
