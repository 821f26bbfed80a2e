"""/designs, /validatedesign, /nodefilter."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.api.conftest import Client
from tests.orchestrator.sites import site

YAML = {"Content-Type": "application/x-yaml"}


def upload(client: Client, content: bytes, **headers: str) -> Any:
    return client("POST", "/designs", body=content, headers={**YAML, **headers})


@pytest.mark.parametrize("content_type", ["application/x-yaml", "application/yaml", "text/yaml; charset=utf-8"])
def test_a_design_is_kept_by_its_digest(admin: Client, reader: Client, content_type: str) -> None:
    content = site(["n01", "n02"])
    digest = hashlib.sha256(content).hexdigest()
    for _ in range(2):
        result = upload(admin, content, **{"Content-Type": content_type})
        assert result.status_code == 201, result.text
        assert result.headers["Location"] == f"/api/v1.0/designs/{digest}"
        assert (result.json["digest"], result.json["size"]) == (digest, len(content))
        assert result.json["design_ref"] == f"drydock://designs/{digest}"
        assert result.json["created"].endswith("+00:00")
        assert not any(message["error"] for message in result.json["messages"])
    kept = reader.get(f"/designs/{digest}/")
    assert (kept.content, kept.headers["Content-Type"]) == (content, "application/x-yaml")
    assert [snapshot["digest"] for snapshot in reader.get("/designs").json] == [digest]


@pytest.mark.parametrize("content", [b"a: [", b"schema: drydock/Network/v1\nmetadata: {name: x}\ndata: {cidr: 7}\n"])
def test_a_design_with_errors_is_refused_with_all_of_them(admin: Client, content: bytes) -> None:
    result = upload(admin, content)
    assert result.status_code == 400
    assert (result.json["kind"], result.json["status"], result.json["type"]) == ("Status", "Failure", "error")
    assert result.json["details"]["errorCount"] == sum(m["error"] for m in result.json["details"]["messageList"]) > 0
    assert admin.get("/designs").json == []


def test_a_verdict_has_the_shape_that_shipyard_reads(admin: Client, reader: Client) -> None:
    ref = upload(admin, site(["n01"])).json["design_ref"]
    result = reader.post("/validatedesign", {"rel": "design", "href": ref, "type": "application/x-yaml"})
    assert result.status_code == 200
    verdict = result.json
    assert (verdict["kind"], verdict["apiVersion"], verdict["metadata"]) == ("Status", "v1.0", {})
    assert (verdict["status"], verdict["code"], verdict["details"]["errorCount"]) == ("Success", 200, 0)
    assert {"message", "reason"} <= set(verdict)
    for message in verdict["details"]["messageList"]:
        assert {"name", "message", "error", "level", "diagnostic", "kind", "ts", "documents"} <= set(message)


def test_a_design_that_cannot_be_had_gets_a_verdict_too(reader: Client) -> None:
    result = reader.post("/validatedesign", {"href": "drydock://designs/" + "0" * 64})
    assert (result.status_code, result.json["status"], result.json["code"]) == (400, "Failure", 400)
    (message,) = result.json["details"]["messageList"]
    assert (message["error"], message["level"]) == (True, "Error")


def test_a_node_filter_selects_names(admin: Client, reader: Client) -> None:
    ref = upload(admin, site(["n01", "n02", "n03"])).json["design_ref"]
    everything = reader.post("/nodefilter", {"node_filter": None, "design_ref": ref})
    assert (everything.status_code, everything.json) == (200, ["n01", "n02", "n03"])
    one = {"filter_set_type": "union", "filter_set": [{"filter_type": "union", "node_names": ["n02"]}]}
    assert reader.post("/nodefilter/", {"node_filter": one, "design_ref": ref}).json == ["n02"]


def test_a_design_is_shown_as_it_is_deployed_without_its_credentials(admin: Client, reader: Client) -> None:
    digest = upload(admin, site(["n01", "n02"])).json["digest"]
    result = reader.get(f"/designs/{digest}?compiled=true")
    assert (result.status_code, result.json["digest"], result.json["valid"]) == (200, digest, True)
    nodes = {node["name"]: node for node in result.json["site"]["nodes"]}
    assert list(nodes) == ["n01", "n02"]
    assert nodes["n01"]["fqdn"] == "n01.local"
    assert [device["name"] for device in nodes["n01"]["storage_devices"]] == ["sda"]
    assert nodes["n01"]["oob_parameters"]["credential"] == "<hidden>"
    assert "not-a-secret" not in result.text
    assert all(message["diagnostic"].startswith("See docs/") for message in result.json["messages"])


def test_compiled_is_a_flag_of_designs_that_exist(reader: Client, admin: Client) -> None:
    digest = upload(admin, site(["n01"])).json["digest"]
    assert reader.get(f"/designs/{digest}?compiled=no").headers["Content-Type"] == "application/x-yaml"
    assert reader.get(f"/designs/{digest}?compiled=maybe").status_code == 400
    assert reader.get(f"/designs/{digest}?verbose=true").status_code == 400
    assert reader.get(f"/designs/{'0' * 64}?compiled=true").status_code == 404
