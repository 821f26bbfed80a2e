"""HEAD, where GET is: the same status and headers, no body, at once."""

from __future__ import annotations

import time

import pytest

from tests.api.conftest import AppFactory, Client
from tests.api.seeds import Seeds

#: No task has it.
UNKNOWN = "00000000-0000-4000-8000-000000000000"
#: Compared by itself, or of each reply its own.
_OWN = {"x-drydock-req", "content-length"}


@pytest.mark.parametrize(
    "path",
    [
        "/versions",
        "/health",
        "/health/extended",
        "/tasks",
        "/tasks?limit=1",
        "/tasks?limit=x",
        "/nodes",
        "/nodes/n01/builddata",
        "/designs",
        "/designs/" + "0" * 64,
        "/nothing",
        f"/tasks/{UNKNOWN}",
        f"/tasks/{UNKNOWN}/events",
        f"/tasks/{UNKNOWN}/builddata",
    ],
)
def test_head_is_get_without_a_body(admin: Client, nobody: Client, path: str) -> None:
    path, _, query = path.partition("?")
    for client in (admin, nobody):
        got, head = client.get(path, query_string=query), client("HEAD", path, query_string=query)
        assert (head.status_code, head.content) == (got.status_code, b"")
        assert {k: v for k, v in head.headers.items() if k not in _OWN} == {
            k: v for k, v in got.headers.items() if k not in _OWN
        }
        if path != "/health/extended":  # which says how long it took
            assert head.headers.get("content-length") == got.headers.get("content-length")


@pytest.mark.parametrize("name", ["files", "units", "script"])
def test_machines_may_ask_for_less(nobody: Client, seeds: Seeds, name: str) -> None:
    node = seeds.booted_node()
    got = nobody.get(f"/bootdata/n01/{name}", headers=node.header)
    head = nobody("HEAD", f"/bootdata/n01/{name}", headers=node.header)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(got.content))
    assert head.headers["ETag"] == got.headers["ETag"]
    assert nobody("HEAD", f"/bootdata/n01/{name}").status_code == 401


def test_it_waits_for_nothing_and_keeps_no_stream(make_app: AppFactory, seeds: Seeds) -> None:
    client = Client(make_app({"api": {"auth_strategy": "noauth", "max_waiting": "2"}}), {"X-Auth-Token": "reader"})
    task = seeds.task()
    began = time.monotonic()
    for _ in range(5):
        events = client("HEAD", f"/tasks/{task.id}/events")
        assert (events.status_code, events.headers["Content-Type"], events.content) == (200, "text/event-stream", b"")
        waited = client("HEAD", f"/tasks/{task.id}", query_string="wait=40")
        assert (waited.status_code, waited.content) == (200, b"")
    assert time.monotonic() - began < 20


def test_head_needs_what_get_needs(nobody: Client) -> None:
    denied = nobody("HEAD", "/tasks", headers={"X-Auth-Token": "nonsense"})
    assert (denied.status_code, denied.content) == (401, b"")
    assert nobody("HEAD", f"/tasks/{UNKNOWN}/terminate").status_code == 401
