"""The description of the API."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from drydock.api.openapi import description
from drydock.api.operations import TABLE
from drydock.api.schemas.replies import ERROR
from drydock.api.views.status import error_view
from tests.api.replies import check_reply

COMMITTED = Path(__file__).parents[3] / "docs/reference/openapi.json"
ERROR_BODY = json.dumps(error_view(code=404, message="there is none", reason="not_found", retry=False)).encode()
JSON = {"content-type": "application/json"}


def test_it_is_valid_and_the_one_that_is_committed() -> None:
    made = description(TABLE)
    validate(made)
    assert json.loads(COMMITTED.read_text()) == json.loads(json.dumps(made))


def test_every_operation_has_an_id_of_its_own() -> None:
    paths = description(TABLE)["paths"]
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
        check_reply(method, path, status, {"content-type": media_type}, content)


def test_a_reply_may_have_several_types_each_with_its_schema() -> None:
    replies = description(TABLE)["paths"]["/api/v1.0/designs/{digest}"]["get"]["responses"]["200"]
    assert set(replies["content"]) == {"application/x-yaml", "application/json"}
    check_reply("GET", "/api/v1.0/designs/00", 200, {"content-type": "application/x-yaml"}, b"kind: BootAction")
