"""Waves, pause and resume as clients see them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Client
from tests.api.seeds import Seeds

TASK = {"action": "deploy_nodes", "design_ref": "file:///x"}


def test_a_rollout_is_shown_and_the_task_paused_and_resumed(admin: Client, reader: Client) -> None:
    made = admin.post("/tasks", {**TASK, "rollout": {"waves": [1, "10%"], "max_failed": "5%"}}).json
    assert made["rollout"] == {"waves": [1, "10%"], "max_failed": "5%", "pause": "never"}
    path = f"/tasks/{made['task_id']}"
    for _ in range(2):
        paused = admin.post(f"{path}/pause")
        assert (paused.status_code, paused.json["paused_by"]) == (200, "admin")
    assert reader.get(path).json["paused"] == paused.json["paused"]
    for _ in range(2):
        resumed = admin.post(f"{path}/resume")
        assert (resumed.status_code, resumed.json["paused"], resumed.json["paused_by"]) == (200, None, None)
    admin.post(f"{path}/terminate")
    ended = admin.post(f"{path}/pause")
    assert (ended.status_code, ended.json["reason"]) == (409, "task_ended")


def test_what_cannot_be_paused(admin: Client, reader: Client, seeds: Seeds) -> None:
    plain = admin.post("/tasks", TASK).json
    assert plain["rollout"] is None
    refused = admin.post(f"/tasks/{plain['task_id']}/pause")
    assert (refused.status_code, refused.json["reason"]) == (409, "task_not_pausable")
    assert admin.post(f"/tasks/{'0' * 8}-0000-4000-8000-{'0' * 12}/resume").status_code == 404
    assert reader.post(f"/tasks/{plain['task_id']}/pause").status_code == 403


@pytest.mark.parametrize(
    ("rollout", "field"),
    [
        ({"waves": []}, "rollout.waves"),
        ({"waves": [0]}, "rollout.waves[0]"),
        ({"max_failed": "200%"}, "rollout.max_failed"),
        ({"pause": "often"}, "rollout.pause"),
        ({"more": 1}, "rollout.more"),
    ],
)
def test_bad_input_names_the_field(admin: Client, rollout: dict[str, Any], field: str) -> None:
    refused = admin.post("/tasks", {**TASK, "rollout": rollout})
    assert (refused.status_code, refused.json["details"]["messageList"][0]["field"]) == (400, field)


OLD = {"waves": [1, "25%", "100%"], "max_failed": 3, "pause": "after_each"}


@pytest.mark.parametrize(
    ("old", "body", "kept"),
    [
        (OLD, {}, OLD),
        (OLD, {"rollout": None}, OLD),
        (OLD, {"rollout": {"max_failed": 5}}, {**OLD, "max_failed": 5}),
        (OLD, {"rollout": {"max_failed": None, "pause": "never"}}, {**OLD, "max_failed": None, "pause": "never"}),
        (OLD, {"rollout": {"waves": ["100%"]}}, {**OLD, "waves": ["100%"]}),
        (None, {"rollout": {"max_failed": 5}}, {"waves": ["100%"], "max_failed": 5, "pause": "never"}),
        (None, {}, None),
    ],
)
def test_what_a_retry_does_not_give_is_as_in_the_task_that_is_retried(
    admin: Client, seeds: Seeds, old: dict[str, Any] | None, body: dict[str, Any], kept: dict[str, Any] | None
) -> None:
    failed, _ = seeds.tree("n01", rollout=old)
    admin.post(f"/tasks/{failed.id}/terminate")
    retry = admin.post("/tasks", {"retry_of": str(failed.id), **body})
    assert (retry.status_code, retry.json["rollout"]) == (201, kept)


def test_bad_input_of_a_retry_names_the_field(admin: Client, seeds: Seeds) -> None:
    failed, _ = seeds.tree("n01", rollout=OLD)
    admin.post(f"/tasks/{failed.id}/terminate")
    refused = admin.post("/tasks", {"retry_of": str(failed.id), "rollout": {"more": 1}})
    assert (refused.status_code, refused.json["details"]["messageList"][0]["field"]) == (400, "rollout.more")


def test_the_same_key_with_another_rollout_is_another_request(admin: Client) -> None:
    key = {"Idempotency-Key": "waves"}
    first = admin.post("/tasks", {**TASK, "rollout": {"waves": [1]}}, headers=key).json
    assert admin.post("/tasks", {**TASK, "rollout": {"waves": [1]}}, headers=key).json["task_id"] == first["task_id"]
    assert admin.post("/tasks", {**TASK, "rollout": {"waves": [2]}}, headers=key).status_code == 409
