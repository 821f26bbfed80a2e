"""A task on the wire: the keys of upstream Drydock, and ours beside them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone
from uuid import UUID, uuid4

from drydock.api.addresses import Address
from drydock.api.reply import PIECE, json_array
from drydock.api.views.tasks import layers_view, subtask_errors_view, task_view
from drydock.model.build_data import BuildData
from drydock.model.message import TaskMessage
from drydock.model.task import ResultStatus, Task, TaskProgress, TaskResult
from tests.factories.tasks import NOON, task_record

AT = Address("https://drydock.example.org", "/cloud")
WIRE_TASK = {
    *("kind", "apiVersion", "task_id", "action", "parent_task_id", "design_ref", "status", "result", "node_filter"),
    *("subtask_id_list", "created", "created_by", "updated", "terminated", "terminated_by", "terminate", "retry"),
}
OURS = {
    *("node", "step", "step_since", "attempt", "reason", "deadline_at", "progress", "design_digest"),
    *("last_error", "error_attempts", "force", "retry_of", "machine", "confirmations", "expect_nodes", "all_nodes"),
    *("rollout", "plan", "paused", "paused_by"),
}
WIRE_RESULT = {
    *("kind", "apiVersion", "metadata", "message", "reason", "status", "successes", "failures", "links", "details"),
}


def task(task_id: UUID | None = None) -> Task:
    message = TaskMessage("it broke", error=True, ts=NOON, context_type="bootaction", context="01X", extra={"a": 1})
    fine = TaskMessage("it began", error=False, ts=NOON.astimezone(timezone(timedelta(hours=2))))
    return task_record(
        id=task_id or uuid4(),
        subtask_ids=(str(UUID(int=1)), str(UUID(int=2))),
        result=TaskResult(ResultStatus.PARTIAL_SUCCESS, "m", "r", ("n1",), ("n2",), (fine, message)),
        progress=TaskProgress(2, {"running": 2}, {"await_deployment": 2}),
    )


def test_a_task_has_all_keys_of_the_wire() -> None:
    view = task_view(task(), AT)
    assert set(view) == WIRE_TASK | OURS
    assert (view["kind"], view["apiVersion"], view["action"]) == ("Task", "v1", "deploy_nodes")
    assert view["subtask_id_list"] == [str(UUID(int=1)), str(UUID(int=2))]
    assert view["created"] == "2026-01-02T12:00:00+00:00"
    assert view["progress"] == {"total": 2, "by_status": {"running": 2}, "by_step": {"await_deployment": 2}}


def test_a_result_has_all_keys_of_the_wire() -> None:
    result = task_view(task(), AT)["result"]
    assert set(result) == WIRE_RESULT
    assert (result["status"], result["successes"], result["failures"]) == ("partial_success", ["n1"], ["n2"])
    assert result["details"]["errorCount"] == 1
    assert result["details"]["messageList"] == [
        {
            "message": "it began",
            "error": False,
            "context_type": "task",
            "context": "",
            "ts": "2026-01-02T12:00:00+00:00",
            "extra": {},
        },
        {
            "message": "it broke",
            "error": True,
            "context_type": "bootaction",
            "context": "01X",
            "ts": "2026-01-02T12:00:00+00:00",
            "extra": {"a": 1},
        },
    ]


def test_build_data_comes_with_a_link_to_it() -> None:
    one = replace(task(), has_build_data=True)
    data = BuildData("n1", one.id, NOON, "lshw", "text/plain", "data")
    view = task_view(one, AT, build_data=[data])
    assert view["build_data"] == [
        {
            "node_name": "n1",
            "task_id": str(one.id),
            "collected_date": "2026-01-02T12:00:00+00:00",
            "generator": "lshw",
            "data_format": "text/plain",
            "data_element": "data",
        }
    ]
    href = f"https://drydock.example.org/cloud/api/v1.0/tasks/{one.id}/builddata"
    assert view["result"]["links"] == [{"rel": "detail_logs", "href": href}]
    assert task_view(one, AT, build_data=[])["build_data"] == []
    assert task_view(task(), AT)["result"]["links"] == []


def test_layers_are_tasks_by_id() -> None:
    first, second = task(), task()
    view = layers_view([first, second], AT)
    assert view["init_task_id"] == str(first.id)
    assert view[str(second.id)]["task_id"] == str(second.id)
    assert len(view) == 3


def test_subtask_errors_are_shaped_like_results() -> None:
    one = task()
    view = subtask_errors_view({one.id: one.result.messages[1:], uuid4(): ()})
    assert list(view) == [str(one.id)]
    assert view[str(one.id)]["details"]["errorCount"] == 1
    assert view[str(one.id)]["task_id"] == str(one.id)


def test_an_array_is_streamed_in_pieces() -> None:
    assert b"".join(json_array([])) == b"[]"
    assert b"".join(json_array([1, {"a": "b"}])) == b'[1, {"a": "b"}]'
    pieces = list(json_array("x" * 1000 for _ in range(1000)))
    assert len(pieces) > 10
    assert max(len(piece) for piece in pieces) < PIECE + 2000
