"""One method per operation of the API; replies are the JSON that the server sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit
from uuid import uuid4

from keystoneauth1.adapter import Adapter
from keystoneauth1.session import Session

from drydock.client import errors
from drydock.client.session import API_PREFIX, PATIENCE, Connection, Patience, json_of

Json = dict[str, Any]
#: Rows per page.
PAGE_SIZE = 500
#: Additional timeout in seconds for large designs.
COMPILING = 90.0


class DrydockClient:
    """Drydock over any keystoneauth session or adapter.

    ``endpoint`` overrides the catalogue's ``physicalprovisioner``. ``context_marker`` is a UUID that appears in the
    server's log. ``on_slow`` is called from another thread with a text that names what is waited for, once for a
    request that takes ``patience.slow`` seconds longer than its ``wait``. Every method raises
    ``drydock.client.errors.ClientError``.
    """

    def __init__(
        self,
        session: Session | Adapter,
        *,
        endpoint: str | None = None,
        interface: str | None = None,
        region_name: str | None = None,
        context_marker: str | None = None,
        retries: int = 3,
        on_slow: Callable[[str], None] | None = None,
        patience: Patience = PATIENCE,
    ) -> None:
        headers = {"Accept": "application/json"}
        if context_marker:
            headers["X-Context-Marker"] = context_marker
        self._connection = Connection(
            session,
            endpoint=endpoint,
            interface=interface,
            region_name=region_name,
            headers=headers,
            retries=retries,
            on_slow=on_slow,
            patience=patience,
        )

    # Plans

    def create_plan(
        self, design_ref: str, *, node_filter: Mapping[str, Any] | None = None, destroy_unlisted: bool = False
    ) -> Json:
        """What would be done to each node, and why; nothing is done. Returned without its nodes."""
        body = {"design_ref": design_ref, "node_filter": node_filter, "destroy_unlisted": destroy_unlisted}
        return _record(json_of(self._connection.call("POST", "/plans", json=body, wait=COMPILING)))

    def get_plan(self, plan_id: str) -> Json:
        return _record(json_of(self._connection.call("GET", f"/plans/{quote(plan_id, safe='')}")))

    def plans(self) -> list[Json]:
        """The newest first."""
        found: list[Json] = json_of(self._connection.call("GET", "/plans"))
        return found

    def plan_nodes(self, plan_id: str, *, decision: str | None = None) -> Iterator[Json]:
        """All nodes of a plan, or those of a decision, in its order, page by page."""
        after = -1
        while True:
            params: Json = {"limit": PAGE_SIZE, "after": after, "decision": decision}
            path = f"/plans/{quote(plan_id, safe='')}/nodes"
            page: list[Json] = json_of(self._connection.call("GET", path, params=params))
            yield from page
            if len(page) < PAGE_SIZE:
                return
            after = page[-1]["position"]

    # Tasks

    def create_task(
        self,
        action: str,
        design_ref: str,
        *,
        node_filter: Mapping[str, Any] | None = None,
        force: bool = False,
        expect_nodes: int | None = None,
        all_nodes: bool = False,
        rollout: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Json:
        """Create a task; returns it, queued. ``force``: also change nodes that are deployed already.

        ``expect_nodes``: the number of nodes that must be selected. Destroying or forcing a whole site requires either
        this or ``all_nodes``. ``rollout``: ``waves``, ``max_failed`` and ``pause`` as in the API.

        Requests with the same ``idempotency_key`` (default: a new one) return the same task.
        """
        response = self._connection.call(
            "POST",
            "/tasks",
            json={
                "action": action,
                "design_ref": design_ref,
                "node_filter": node_filter,
                **({"force": True} if force else {}),
                **({} if expect_nodes is None else {"expect_nodes": expect_nodes}),
                **({"all_nodes": True} if all_nodes else {}),
                **({} if rollout is None else {"rollout": rollout}),
            },
            headers={"Idempotency-Key": idempotency_key or str(uuid4())},
        )
        return _record(json_of(response))

    def apply_plan(
        self,
        plan_id: str,
        *,
        expect_nodes: int | None = None,
        all_nodes: bool = False,
        rollout: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Json:
        """Create the task that does what a plan says; returns it. ``expect_nodes``: the number of nodes it changes.

        Raises Conflict (``plan_stale``, ``plan_applied``, ``unexpected_node_count``), BadRequest
        (``scope_unconfirmed``).
        """
        body: Json = {
            "action": "apply_plan",
            "plan": plan_id,
            **({} if expect_nodes is None else {"expect_nodes": expect_nodes}),
            **({"all_nodes": True} if all_nodes else {}),
            **({} if rollout is None else {"rollout": rollout}),
        }
        headers = {"Idempotency-Key": idempotency_key or str(uuid4())}
        return _record(json_of(self._connection.call("POST", "/tasks", json=body, headers=headers)))

    def retry_task(
        self,
        task_id: str,
        *,
        force: bool | None = None,
        rollout: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Json:
        """Create the same task for the nodes that failed in a task; returns it.

        ``force``, ``rollout``: None for the old task's.

        Raises Conflict when the task has not ended, or none of its nodes failed.
        """
        body: Json = {"retry_of": task_id}
        if force is not None:
            body["force"] = force
        if rollout is not None:
            body["rollout"] = rollout
        headers = {"Idempotency-Key": idempotency_key or str(uuid4())}
        return _record(json_of(self._connection.call("POST", "/tasks", json=body, headers=headers)))

    def get_task(
        self,
        task_id: str,
        *,
        layers: int | None = None,
        subtaskerrors: bool = False,
        builddata: bool = False,
        wait: int | None = None,
    ) -> Json:
        """One task; with ``layers`` (-1: all) an object of tasks by id instead.

        ``wait``: the server may hold the answer for this number of seconds, until something changes.
        """
        params = {
            "layers": layers,
            "subtaskerrors": "true" if subtaskerrors else None,
            "builddata": "true" if builddata else None,
            "wait": wait,
        }
        response = self._connection.call("GET", f"/tasks/{quote(task_id, safe='')}", params=params, wait=wait or 0)
        return _record(json_of(response))

    def tasks(
        self,
        *,
        status: str | None = None,
        action: str | None = None,
        node: str | None = None,
        created_by: str | None = None,
        parent: str | None = None,
        id_prefix: str | None = None,
        subtasks: bool = True,
        newest_first: bool = False,
        page_size: int = PAGE_SIZE,
    ) -> Iterator[Json]:
        """The tasks that match, oldest first unless ``newest_first``; pages are fetched on demand."""
        filters = {"status": status, "action": action, "node": node, "created_by": created_by, "parent": parent}
        params: dict[str, Any] = {
            **filters,
            "id_prefix": id_prefix,
            "subtasks": None if subtasks else "false",
            "order": "newest" if newest_first else None,
            "limit": page_size,
        }
        while params:
            response = self._connection.call("GET", "/tasks", params=params)
            yield from _records(json_of(response))
            # NOTE: only the query of the link is used: its host is the server's idea of its own address, and a
            # token must not follow it there.
            following = response.links.get("next", {}).get("url", "")
            params = dict(parse_qsl(urlsplit(following).query))

    def list_tasks(self, **filters: Any) -> list[Json]:
        """All tasks that match; the filters are those of ``tasks``."""
        return list(self.tasks(**filters))

    def terminate_task(self, task_id: str) -> Json:
        """Stop a task and its subtasks; no effect if they have ended. Returns the task."""
        return _record(json_of(self._connection.call("POST", f"/tasks/{quote(task_id, safe='')}/terminate")))

    def confirm_task(self, task_id: str, *, step: str | None = None, note: str = "") -> Json:
        """A person did what the task, or its subtasks, wait for at ``step`` (None: now). Returns the task.

        Raises Conflict (``no_confirmation_awaited``). With ``step`` a repeated call confirms nothing else; without,
        the request is not repeated when its answer is lost.
        """
        body = {**({} if step is None else {"step": step}), **({"note": note} if note else {})}
        path = f"/tasks/{quote(task_id, safe='')}/confirm"
        # Repeated, it would confirm the step after.
        return _record(json_of(self._connection.call("POST", path, json=body, once=step is None)))

    def pause_task(self, task_id: str) -> Json:
        """Begin no more nodes of a task with a rollout. Returns the task. Raises Conflict if it has ended or none."""
        return _record(json_of(self._connection.call("POST", f"/tasks/{quote(task_id, safe='')}/pause")))

    def resume_task(self, task_id: str) -> Json:
        """Go on with a paused task. Returns the task. Raises Conflict as ``pause_task``."""
        # Repeated, it would end the pause after the next wave.
        return _record(json_of(self._connection.call("POST", f"/tasks/{quote(task_id, safe='')}/resume", once=True)))

    def delete_tasks(self, *, days: int) -> str:
        """Delete finished tasks older than ``days``; returns the server's message."""
        return self._connection.call("DELETE", "/tasks", params={"days": days}).text

    # Build data

    def task_build_data(self, task_id: str) -> list[Json]:
        """Build data of a task. Raises NotFound if there is none."""
        return _records(json_of(self._connection.call("GET", f"/tasks/{quote(task_id, safe='')}/builddata")))

    def node_build_data(self, node: str, *, latest: bool = False) -> list[Json]:
        """Build data of a node. Raises NotFound if there is none."""
        params = {"latest": "true"} if latest else {}
        path = f"/nodes/{quote(node, safe='')}/builddata"
        return _records(json_of(self._connection.call("GET", path, params=params)))

    # Designs

    def upload_design(self, documents: bytes) -> Json:
        """Store a design: ``digest``, ``design_ref``, ``size``, ``created``, ``messages``.

        Raises BadRequest for an invalid one, with all errors in its ``messages``.
        """
        headers = {"Content-Type": "application/x-yaml"}
        response = self._connection.call("POST", "/designs", data=documents, headers=headers, working=COMPILING)
        return _record(json_of(response))

    def get_design(self, digest: str) -> bytes:
        """The documents as uploaded."""
        headers = {"Accept": "application/x-yaml, */*"}
        return self._connection.call("GET", f"/designs/{quote(digest, safe='')}", headers=headers).content

    def compiled_design(self, digest: str) -> Json:
        """The compiled site of a design, without credentials."""
        path = f"/designs/{quote(digest, safe='')}"
        return _record(json_of(self._connection.call("GET", path, params={"compiled": "true"}, working=COMPILING)))

    def list_designs(self) -> list[Json]:
        return _records(json_of(self._connection.call("GET", "/designs")))

    def validate_design(self, href: str) -> Json:
        """Validate a design; returns a Status document, also for an invalid one."""
        body = {"rel": "design", "href": href, "type": "application/x-yaml"}
        response = self._connection.request("POST", f"{API_PREFIX}/validatedesign", json=body, working=COMPILING)
        if response.status_code == 200:
            return _record(json_of(response))
        error = errors.reply_error(response)
        # NOTE: 400 means an invalid design or an invalid request; only the second is an error here.
        if response.status_code != 400 or error.reason in {"", "invalid_input"}:
            raise error
        return _record(json_of(response))

    # Nodes

    def node_filter(self, design_ref: str, node_filter: Mapping[str, Any] | None = None) -> list[str]:
        """Names of the nodes of a design that a filter selects."""
        body = {"design_ref": design_ref, "node_filter": node_filter}
        names = json_of(self._connection.call("POST", "/nodefilter", json=body, working=COMPILING))
        if not isinstance(names, list):
            raise errors.UnexpectedReply("expected a list of names")
        return [str(name) for name in names]

    def list_nodes(self) -> list[Json]:
        return _records(json_of(self._connection.call("GET", "/nodes")))

    def get_node(self, node: str) -> Json:
        """What is known of a node, null for what is not: ``facts``, ``facts_before``, ``sources`` of its hardware,
        ``deployed``: what it runs, null also if it is not deployed, ``hold``. Raises NotFound.
        """
        return _record(json_of(self._connection.call("GET", f"/nodes/{quote(node, safe='')}")))

    # Holds

    def hold_node(self, node: str, *, kind: str, reason: str, until: str | None = None) -> Json:
        """Hold a node: no action that changes it begins; returns the hold. ``until``: ISO 8601 with its zone.

        Raises Conflict if it is held.
        """
        body = {"kind": kind, "reason": reason, "until": until}
        return _record(json_of(self._connection.call("PUT", f"/nodes/{quote(node, safe='')}/hold", json=body)))

    def release_node(self, node: str) -> bool:
        """False: it was not held, or the answer of the request that released it was lost."""
        try:
            self._connection.call("DELETE", f"/nodes/{quote(node, safe='')}/hold")
        except errors.NotFound as exc:
            if exc.reason != "hold_not_found":
                raise
            return False
        return True

    def list_holds(self) -> list[Json]:
        """The holds that have not expired."""
        return _records(json_of(self._connection.call("GET", "/holds")))

    # The service

    def check_health(self) -> None:
        """Return if the service is healthy. Raises Unavailable if it is not."""
        self._connection.call("GET", "/health", authenticated=False, status_code_retries=0)

    def health(self) -> Json:
        """The state of each dependency, also if the service is not healthy."""
        # A 503 is a result here, not a reason to retry.
        response = self._connection.request("GET", f"{API_PREFIX}/health/extended", status_code_retries=0)
        if response.status_code not in {200, 503}:
            raise errors.reply_error(response)
        return _record(json_of(response))

    def versions(self) -> Json:
        return _record(json_of(self._connection.request("GET", "/versions", authenticated=False)))


def _record(value: Any) -> Json:
    if not isinstance(value, dict):
        raise errors.UnexpectedReply("expected a JSON object: check that this is the URL of Drydock")
    return value


def _records(value: Any) -> list[Json]:
    if not isinstance(value, list):
        raise errors.UnexpectedReply("expected a JSON array: check that this is the URL of Drydock")
    return [_record(item) for item in value]
