"""/designs, /validatedesign, /nodefilter."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import AppFactory, Client
from tests.drivers.simulator_process import Simulator, running_simulator
from tests.factories.site import site
from tests.factories.tasks import named_nodes
from tests.http_peer import Answer, serving

ADMIN = {"X-Auth-Token": "admin"}
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
    kept = admin.get(f"/designs/{digest}/")
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
    assert message["diagnostic"] == "See docs/reference/design-documents.md#references"


def test_a_node_filter_selects_names(admin: Client, reader: Client) -> None:
    ref = upload(admin, site(["n01", "n02", "n03"])).json["design_ref"]
    everything = reader.post("/nodefilter", {"node_filter": None, "design_ref": ref})
    assert (everything.status_code, everything.json) == (200, ["n01", "n02", "n03"])
    one = named_nodes("n02")
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


@pytest.fixture(scope="module")
def provisioner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("rack"), "--image=jammy=hwe-22.04") as simulator:
        yield simulator


def platform_messages(result: Any) -> list[tuple[str, str]]:
    """Level and text of what DD3001 said."""
    messages = result.json["messages"] if "messages" in result.json else result.json["details"]["messageList"]
    return [(item["level"], item["message"]) for item in messages if item["rule"] == "platform-selection"]


def test_an_image_that_the_provisioner_has_not_is_an_error(
    admin: Client, make_app: AppFactory, provisioner: Simulator
) -> None:
    there = Client(make_app({"api": {"auth_strategy": "noauth"}, "simulated": {"url": provisioner.url}}), ADMIN)
    refused = upload(there, site(["n01"]))
    text = "Platform Selection: Platform Validation: invalid kernel ga-22.04 on BaremetalNode n01"
    assert (refused.status_code, platform_messages(refused)) == (400, [("Error", text)])
    assert upload(there, site(["n01"]).replace(b"ga-22.04", b"hwe-22.04")).status_code == 201
    digest = upload(admin, site(["n01"])).json["digest"]
    verdict = there.post("/validatedesign", {"href": f"drydock://designs/{digest}"})
    assert (verdict.status_code, platform_messages(verdict)) == (400, [("Error", text)])
    assert platform_messages(there.get(f"/designs/{digest}?compiled=true")) == [("Error", text)]
    assert there.post("/nodefilter", {"node_filter": None, "design_ref": f"drydock://designs/{digest}"}).json == ["n01"]


def test_a_provisioner_that_is_away_costs_a_warning(admin: Client) -> None:
    kept = upload(admin, site(["n01"]))
    assert kept.status_code == 201
    away = "simulated: GET images: the simulator cannot be reached"
    assert platform_messages(kept) == [
        ("Warning", f"Platform Selection: Images and kernels were not checked: {away}."),
        ("Info", "Platform Selection: Validation successful."),
    ]


def test_a_provisioner_that_hangs_is_not_waited_for(make_app: AppFactory) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        options = {
            "api": {"auth_strategy": "noauth"},
            "simulated": {"url": f"http://127.0.0.1:{mute.getsockname()[1]}"},
            "design": {"images_patience": "0.1"},
        }
        kept = upload(Client(make_app(options), ADMIN), site(["n01"]))
    assert kept.status_code == 201
    assert "simulated has not answered within 0.1 s" in platform_messages(kept)[0][1]


def test_passwords_are_shown_to_nobody_who_only_reads(
    admin: Client, reader: Client, make_app: AppFactory, tmp_path: Path
) -> None:
    content = site(["n01"])
    assert b"not-a-secret" in content
    digest = upload(admin, content).json["digest"]
    whole, shown = admin.get(f"/designs/{digest}"), reader.get(f"/designs/{digest}")
    assert (whole.content, whole.headers["ETag"]) == (content, f'"{digest}"')
    assert b"not-a-secret" not in shown.content
    assert b"<hidden>" in shown.content
    assert shown.headers["ETag"] == f'"{digest}-without-secrets"'
    again = upload(admin, shown.content)
    assert (again.status_code, "hides a password" in again.text) == (400, True)
    policy = tmp_path / "policy.yaml"
    policy.write_text('"physical_provisioner:read_secrets": "rule:reader_required"\n')
    trusting = make_app({"api": {"auth_strategy": "noauth"}, "oslo_policy": {"policy_file": str(policy)}})
    assert Client(trusting, {"X-Auth-Token": "reader"}).get(f"/designs/{digest}").content == content


@pytest.mark.parametrize(
    "answer",
    [
        b'{"password": "hunter2"}',
        b"hunter2: [\n",
        b"- hunter2\n",
        b"hunter2",
        b"<html>hunter2: {</html>",
        b"key: hunter2\nkey: *hunter2\n",
        b"hunter2: hunter2: x\n",
        b"hunter2\xff",
        b"!hunter2 x\n",
        b"schema: hunter2\n",
        b"---\nhunter2: !hunter2 {}\n---\nschema: hunter2/a\n",
    ],
)
def test_nothing_of_an_answer_that_is_no_design_is_shown(make_app: AppFactory, answer: bytes) -> None:
    app = make_app({"api": {"auth_strategy": "noauth"}, "references": {"retries": "0"}})
    with serving(lambda _: Answer(body=answer)) as peer:
        for token in ("reader", "admin"):
            client = Client(app, {"X-Auth-Token": token})
            verdict = client.post("/validatedesign", {"href": peer.url("/internal")})
            assert (verdict.status_code, verdict.json["reason"]) == (400, "invalid_reference")
            assert "is no design" in verdict.json["message"]
            selected = client.post("/nodefilter", {"design_ref": peer.url("/internal"), "node_filter": None})
            assert selected.status_code == 400
            assert not [text for text in (verdict.text, selected.text) if "hunter" in text or "line" in text]
        assert Client(app, ADMIN).get("/designs").json == []


@pytest.mark.parametrize(
    "text",
    [
        site(["n01"]) + b"---\nbroken: [\n",
        b"schema: drydock/Region/v1\nmetadata: [\n",
        b"apiVersion: drydock/v1\na: b: c\n",
    ],
)
def test_an_answer_with_a_document_of_ours_is_a_design(make_app: AppFactory, text: bytes) -> None:
    app = make_app({"api": {"auth_strategy": "noauth"}})
    with serving(lambda _: Answer(body=text)) as peer:
        verdict = Client(app, ADMIN).post("/validatedesign", {"href": peer.url("/design")})
    assert verdict.status_code == 400
    assert "malformed YAML" in verdict.text
