"""Operations on tasks."""

from __future__ import annotations

from drydock.api import headers
from drydock.api.route import TEXT, Access, Body, Kind, Operation, Parameter, Reply, Route, json_reply
from drydock.api.schemas import replies
from drydock.api.schemas.tasks import CONFIRMATION
from drydock.api.schemas.tasks import CREATE_TASK as NEW_TASK
from drydock.model.actions import Action
from drydock.model.task import TaskStatus
from drydock.policies.names import (
    ACTION_RULES,
    CONFIRM_TASK,
    CREATE_TASK,
    DELETE_TASKS,
    PAUSE_TASK,
    READ_BUILD_DATA,
    READ_TASK,
    TERMINATE_TASK,
)

MAX_PAGE = 1000
#: A hundred years.
MAX_DAYS = 36500
DEFAULT_DAYS = 90

_LIST = Operation(
    "List tasks: all of them, or page by page; `Link: <…>; rel=next` leads to the next page.",
    rule=READ_TASK,
    query=(
        Parameter("status", Kind.CHOICE, "Of this status.", choices={status.value: status for status in TaskStatus}),
        Parameter("action", Kind.CHOICE, "Of this action.", choices={action.value: action for action in Action}),
        Parameter("node", Kind.TEXT, "Of this node."),
        Parameter("created_by", Kind.TEXT, "Created by this user."),
        Parameter("parent", Kind.UUID, "Subtasks of this task."),
        Parameter("limit", Kind.INTEGER, "Tasks of a page.", minimum=1, maximum=MAX_PAGE),
        Parameter("marker", Kind.UUID, "The last task of the page before."),
        Parameter("id_prefix", Kind.UUID_PREFIX, "Whose id begins with these hexadecimal digits."),
        Parameter("subtasks", Kind.FLAG, "Subtasks too.", default=True),
        Parameter("order", Kind.CHOICE, "Which come first.", default=False, choices={"oldest": False, "newest": True}),
    ),
    replies={200: json_reply("The tasks.", replies.array(replies.TASK), headers.LINK)},
)

#: Of operations that change a task.
_CHANGED = {200: json_reply("The task.", replies.TASK)}

ROUTES = (
    Route(
        "/tasks",
        "tasks",
        Access.OPERATOR,
        {
            "GET": _LIST,
            "POST": Operation(
                "Create a task.",
                rule=CREATE_TASK,
                also=tuple(ACTION_RULES.values()),
                headers=(headers.IDEMPOTENCY_KEY,),
                body=Body(NEW_TASK),
                replies={
                    201: json_reply("The task, queued; `Location` is its address.", replies.TASK, headers.LOCATION)
                },
            ),
            "DELETE": Operation(
                "Delete tasks that ended more than `days` days ago, as many as 25 s allow.",
                rule=DELETE_TASKS,
                query=(
                    Parameter(
                        "days",
                        Kind.INTEGER,
                        "0: all that have ended.",
                        default=DEFAULT_DAYS,
                        minimum=0,
                        maximum=MAX_DAYS,
                    ),
                ),
                replies={200: Reply("How many were deleted.", {TEXT: replies.TEXT})},
            ),
        },
    ),
    Route(
        "/tasks/{task_id}",
        "task",
        Access.OPERATOR,
        {
            "GET": Operation(
                "One task.",
                rule=READ_TASK,
                also=(READ_BUILD_DATA,),
                query=(
                    Parameter("builddata", Kind.FLAG, "With its build data.", default=False),
                    Parameter(
                        "layers",
                        Kind.INTEGER,
                        "By id, layers of subtasks; -1: all.",
                        minimum=-1,
                        maximum=1000,
                        refused={0: "must be at least 1, or -1 for all layers"},
                    ),
                    Parameter("subtaskerrors", Kind.FLAG, "With the errors of its subtasks.", default=False),
                    Parameter("wait", Kind.SECONDS, "Answer when it changes, at most this many seconds later."),
                ),
                replies={200: json_reply("The task; with `layers`, tasks by id.", replies.TASK_OR_LAYERS)},
            ),
        },
    ),
    Route(
        "/tasks/{task_id}/events",
        "events",
        Access.OPERATOR,
        {
            "GET": Operation(
                "What happens to a task and all below it, as server-sent events.",
                rule=READ_TASK,
                headers=(headers.LAST_EVENT_ID,),
                replies={
                    200: Reply(
                        "The stream.",
                        {"text/event-stream": replies.TEXT},
                        (headers.CACHE_CONTROL, headers.ACCEL_BUFFERING),
                    )
                },
            )
        },
    ),
    Route(
        "/tasks/{task_id}/terminate",
        "terminate",
        Access.OPERATOR,
        {
            "POST": Operation(
                "Stop a task and its subtasks; may be repeated.",
                rule=TERMINATE_TASK,
                replies=_CHANGED,
            )
        },
    ),
    Route(
        "/tasks/{task_id}/confirm",
        "confirm",
        Access.OPERATOR,
        {
            "POST": Operation(
                "Confirm that a person did what a task, or its subtasks, wait for; may be repeated.",
                rule=CONFIRM_TASK,
                body=Body(CONFIRMATION, optional=True),
                replies=_CHANGED,
            )
        },
    ),
    Route(
        "/tasks/{task_id}/pause",
        "pause",
        Access.OPERATOR,
        {
            "POST": Operation(
                "Begin no more nodes of a task that has a rollout; may be repeated.",
                rule=PAUSE_TASK,
                replies=_CHANGED,
            )
        },
    ),
    Route(
        "/tasks/{task_id}/resume",
        "resume",
        Access.OPERATOR,
        {
            "POST": Operation(
                "Go on with a task that is paused; may be repeated.",
                rule=PAUSE_TASK,
                replies=_CHANGED,
            )
        },
    ),
    Route(
        "/tasks/{task_id}/builddata",
        "task_build_data",
        Access.OPERATOR,
        {
            "GET": Operation(
                "Build data of a task; 404 if there is none.",
                rule=READ_BUILD_DATA,
                replies={200: json_reply("Its build data.", replies.array(replies.BUILD_DATA))},
            )
        },
    ),
)
