"""The description of the API."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from openapi_spec_validator import validate

from dev.api_reference import openapi
from drydock.api.headers import OF_ACCESS, REQUEST_ID
from drydock.api.operations import TABLE
from drydock.api.schemas.replies import ERROR
from drydock.api.views.status import error_view
from drydock.auth.headers import IDENTITY_HEADERS
from drydock.http_server.refusals import FULL, STATUSES, TOO_SLOW
from tests.api.replies import check_reply

COMMITTED = Path(__file__).parents[3] / "docs/reference/openapi.json"
ERROR_BODY = json.dumps(error_view(code=404, message="there is none", reason="not_found", retry=False)).encode()
REQUEST = {"x-drydock-req": "2f5a4f9e-1df6-4a3e-a7d0-6a9d3d2d9c11"}
JSON = {"content-type": "application/json", **REQUEST}
V1 = "/api/v1.0"
#: Of HTTP itself, of proxies, and those that only the layers before the API can set.
NOT_OF_OPERATIONS = {
    *("authorization", "transfer-encoding", "x-bootaction-key"),
    *("x-forwarded-port", "x-forwarded-prefix"),
    *("x-service-identity-status", *(name.lower() for name in IDENTITY_HEADERS)),
}


def test_it_is_valid_and_the_one_that_is_committed() -> None:
    made = openapi()
    validate(made)
    assert json.loads(COMMITTED.read_text()) == json.loads(json.dumps(made))


def test_every_operation_has_an_id_of_its_own() -> None:
    paths = openapi()["paths"]
    ids = [operation["operationId"] for methods in paths.values() for operation in methods.values()]
    assert len(ids) == len(set(ids))


def test_an_error_is_as_its_schema() -> None:
    assert set(json.loads(ERROR_BODY)) == set(ERROR["properties"])
    check_reply("GET", "/api/v1.0/nodes", 404, JSON, ERROR_BODY)


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (200, b'[{"hostname": "n01"}]'),
        (200, b"{}"),
        (418, ERROR_BODY),
        (404, b'{"message": "there is none"}'),
        (201, b"[]"),
    ],
)
def test_a_reply_that_is_none_of_its_operations_is_found(status: int, content: bytes) -> None:
    with pytest.raises(AssertionError, match="/nodes"):
        check_reply("GET", "/api/v1.0/nodes", status, JSON, content)


@pytest.mark.parametrize(
    ("method", "path", "status", "media_type", "content"),
    [
        ("GET", "/api/v1.0/nodes", 200, "text/html", b"<html></html>"),
        ("GET", "/api/v1.0/nodes", 404, "text/plain", b"there is none"),
        ("GET", "/api/v1.0/nodes", 200, "application/json", b""),
        ("HEAD", "/api/v1.0/nodes", 200, "text/html", b""),
        ("HEAD", "/api/v1.0/nodes", 200, "application/json", b"[]"),
        ("GET", "/api/v1.0/health", 204, "application/json", b"{}"),
        ("GET", "/api/v1.0/designs/00", 200, "text/plain", b"kind: BootAction"),
        ("GET", "/api/v1.0/designs/00", 200, "application/json", b"{}"),
        ("GET", "/api/v1.0/bootdata/n01/files", 200, "application/gzip", b""),
    ],
)
def test_a_reply_of_another_type_or_without_its_body_is_found(
    method: str, path: str, status: int, media_type: str, content: bytes
) -> None:
    with pytest.raises(AssertionError, match=f"{method} {path} {status}"):
        check_reply(method, path, status, {**JSON, "content-type": media_type}, content)


def test_a_reply_may_have_several_types_each_with_its_schema() -> None:
    replies = openapi()["paths"]["/api/v1.0/designs/{digest}"]["get"]["responses"]["200"]
    assert set(replies["content"]) == {"application/x-yaml", "application/json"}
    check_reply(
        "GET",
        "/api/v1.0/designs/00",
        200,
        {**JSON, "content-type": "application/x-yaml", "etag": "x"},
        b"kind: BootAction",
    )


@pytest.mark.parametrize(
    ("method", "path", "status", "headers"),
    [
        ("POST", "/tasks", 404, {"x-more": "1"}),
        ("GET", "/nodes", 404, {"x-drydock-req": "1"}),
        ("GET", "/nodes", 405, {}),
        ("GET", "/nodes", 503, {"retry-after": "-1"}),
        ("GET", "/bootdata/n01/files", 416, {"etag": "x", "content-disposition": "x", "accept-ranges": "bytes"}),
    ],
)
def test_a_reply_without_its_headers_or_with_others_is_found(
    method: str, path: str, status: int, headers: dict[str, str]
) -> None:
    with pytest.raises(AssertionError, match=f"{method} {V1}{path} {status}"):
        check_reply(method, V1 + path, status, {**JSON, **headers}, ERROR_BODY)


def operation(call: str) -> Any:
    method, _, path = call.partition(" ")
    return openapi()["paths"][V1 + path][method.lower()]


@pytest.mark.parametrize(
    ("call", "headers"),
    [
        ("POST /tasks", {"Idempotency-Key"}),
        ("POST /bootaction/{action_id}", {"Idempotency-Key"}),
        ("GET /tasks/{task_id}/events", {"Last-Event-ID"}),
        ("GET /bootdata/{hostname}/files", {"Range", "If-Range", "If-None-Match"}),
        ("GET /bootactions/nodes/{hostname}/units", {"Range", "If-Range", "If-None-Match"}),
        ("GET /nodes", set()),
    ],
)
def test_the_headers_of_a_request(call: str, headers: set[str]) -> None:
    assert {each["name"] for each in operation(call)["parameters"] if each.get("in") == "header"} == headers


@pytest.mark.parametrize(
    ("call", "status", "headers"),
    [
        ("POST /tasks", 201, {"Location": True}),
        ("POST /plans", 201, {"Location": True}),
        ("POST /designs", 201, {"Location": True}),
        ("GET /tasks", 200, {"Link": False}),
        ("GET /plans/{plan_id}/nodes", 200, {"Link": False}),
        ("GET /designs/{digest}", 200, {"ETag": False}),
        ("GET /bootdata/{hostname}/script", 200, {"ETag": True}),
        *(
            (
                "GET /bootdata/{hostname}/files",
                status,
                {"ETag": True, "Accept-Ranges": True, "Content-Disposition": True, **more},
            )
            for status, more in ((200, {}), (206, {"Content-Range": True}), (304, {}), (416, {"Content-Range": True}))
        ),
    ],
)
def test_the_headers_of_a_reply(call: str, status: int, headers: dict[str, bool]) -> None:
    found = operation(call)["responses"][str(status)]["headers"]
    assert found.pop(REQUEST_ID.name) == {"$ref": f"#/components/headers/{REQUEST_ID.name}"}
    assert {name: header["required"] for name, header in found.items()} == headers


@pytest.mark.parametrize(("status", "header"), [(401, "WWW-Authenticate"), (405, "Allow"), (503, "Retry-After")])
def test_the_headers_of_an_error(status: int, header: str) -> None:
    reference = operation("GET /nodes")["responses"][str(status)]["$ref"]
    assert header in openapi()["components"]["responses"][reference.rpartition("/")[2]]["headers"]


def test_every_header_that_the_code_reads_is_described() -> None:
    described = {
        header.name.lower()
        for route in TABLE
        for of in route.operations.values()
        for header in (*of.headers, *OF_ACCESS[route.access])
    }
    found = set()
    for file in (Path(__file__).parents[3] / "drydock/api").rglob("*.py"):
        text = file.read_text()
        found |= set(re.findall(r"get_header\(\"([^\"]+)", text))
        found |= {name.replace("_", "-") for name in re.findall(r"\"HTTP_([A-Z_]+)\"", text)}
    assert {name.lower() for name in found} <= described | NOT_OF_OPERATIONS


def test_an_installer_needs_no_key() -> None:
    assert operation("POST /bootdata/{hostname}/events")["security"] == [{"key": []}, {"oauth": []}]
    assert operation("POST /bootdata/{hostname}/events/{token}")["security"] == []


def test_events_may_have_any_media_type() -> None:
    assert "*/*" in operation("POST /bootdata/{hostname}/events")["requestBody"]["content"]


def test_no_layers_are_none_of_the_numbers() -> None:
    layers = next(each for each in operation("GET /tasks/{task_id}")["parameters"] if each.get("name") == "layers")
    assert layers["schema"] == {"type": "integer", "minimum": -1, "maximum": 1000, "not": {"enum": [0]}}


def test_what_the_server_itself_answers_is_described() -> None:
    assert {408, 414, 417, 431, 501} < set(STATUSES)
    assert {str(status) for status in STATUSES} <= set(operation("GET /nodes")["responses"])
    for refusal in (TOO_SLOW, FULL):
        body = json.loads(refusal.reply(REQUEST["x-drydock-req"]).partition(b"\r\n\r\n")[2])
        assert jsonschema_rs.is_valid(dict(ERROR), body)
