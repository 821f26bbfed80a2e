"""A small real server that answers as the API reference says, and a Keystone that does no more than give tokens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import falcon

from tests.http_peer import serving_wsgi

TASK = "00000000-0000-4000-8000-000000000001"
DIGEST = "d" * 64
NODES: list[dict[str, Any]] = [
    {"name": "n1", "rack": "r1", "tags": ["a", "b"], "owner_data": {"site": "x"}},
    {"name": "n2", "rack": "r1", "tags": ["b"], "owner_data": {}},
]
Frame = tuple[dict[str, Any], list[dict[str, Any]]]


def task(task_id: str = TASK, *, action: str = "deploy_nodes", status: str = "running", **more: Any) -> dict[str, Any]:
    """A task as the API shows it; ``outcome``, ``message``, ``errors`` fill in its result."""
    outcome, message, errors = more.pop("outcome", "incomplete"), more.pop("message", ""), more.pop("errors", [])
    messages = [
        {"message": text, "error": True, "context_type": "task", "context": "", "ts": "2026-01-01T00:00:00Z"}
        for text in errors
    ]
    result = {
        "kind": "Status",
        "status": outcome,
        "message": message,
        "reason": "",
        "successes": [],
        "failures": [],
        "links": [],
        "details": {"errorCount": len(messages), "messageList": messages},
    }
    body = {"kind": "Task", "task_id": task_id, "action": action, "status": status, "parent_task_id": None}
    return {**body, "design_ref": "drydock://designs/x", "result": result, "node": None, **more}


def subtask(node: str, **more: Any) -> dict[str, Any]:
    return task(f"sub-{node}", action="deploy_node", node=node, parent_task_id=TASK, **more)


@dataclass
class Peer:
    """What the server answers, and what it was asked. ``frames``: the site as it looks at each GET of the task."""

    frames: list[Frame] = field(default_factory=lambda: [(task(status="queued"), [])])
    tokens: set[str] = field(default_factory=lambda: {"admin"})
    refusals: list[tuple[str, dict[str, Any] | str]] = field(default_factory=list)
    others: list[dict[str, Any]] = field(default_factory=list)
    designs: list[str] = field(default_factory=lambda: [DIGEST])
    asked: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    #: Answers that are lost on the way, of requests that have taken effect.
    lost: int = 0
    issued: int = 0
    catalogue: bool = True
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def calls(self, method: str, path: str) -> list[tuple[str, str, dict[str, str], Any]]:
        return [call for call in self.asked if call[0] == method and call[1].startswith(path)]


def _asked_for(entry: dict[str, Any], req: falcon.Request) -> bool:
    wanted = {"parent_task_id": req.get_param("parent"), "node": req.get_param("node")}
    nested = req.get_param("subtasks") != "false" or entry["parent_task_id"] is None
    begins = str(entry["task_id"]).startswith(req.get_param("id_prefix", default="").lower())
    return nested and begins and all(value in (None, entry[name]) for name, value in wanted.items())


@contextmanager
def serving(peer: Peer) -> Iterator[None]:
    """Serves at ``peer.port`` (0: any free one, which it is set to)."""
    with serving_wsgi(peer.port) as server:
        peer.port = server.server_port
        server.set_app(application(peer))
        yield


def application(peer: Peer) -> falcon.App[falcon.Request, falcon.Response]:
    app = falcon.App(middleware=[Gate(peer)])
    api = Api(peer)
    app.add_route("/v3", api, suffix="keystone")
    app.add_route("/v3/auth/tokens", api, suffix="tokens")
    app.add_route("/versions", api, suffix="versions")
    for path, suffix in (
        ("/tasks", "tasks"),
        ("/tasks/{task_id}", "task"),
        ("/tasks/{task_id}/terminate", "terminate"),
        ("/tasks/{task_id}/confirm", "confirm"),
        ("/tasks/{task_id}/builddata", "builddata"),
        ("/tasks/{task_id}/resume", "resume"),
        ("/nodes/{node}", "node"),
        ("/nodes/{node}/hold", "hold"),
        ("/nodes/{node}/builddata", "builddata"),
        ("/designs", "designs"),
        ("/designs/{digest}", "design"),
        ("/validatedesign", "validatedesign"),
        ("/nodefilter", "nodefilter"),
        ("/nodes", "nodes"),
        ("/plans", "plans"),
        ("/plans/{plan_id}", "plan"),
        ("/plans/{plan_id}/nodes", "plan_nodes"),
        ("/health", "health"),
        ("/health/extended", "extended"),
    ):
        app.add_route(f"/api/v1.0{path}", api, suffix=suffix)
    return app


HELD_AND_DEPLOYED: dict[str, Any] = {
    "deployed": {
        "design_digest": DIGEST,
        "image": "jammy",
        "task_id": TASK,
        "deployed": "2026-01-02T03:04:05+00:00",
        "deployed_by": "ann",
    },
    "hold": {"created_by": "bob", "kind": "maintenance", "reason": "a fan", "until": None},
}
#: A plan that redeploys one node and deploys another.
PLAN: dict[str, Any] = {
    "plan_id": "4f" * 32,
    "design_digest": DIGEST,
    "counts": {"keep": 0, "deploy": 1, "redeploy": 1, "destroy": 0, "blocked": 0},
    "site": [],
    "waves": [2],
    "estimate": None,
    "created": "2026-01-01T00:00:00Z",
    "created_by": "operator",
    "applied_by": None,
}


def status_body(message: str, reason: str, **details: Any) -> dict[str, Any]:
    return {"kind": "Status", "type": "error", "message": message, "reason": reason, "retry": False, "details": details}


def _selected(node: dict[str, Any], asked: dict[str, Any]) -> bool:
    """As an intersection does."""
    return (
        node["name"] in asked.get("node_names", [node["name"]])
        and node["rack"] in asked.get("rack_names", [node["rack"]])
        and set(asked.get("node_tags", ())) <= set(node["tags"])
        and asked.get("node_labels", {}).items() <= node["owner_data"].items()
    )


class Gate:
    """Records each request, plays the refusals that a test ordered, and asks for a token."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        body = req.bounded_stream.read()
        req.context.body = json.loads(body) if body and "json" in (req.content_type or "") else body
        resp.set_header("X-Drydock-Req", "req-1")
        self._peer.asked.append((req.method, req.relative_uri, dict(req.headers), req.context.body))
        if not req.path.startswith("/api"):
            return
        if self._peer.refusals:
            status, refusal = self._peer.refusals.pop(0)
            resp.status = status
            if isinstance(refusal, str):
                resp.text, resp.content_type = refusal, "text/html"
            else:
                resp.media = refusal
            resp.complete = True
        elif not req.path.endswith("/health") and req.get_header("X-Auth-Token") not in self._peer.tokens:
            resp.status = "401 Unauthorized"
            resp.media = status_body("a token is needed", "not_authenticated")
            resp.complete = True

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, resource: object, req_succeeded: bool
    ) -> None:
        if self._peer.lost and req.path.startswith("/api") and req.method != "GET":
            self._peer.lost -= 1
            resp.status, resp.media = "503 Service Unavailable", status_body("no answer", "unavailable")


class Api:
    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def on_get_keystone(self, req: falcon.Request, resp: falcon.Response) -> None:
        links = [{"rel": "self", "href": f"{self._peer.url}/v3"}]
        resp.media = {"version": {"id": "v3.14", "status": "stable", "links": links}}

    def on_post_tokens(self, req: falcon.Request, resp: falcon.Response) -> None:
        if req.context.body["auth"]["identity"]["password"]["user"]["password"] != "right":
            resp.status, resp.media = "401 Unauthorized", {"error": {"code": 401, "message": "The password is wrong."}}
            return
        self._peer.issued += 1
        endpoint = {"interface": "public", "region": None, "url": f"{self._peer.url}/api/v1.0", "id": "e"}
        service = {"type": "physicalprovisioner", "name": "drydock", "id": "s", "endpoints": [endpoint]}
        resp.status = "201 Created"
        resp.set_header("X-Subject-Token", f"issued-{self._peer.issued}")
        resp.media = {
            "token": {
                "methods": ["password"],
                "user": {"id": "u", "name": "operator", "domain": {"id": "default", "name": "Default"}},
                "expires_at": "2100-01-01T00:00:00.000000Z",
                "issued_at": "2026-01-01T00:00:00.000000Z",
                "catalog": [service] if self._peer.catalogue else [],
            }
        }

    def on_get_versions(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = {"v1.0": {"path": "/api/v1.0", "status": "stable"}}

    def on_post_tasks(self, req: falcon.Request, resp: falcon.Response) -> None:
        made = self._peer.keys.setdefault(req.get_header("Idempotency-Key", required=True), TASK)
        resp.status = "201 Created"
        resp.media = {**self._peer.frames[0][0], "task_id": made, "node_filter": req.context.body.get("node_filter")}

    def on_get_tasks(self, req: falcon.Request, resp: falcon.Response) -> None:
        root, nodes = self._peer.frames[0]
        found = [entry for entry in (root, *nodes, *self._peer.others) if _asked_for(entry, req)]
        found.sort(key=lambda entry: str(entry.get("created") or ""))
        if req.get_param("order") == "newest":
            found.reverse()
        start = int(req.get_param("marker") or 0)
        following = start + req.get_param_as_int("limit", required=True)
        if following < len(found):
            # A host that a client must not follow with its token.
            resp.append_link(f"http://elsewhere.invalid{req.path}?{req.query_string}&marker={following}", "next")
        resp.media = found[start:following]

    def on_get_task(self, req: falcon.Request, resp: falcon.Response, task_id: str) -> None:
        if task_id != TASK:
            resp.status, resp.media = "404 Not Found", status_body("no such task", "task_not_found")
            return
        resp.media = self._peer.frames[0][0]
        if len(self._peer.frames) > 1 and req.get_param("wait"):
            self._peer.frames.pop(0)
            resp.media = self._peer.frames[0][0]

    def on_post_terminate(self, req: falcon.Request, resp: falcon.Response, task_id: str) -> None:
        resp.media = {**self._peer.frames[0][0], "status": "terminating"}

    def on_post_confirm(self, req: falcon.Request, resp: falcon.Response, task_id: str) -> None:
        resp.media = {**self._peer.frames[0][0]}

    def on_post_resume(self, req: falcon.Request, resp: falcon.Response, task_id: str) -> None:
        resp.media = {**self._peer.frames[0][0]}

    def on_put_hold(self, req: falcon.Request, resp: falcon.Response, node: str) -> None:
        self._peer.held.add(node)
        resp.media = {"hostname": node, "created_by": "ann", **self._peer.asked[-1][3]}

    def on_delete_hold(self, req: falcon.Request, resp: falcon.Response, node: str) -> None:
        if node in self._peer.held:
            self._peer.held.remove(node)
            resp.status = "204 No Content"
        else:
            resp.status, resp.media = "404 Not Found", status_body(f"node {node} is not held", "hold_not_found")

    def on_delete_tasks(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.text = f"deleted tasks older than {req.get_param('days')} days"

    def on_get_builddata(self, req: falcon.Request, resp: falcon.Response, task_id: str = "", node: str = "") -> None:
        resp.media = [{"node_name": node or "n1", "task_id": task_id, "generator": "lshw"}]

    def on_get_node(self, req: falcon.Request, resp: falcon.Response, node: str) -> None:
        if node.lower() == "n2":
            # Deployed and held, and nothing is known of its hardware.
            resp.media = {"hostname": "n2", "facts": None, "facts_before": None, "sources": [], **HELD_AND_DEPLOYED}
            return
        if node.lower() != "n1" and node in self._peer.held:
            hold = HELD_AND_DEPLOYED["hold"]
            resp.media = {"hostname": node, "facts": None, "facts_before": None, "sources": [], "deployed": None}
            resp.media |= {"hold": hold}
            return
        if node.lower() != "n1":
            raise falcon.HTTPNotFound
        disk = {"name": "sda", "serial": "S1", "size_bytes": 480 * 10**9, "bus_address": "0:2.0.0", "rotational": False}
        neighbour = {"chassis_id": None, "system_name": "tor1", "port_id": "Eth1/1"}
        nic = {"mac": "02:00:00:00:00:01", "name": "eno1", "bus_address": None, "speed_mbit": 10000}
        facts = {"vendor": "Example", "bios_version": "1.1", "disks": [disk], "nics": [nic | {"neighbour": neighbour}]}
        before = {**facts, "bios_version": "1.0", "disks": [disk | {"serial": "S0"}]}
        source = {"generator": "redfish", "collected": "2026-01-02T03:04:05+00:00", "task_id": TASK}
        resp.media = {"hostname": "n1", "facts": facts, "facts_before": before, "sources": [source]}

    def on_post_designs(self, req: falcon.Request, resp: falcon.Response) -> None:
        finding = {"level": "Warning", "name": "DD2", "message": "odd", "documents": []}
        resp.status = "201 Created"
        ref = f"drydock://designs/{DIGEST}"
        resp.media = {"digest": DIGEST, "design_ref": ref, "size": len(req.context.body), "messages": [finding]}

    def on_get_designs(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = [
            {
                "digest": digest,
                "design_ref": f"drydock://designs/{digest}",
                "size": 3,
                "created": f"2026-01-02T03:04:{5 + place:02}.678901+00:00",
            }
            for place, digest in enumerate(self._peer.designs)
        ]

    def on_get_design(self, req: falcon.Request, resp: falcon.Response, digest: str) -> None:
        if req.get_param_as_bool("compiled"):
            resp.media = {"digest": digest, "site": {"nodes": NODES}}
            return
        resp.data, resp.content_type = b"---\n", "application/x-yaml"

    def on_post_validatedesign(self, req: falcon.Request, resp: falcon.Response) -> None:
        if "invalid" not in req.context.body["href"]:
            resp.media = {"status": "Success", "details": {"errorCount": 0, "messageList": []}}
            return
        resp.status = "400 Bad Request"
        resp.media = {**status_body("1 error", "design_invalid", errorCount=1), "status": "Failure"}

    def on_post_nodefilter(self, req: falcon.Request, resp: falcon.Response) -> None:
        asked = (req.context.body.get("node_filter") or {}).get("filter_set") or [{}]
        resp.media = [node["name"] for node in NODES if _selected(node, asked[0])]

    def on_get_plans(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = [PLAN]

    def on_get_plan(self, req: falcon.Request, resp: falcon.Response, plan_id: str) -> None:
        resp.media = PLAN

    def on_get_plan_nodes(self, req: falcon.Request, resp: falcon.Response, plan_id: str) -> None:
        wanted = req.get_param("decision")
        nodes = [{"position": 0, "node": "n1", "rack": "r1", "decision": "redeploy", "reasons": []}]
        nodes += [{"position": 1, "node": "n2", "rack": "r2", "decision": "deploy", "reasons": []}]
        resp.media = [node for node in nodes if wanted in (None, node["decision"])]

    def on_get_nodes(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = [
            {"hostname": "n2", "power_state": "on", "memory": 4096},
            {"hostname": "n1", "power_state": "off", "boot_mac": "02:2b:e4:89:04:7c", "status_name": "Deployed"},
        ]

    def on_get_health(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.status = "204 No Content"

    def on_get_extended(self, req: falcon.Request, resp: falcon.Response) -> None:
        dependencies = [
            {"name": "database", "healthy": False, "detail": "down"},
            {"name": "provisioner", "healthy": True, "detail": ""},
        ]
        resp.status = "503 Service Unavailable"
        resp.media = {"status": "Failure", "message": "not well: database", "dependencies": dependencies}
