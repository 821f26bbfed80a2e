"""Rules for tasks: read, create (one more per action), terminate, delete."""

from __future__ import annotations

from collections.abc import Mapping

from oslo_policy import policy

from drydock.model.actions import REQUESTABLE, Action
from drydock.policies.base import ADMIN, PREFIX, READER, rule

READ_TASK = PREFIX + "read_task"
CREATE_TASK = PREFIX + "create_task"
TERMINATE_TASK = PREFIX + "terminate_task"
DELETE_TASKS = PREFIX + "delete_tasks"

#: The rule that creating a task of an action needs besides CREATE_TASK.
ACTION_RULES: Mapping[Action, str] = {action: PREFIX + action.value for action in dict.fromkeys(REQUESTABLE.values())}


def list_rules() -> list[policy.RuleDefault]:
    create = [("POST", "/tasks")]
    return [
        rule(
            "read_task",
            READER,
            "See tasks.",
            [("GET", "/tasks"), ("GET", "/tasks/{task_id}"), ("GET", "/tasks/{task_id}/events")],
        ),
        rule("create_task", ADMIN, "Create tasks. The rule of the task's action is needed as well.", create),
        *(rule(action.value, ADMIN, f"Create tasks with action {action.value}.", create) for action in ACTION_RULES),
        rule("terminate_task", ADMIN, "Stop a task and its subtasks.", [("POST", "/tasks/{task_id}/terminate")]),
        rule("delete_tasks", ADMIN, "Delete old tasks.", [("DELETE", "/tasks")]),
    ]
