"""Bodies: bounded, parsed, checked; every complaint names its field."""

from __future__ import annotations

import io
import json
from typing import Any

import falcon
import pytest
from falcon import testing

from drydock.api.body import JsonBody, read_bytes
from drydock.api.resources.boot_action import read_report
from drydock.api.schemas.boot_action import REPORT
from drydock.api.schemas.tasks import CREATE_TASK
from drydock.api.text import field_path
from drydock.errors import InvalidInput
from drydock.model.boot_action import ReportStatus

GOOD = {"action": "deploy_nodes", "design_ref": "file:///x"}
JSON = "application/json"


def request(content: bytes, content_type: str | None = JSON, **environ: Any) -> falcon.Request:
    headers = {} if content_type is None else {"Content-Type": content_type}
    made = testing.create_environ(method="POST", body=content, headers=headers)
    made.update(environ)
    return falcon.Request(made)


def read(content: bytes | object, content_type: str | None = JSON) -> dict[str, Any]:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return JsonBody(CREATE_TASK, 4096).read(request(raw, content_type))


@pytest.mark.parametrize("content_type", [JSON, "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"])
def test_a_good_body_is_read(content_type: str) -> None:
    assert read(GOOD, content_type) == GOOD


@pytest.mark.parametrize("action", ["deploy_node", "deploy_nodes", "prepare_node", "validate_design", "destroy_node"])
def test_every_name_of_an_action_is_taken(action: str) -> None:
    assert read({**GOOD, "action": action, "node_filter": None})["action"] == action


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"\xff\xfe", "body"),
        ("{}".encode("utf-16"), "body"),
        (b"NaN", "body"),
        (b'{"action": Infinity}', "body"),
        (b"[" * 100_0 + b"]" * 100_0, "body"),
        (b"9" * 4000, "body"),
        ([], "body"),
        ("text", "body"),
        ({}, "action"),
        ({"action": "deploy_nodes"}, "design_ref"),
        ({**GOOD, "action": "explode"}, "action"),
        ({**GOOD, "action": 7}, "action"),
        ({**GOOD, "action": ["deploy_nodes"]}, "action"),
        ({**GOOD, "design_ref": 7}, "design_ref"),
        ({**GOOD, "design_ref": None}, "design_ref"),
        ({**GOOD, "design_ref": ""}, "design_ref"),
        ({**GOOD, "design_ref": "a\x00b"}, "design_ref"),
        ({**GOOD, "design_ref": "a\nb"}, "design_ref"),
        ({**GOOD, "design_ref": "a\x7fb"}, "design_ref"),
        ({**GOOD, "design_ref": "\ud800"}, "design_ref"),
        ({**GOOD, "node_filter": "n01"}, "node_filter"),
        ({**GOOD, "node_filter": {"a": {"b": ["\x00"]}}}, "node_filter.a.b[0]"),
        ({**GOOD, "surprise": 1}, "surprise"),
        ({**GOOD, "node_filter": {"a\x01": 1}}, "node_filter"),
    ],
)
def test_a_bad_body_is_refused_by_the_name_of_its_field(content: bytes | object, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(content)
    assert caught.value.field == field
    assert str(caught.value).startswith(field)
    assert len(str(caught.value)) < 500


def test_a_long_value_is_not_sent_back_whole() -> None:
    with pytest.raises(InvalidInput) as caught:
        read({**GOOD, "action": "x" * 3000})
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-yaml", "application/jsonx"])
def test_other_content_types_are_415(content_type: str | None) -> None:
    with pytest.raises(falcon.HTTPUnsupportedMediaType):
        read(GOOD, content_type)


def test_too_large_is_413() -> None:
    with pytest.raises(falcon.HTTPContentTooLarge):
        read(b" " * 4097)


class Endless(io.RawIOBase):
    """A client that never stops sending."""

    given = 0

    def read(self, size: int = -1) -> bytes:
        assert size >= 0
        self.given += size
        return b" " * size


def chunked(stream: io.RawIOBase) -> falcon.Request:
    environ = testing.create_environ(method="POST", headers={"Transfer-Encoding": "chunked"})
    environ.pop("CONTENT_LENGTH", None)
    environ.update({"wsgi.input": stream, "wsgi.input_terminated": True})
    return falcon.Request(environ)


def test_a_chunked_body_is_bounded_too() -> None:
    stream = Endless()
    with pytest.raises(falcon.HTTPContentTooLarge):
        read_bytes(chunked(stream), 100_000)
    assert stream.given == 100_001


def test_a_chunked_body_is_read() -> None:
    assert read_bytes(chunked(io.BytesIO(b"hello")), 10) == b"hello"  # type: ignore[arg-type]


def test_a_body_that_ends_early_is_refused() -> None:
    req = request(b"abc", CONTENT_LENGTH="10")
    with pytest.raises(InvalidInput, match="ended before"):
        read_bytes(req, 100)


def test_paths_read_like_the_documents() -> None:
    assert field_path(["details", 0, "message"]) == "details[0].message"
    assert field_path([]) == "body"


def report(content: object) -> dict[str, Any]:
    return JsonBody(REPORT, 4096).read(request(json.dumps(content).encode()))


@pytest.mark.parametrize("word", ["Success", "success", "SUCCESS", "sUcCeSs"])
def test_a_status_is_taken_in_any_case(word: str) -> None:
    assert read_report(report({"status": word})).status is ReportStatus.SUCCESS


def test_a_report_keeps_extra_keys_and_drops_reserved_ones() -> None:
    detail = {"message": "m", "error": True, "ts": "x", "context": "x", "context_type": "x", "disk": {"free": 1}}
    found = read_report(report({"details": [detail]}))
    assert found.status is None
    (only,) = found.details
    assert (only.message, only.error, only.extra) == ("m", True, {"disk": {"free": 1}})


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"status": "done"}, "status"),
        ({"status": "success\n"}, "status"),
        ({"status": None}, "status"),
        ({"unknown": 1}, "unknown"),
        ({"details": {}}, "details"),
        ({"details": ["x"]}, "details[0]"),
        ({"details": [{"message": "m"}]}, "details[0].error"),
        ({"details": [{"error": False}]}, "details[0].message"),
        ({"details": [{"message": "m", "error": "no"}]}, "details[0].error"),
        ({"details": [{"message": "a\x00", "error": False}]}, "details[0].message"),
        ({"details": [{"message": "a", "error": False, "x": ["\x1b"]}]}, "details[0].x[0]"),
    ],
)
def test_a_bad_report_is_refused(content: object, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_report(report(content))
    assert caught.value.field == field


def test_a_report_may_have_lines() -> None:
    assert report({"details": [{"message": "a\n\tb\r\n", "error": False}]})
