"""What nodes do: fetch their tarballs, report their boot actions. Byte for byte as deployed clients expect."""

from __future__ import annotations

from typing import Any

import pytest

from drydock.model.boot_context import BundleKind
from tests.api.conftest import Client
from tests.api.seeds import Seeds

FETCH = ["/bootdata/{}/{}", "/bootactions/nodes/{}/{}"]
REPORT = ["/bootaction/{}", "/bootactions/{}", "/bootactions/{}/", "/bootaction/{}/"]


@pytest.mark.parametrize("template", [*FETCH, *(path + "/" for path in FETCH)])
@pytest.mark.parametrize(("name", "kind"), [("files", BundleKind.FILE), ("units", BundleKind.UNIT)])
def test_a_node_fetches_its_tarballs(nobody: Client, seeds: Seeds, template: str, name: str, kind: BundleKind) -> None:
    node = seeds.booted_node()
    result = nobody.get(template.format("n01", name), headers={**node.header, "Accept-Encoding": "identity"})
    assert (result.status_code, result.content) == (200, node.tarballs[kind])
    assert result.headers["Content-Type"] == "application/gzip"
    assert result.headers["Content-Length"] == str(len(node.tarballs[kind]))
    assert result.headers["Content-Disposition"] == f'attachment; filename="n01-{kind.value}.tar.gz"'
    assert "Content-Encoding" not in result.headers
    assert result.headers["ETag"].strip('"')


def test_a_node_is_let_in_by_its_own_key_only(nobody: Client, seeds: Seeds) -> None:
    node, other = seeds.booted_node("n01"), seeds.booted_node("n02")
    path = "/bootdata/n01/files"
    assert nobody.get(path, headers={"X-Bootaction-Key": node.key.upper()}).status_code in (200, 403)
    for key in (other.key, "0" * 64):
        result = nobody.get(path, headers={"X-Bootaction-Key": key})
        assert (result.status_code, result.json["reason"]) == (403, "forbidden")
        assert key not in result.text
    unknown = nobody.get("/bootdata/n03/files", headers=node.header)
    assert (unknown.status_code, unknown.json["reason"]) == (404, "boot_context_not_found")


def test_a_new_deployment_revokes_the_key_of_the_old_one(nobody: Client, seeds: Seeds) -> None:
    old, new = seeds.booted_node(), seeds.booted_node()
    assert nobody.get("/bootdata/n01/files", headers=old.header).status_code == 403
    assert nobody.get("/bootdata/n01/files", headers=new.header).status_code == 200
    assert nobody.post(f"/bootaction/{old.actions['greet']}", {}, headers=old.header).status_code == 403


@pytest.mark.parametrize("template", REPORT)
def test_a_node_reports(nobody: Client, reader: Client, seeds: Seeds, template: str) -> None:
    node = seeds.booted_node()
    action_id = node.actions["greet"]
    path = template.format(action_id)
    detail = {"message": "half\ndone", "error": False, "disk": {"free": 1}, "context": "forged", "ts": "forged"}
    first = nobody.post(path, {"details": [detail]}, headers=node.header)
    expected: dict[str, Any] = {
        "node_name": "n01",
        "action_id": action_id,
        "action_name": "greet",
        "task_id": str(node.task_id),
        "action_status": "incomplete",
    }
    assert (first.status_code, first.json) == (200, expected)
    final = nobody.post(path, {"status": "SUCCESS"}, headers=node.header)
    assert (final.status_code, final.json) == (200, {**expected, "action_status": "success"})
    for body in ({"status": "Success"}, {"status": "Failure"}, {"details": [detail]}, {}):
        again = nobody.post(path, body, headers=node.header)
        assert (again.status_code, again.json["reason"]) == (409, "boot_action_final")
    messages = reader.get(f"/tasks/{node.task_id}").json["result"]["details"]["messageList"]
    (kept,) = [message for message in messages if message["context_type"] == "bootaction"]
    assert (kept["message"], kept["error"], kept["context"]) == ("half\ndone", False, action_id)
    assert kept["extra"] == {"disk": {"free": 1}}
    assert kept["ts"] != "forged"


def test_who_may_report(nobody: Client, seeds: Seeds) -> None:
    node, other = seeds.booted_node("n01"), seeds.booted_node("n02")
    path = f"/bootaction/{node.actions['greet']}"
    assert nobody.post(path, {"status": "success"}).status_code == 401
    assert nobody.post(path, {"status": "success"}, headers=other.header).status_code == 403
    silent = nobody.post(f"/bootaction/{node.actions['quiet']}", {"status": "success"}, headers=node.header)
    assert (silent.status_code, silent.json["reason"]) == (409, "boot_action_silent")
    unknown = nobody.post("/bootaction/01ARZ3NDEKTSV4RRFFQ69G5FAV", {}, headers=node.header)
    assert (unknown.status_code, unknown.json["reason"]) == (404, "boot_action_not_found")
