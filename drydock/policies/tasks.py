"""Rules for tasks: read, create (one more per action), terminate, delete."""

from __future__ import annotations

from oslo_policy import policy

from drydock.policies.base import ADMIN, READER, rule
from drydock.policies.names import (
    ACTION_RULES,
    CONFIRM_TASK,
    CREATE_TASK,
    DELETE_TASKS,
    PAUSE_TASK,
    READ_TASK,
    TERMINATE_TASK,
)


def list_rules() -> list[policy.RuleDefault]:
    return [
        rule(READ_TASK, READER, "See tasks."),
        rule(CREATE_TASK, ADMIN, "Create tasks. The rule of the task's action is needed as well."),
        *(rule(name, ADMIN, f"Create tasks with action {action}.") for action, name in ACTION_RULES.items()),
        rule(TERMINATE_TASK, ADMIN, "Stop a task and its subtasks."),
        rule(CONFIRM_TASK, ADMIN, "Confirm that a person did what a task waits for."),
        rule(PAUSE_TASK, ADMIN, "Pause and resume a task."),
        rule(DELETE_TASKS, ADMIN, "Delete old tasks."),
    ]
