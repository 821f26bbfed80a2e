"""/tasks, /tasks/{task_id}, and what lies below it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain, islice
from typing import Any, TypedDict
from urllib.parse import urlencode
from uuid import UUID

import falcon

from drydock.api.addresses import Address, Addresses
from drydock.api.head import WithHead
from drydock.api.idempotency import read_idempotency_key
from drydock.api.query import parse_uuid, read_task_id
from drydock.api.reply import json_array, reply_created, reply_json
from drydock.api.requests import read_json, read_query
from drydock.api.route import PREFIX, Authorizer
from drydock.api.views.build_data import build_data_view
from drydock.api.views.tasks import layers_view, subtask_errors_view, task_view
from drydock.api.waiting import LongPolls
from drydock.context import RequestContext
from drydock.design.secrecy import without_password
from drydock.errors import BuildDataNotFound, InvalidInput, TaskNotFound
from drydock.model.actions import REQUESTABLE, Action
from drydock.model.node_filter import parse_node_filter
from drydock.model.task import NewTask, Task, TaskQuery
from drydock.orchestrator.services.tasks import TaskService
from drydock.policies.names import ACTION_RULES, READ_BUILD_DATA

PATH = f"{PREFIX}/tasks"


class _Scope(TypedDict):
    expect_nodes: int | None
    all_nodes: bool


class TasksResource(WithHead):
    def __init__(self, tasks: TaskService, policy: Authorizer, addresses: Addresses) -> None:
        self._tasks = tasks
        self._policy = policy
        self._addresses = addresses

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        query = _task_query(req)
        at = self._addresses.of(req)
        try:
            if query.limit is None:
                resp.stream = json_array(task_view(task, at) for task in _started(self._tasks.all_tasks(query)))
                resp.content_type = falcon.MEDIA_JSON
                return
            page = self._tasks.page(query)
        except TaskNotFound as exc:
            raise InvalidInput("is the id of no task", field="marker") from exc
        if page.next_marker is not None:
            resp.append_link(_next_page(req, at, page.next_marker), "next")
        reply_json(resp, [task_view(task, at) for task in page.tasks])

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        body = read_json(req)
        new = _new_task(body, req) if body.get("retry_of") is None else self._retry(body, req)
        self._policy.authorize(req.context.caller, ACTION_RULES[new.action])
        task = self._tasks.create_task(new)
        at = self._addresses.of(req)
        reply_created(resp, at.path(f"{PATH}/{task.id}"), task_view(task, at))

    def _retry(self, body: Mapping[str, Any], req: falcon.Request) -> NewTask:
        """What the body says besides must be what the task says that is retried, but for ``force``."""
        caller: RequestContext = req.context.caller
        new = self._tasks.retry_of(_retried_id(body["retry_of"]), created_by=caller.user)
        if REQUESTABLE.get(body.get("action", new.action)) is not new.action:
            raise InvalidInput(f"must be {new.action}, as of the task that is retried, or be left out", field="action")
        if body.get("design_ref", new.design_ref) not in (new.design_ref, without_password(new.design_ref)):
            raise InvalidInput("must be that of the task that is retried, or be left out", field="design_ref")
        if body.get("node_filter") is not None:
            raise InvalidInput("cannot be given with retry_of, which is for all nodes that failed", field="node_filter")
        if body.get("plan", new.plan) != new.plan:
            raise InvalidInput("must be that of the task that is retried, or be left out", field="plan")
        if new.action is Action.APPLY_PLAN:
            _refuse_what_a_plan_says(body, "force")
        return replace(
            new,
            force=body.get("force", new.force),
            **_scope(body, all_nodes=bool(new.all_nodes)),
            rollout=_retried_rollout(body.get("rollout"), new.rollout),
            request_id=caller.request_id,
            idempotency_key=_idempotency_key(req, caller),
        )

    def on_delete(self, req: falcon.Request, resp: falcon.Response) -> None:
        days: int = read_query(req)["days"]
        deleted = self._tasks.delete_tasks(older_than_days=days)
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = f"deleted {deleted} tasks that ended more than {days} days ago\n"


class TaskResource(WithHead):
    def __init__(self, tasks: TaskService, policy: Authorizer, waiting: LongPolls, addresses: Addresses) -> None:
        self._tasks = tasks
        self._policy = policy
        self._waiting = waiting
        self._addresses = addresses

    def on_get(self, req: falcon.Request, resp: falcon.Response, task_id: str) -> None:
        wanted = read_task_id(task_id)
        query = read_query(req)
        builddata, depth = query["builddata"], query["layers"]
        # HEAD is not kept waiting: there is nothing that it could wait for.
        seconds = query["wait"] if req.method == "GET" else 0.0
        if builddata:
            self._policy.authorize(req.context.caller, READ_BUILD_DATA)
        req.context.waited = self._waiting.wait(wanted, seconds)
        at = self._addresses.of(req)
        if depth is None:
            view = self._one(wanted, at, builddata=builddata)
        else:
            view = self._layers(wanted, depth, at, builddata=builddata)
        if query["subtaskerrors"]:
            view["subtask_errors"] = subtask_errors_view(self._tasks.subtask_errors(wanted))
        reply_json(resp, view)

    def _one(self, task_id: UUID, at: Address, *, builddata: bool) -> dict[str, Any]:
        task = self._tasks.task(task_id)
        return task_view(task, at, build_data=self._tasks.build_data(task_id) if builddata else None)

    def _layers(self, task_id: UUID, depth: int, at: Address, *, builddata: bool) -> dict[str, Any]:
        tasks = self._tasks.layers(task_id, depth)
        found = {task.id: self._tasks.build_data(task.id) for task in tasks} if builddata else None
        return layers_view(tasks, at, found)


class TerminateResource:
    def __init__(self, tasks: TaskService, addresses: Addresses) -> None:
        self._tasks = tasks
        self._addresses = addresses

    def on_post(self, req: falcon.Request, resp: falcon.Response, task_id: str) -> None:
        caller: RequestContext = req.context.caller
        task = self._tasks.terminate(read_task_id(task_id), by=caller.user)
        reply_json(resp, task_view(task, self._addresses.of(req)))


class ConfirmResource:
    def __init__(self, tasks: TaskService, addresses: Addresses) -> None:
        self._tasks = tasks
        self._addresses = addresses

    def on_post(self, req: falcon.Request, resp: falcon.Response, task_id: str) -> None:
        caller: RequestContext = req.context.caller
        body = read_json(req)
        note, step = body.get("note", ""), body.get("step")
        task = self._tasks.confirm(read_task_id(task_id), step=step, by=caller.user, note=note)
        reply_json(resp, task_view(task, self._addresses.of(req)))


class PauseResource:
    def __init__(self, tasks: TaskService, addresses: Addresses) -> None:
        self._tasks = tasks
        self._addresses = addresses

    def on_post(self, req: falcon.Request, resp: falcon.Response, task_id: str) -> None:
        task = self._tasks.pause(read_task_id(task_id), by=req.context.caller.user)
        reply_json(resp, task_view(task, self._addresses.of(req)))


class ResumeResource:
    def __init__(self, tasks: TaskService, addresses: Addresses) -> None:
        self._tasks = tasks
        self._addresses = addresses

    def on_post(self, req: falcon.Request, resp: falcon.Response, task_id: str) -> None:
        task = self._tasks.resume(read_task_id(task_id), by=req.context.caller.user)
        reply_json(resp, task_view(task, self._addresses.of(req)))


class TaskBuildDataResource(WithHead):
    def __init__(self, tasks: TaskService) -> None:
        self._tasks = tasks

    def on_get(self, req: falcon.Request, resp: falcon.Response, task_id: str) -> None:
        found = self._tasks.build_data(read_task_id(task_id))
        if not found:
            raise BuildDataNotFound(f"task {task_id} has no build data")
        reply_json(resp, [build_data_view(item) for item in found])


def _task_query(req: falcon.Request) -> TaskQuery:
    query = read_query(req)
    return TaskQuery(
        status=query["status"],
        action=query["action"],
        node=query["node"],
        created_by=query["created_by"],
        parent=query["parent"],
        limit=query["limit"],
        marker=query["marker"],
        ids=query["id_prefix"],
        subtasks=query["subtasks"],
        newest_first=query["order"],
    )


def _next_page(req: falcon.Request, at: Address, marker: UUID) -> str:
    return at.path(f"{PATH}?{urlencode({**req.params, 'marker': str(marker)})}")


def _started(tasks: Iterator[Task]) -> Iterator[Task]:
    """The same tasks, the first already fetched: what fails at once still gets an error's status."""
    return chain(list(islice(tasks, 1)), tasks)


def _retried_id(text: str) -> UUID:
    parsed = parse_uuid(text)
    if parsed is None:
        raise InvalidInput("must be the id of a task, which is a UUID", field="retry_of")
    return parsed


def _retried_rollout(given: Mapping[str, Any] | None, old: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Its members that are not given are the retried task's: a retry of waves is one in waves."""
    return old if given is None else {**(old or {}), **given}


def _new_task(body: Mapping[str, Any], req: falcon.Request) -> NewTask:
    caller: RequestContext = req.context.caller
    node_filter = body.get("node_filter")
    parse_node_filter(node_filter)
    action = REQUESTABLE[body["action"]]
    _check_plan(body, action)
    return NewTask(
        action=action,
        design_ref=body.get("design_ref", ""),
        plan=body.get("plan"),
        node_filter=node_filter,
        force=body.get("force", False),
        **_scope(body),
        rollout=body.get("rollout"),
        created_by=caller.user,
        request_id=caller.request_id,
        idempotency_key=_idempotency_key(req, caller),
    )


def _check_plan(body: Mapping[str, Any], action: Action) -> None:
    if action is not Action.APPLY_PLAN:
        if body.get("plan") is not None:
            raise InvalidInput(f"is for {Action.APPLY_PLAN}, not for {action}", field="plan")
        return
    _refuse_what_a_plan_says(body, "design_ref", "node_filter", "force")


def _refuse_what_a_plan_says(body: Mapping[str, Any], *names: str) -> None:
    for name in names:
        if body.get(name):
            raise InvalidInput(f"cannot be given with {Action.APPLY_PLAN}: the plan says it", field=name)


def _scope(body: Mapping[str, Any], *, all_nodes: bool = False) -> _Scope:
    expected = body.get("expect_nodes")
    # JSON Schema takes 3.0 for an integer.
    return {
        "expect_nodes": None if expected is None else int(expected),
        "all_nodes": body.get("all_nodes", all_nodes),
    }


def _idempotency_key(req: falcon.Request, caller: RequestContext) -> str | None:
    """The client's key, made one user's own: names of users repeat across Keystone's domains, ids do not."""
    key = read_idempotency_key(req)
    return None if key is None else f"{caller.user_id}:{key}"
