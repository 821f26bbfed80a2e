"""Ends workers with SIGKILL at chosen moments: a step whose outcome is not written, a request whose answer is not read.

Both are held up where they happen, in the database and on the way to Ironic, so that no moment is missed. The workers
are the program as it is.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg2
from sqlalchemy.engine import make_url

from dev.stack import BIN, Stack
from drydock.model.actions import Action
from tests.drivers.ironic_peer import passed_on
from tests.http_peer import HELD_SECONDS, Answer, Request

#: What a worker waits for at its step's end, which the test holds.
LOCK = 1_207
#: The end of a step: its row goes on to another step, or is closed.
GATE = f"""
CREATE TABLE killed (action text, step text, UNIQUE (action, step));
CREATE FUNCTION end_of_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.action IN ({{actions}}) AND OLD.step IS NOT NULL AND OLD.lease_owner IS NOT NULL
       AND (NEW.step IS DISTINCT FROM OLD.step OR NEW.status = 'complete')
       AND NOT EXISTS (SELECT FROM killed WHERE action = OLD.action AND step = OLD.step) THEN
        PERFORM set_config('application_name', OLD.action || '/' || OLD.step, true);
        PERFORM pg_advisory_xact_lock_shared({LOCK});
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER end_of_step BEFORE UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION end_of_step();
SELECT pg_advisory_lock({LOCK});
"""
#: A backend that waits, what for, and the owner of the lease as others see it.
WAITING = """
SELECT s.pid, s.application_name, t.lease_owner FROM pg_locks AS l JOIN pg_stat_activity AS s USING (pid)
JOIN tasks AS t ON s.application_name = t.action || '/' || t.step AND t.lease_owner IS NOT NULL
WHERE l.locktype = 'advisory' AND l.objid = %s AND NOT l.granted
AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) LIMIT 1
"""


class Gate:
    """Holds up the end of each step of ``actions`` until a worker was killed there once."""

    def __init__(self, database_url: str, actions: Iterable[Action]) -> None:
        url = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection = psycopg2.connect(url)
        self._connection.autocommit = True
        self.run(GATE.format(actions=", ".join(f"'{action}'" for action in actions)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def run(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def worker_of(self, node: str) -> str | None:
        rows = self.run("SELECT lease_owner FROM tasks WHERE node = %s AND lease_owner IS NOT NULL", node)
        return rows[0][0] if rows else None


class IronicRelay:
    """Between workers and Ironic. The answer to the first of each of ``cuts`` is held back until its worker is killed.

    ``cuts``: method, kind of path and target, such as ``PUT provision active``, by the node whose request is cut.
    """

    def __init__(self, upstream: str, cuts: Sequence[tuple[str, str]]) -> None:
        self._upstream = upstream
        self._left = set(cuts)
        self._names: dict[str, str] = {}
        self._lock = threading.Lock()
        #: Node, what was asked for, and what is set when the worker is dead.
        self.held: queue.SimpleQueue[tuple[str, str, threading.Event]] = queue.SimpleQueue()
        #: What Ironic accepted, by node.
        self.accepted: list[tuple[str, str]] = []

    @property
    def left(self) -> frozenset[tuple[str, str]]:
        return frozenset(self._left)

    def answer(self, request: Request) -> Answer:
        got = passed_on(request, self._upstream)
        if request.method == "GET" or got.status >= 300:
            return got
        node, what = self._node(request, got), _kind(request)
        with self._lock:
            self.accepted.append((node, what))
            cut = (node, what) in self._left
            self._left.discard((node, what))
        if not cut:
            return got
        dead = threading.Event()
        self.held.put((node, what, dead))
        # Before the first byte: an answer without a body is whole with its headers.
        dead.wait(HELD_SECONDS)
        return got

    def _node(self, request: Request, got: Answer) -> str:
        """Its name; a node has its UUID from the answer to the request that made it."""
        segments = request.path.partition("?")[0].strip("/").split("/")
        if segments[-1] == "nodes":
            self._names[json.loads(got.body)["uuid"]] = request.json["name"]
            return str(request.json["name"])
        uuid = request.json["node_uuid"] if segments[-1] == "ports" else segments[2]
        return self._names.get(uuid, uuid)


def _kind(request: Request) -> str:
    segments = request.path.partition("?")[0].strip("/").split("/")
    last = segments[-1] if segments[-2] != "nodes" else "node"
    target = request.json.get("target") if request.method == "PUT" and isinstance(request.json, dict) else None
    return " ".join(filter(None, (request.method, last, target)))


class Workers:
    """Two at a time, so that one is there when the other is killed. Used by one thread, the one that started them."""

    def __init__(self, stack: Stack, gate: Gate) -> None:
        self._stack, self._gate = stack, gate
        self._names: dict[int, str] = {}
        self._started = 0
        #: What each was killed in.
        self.killed: list[str] = []

    def start(self) -> None:
        self._started += 1
        name = f"worker-{self._started}"
        command: list[str | Path] = [BIN / "drydock-worker", "--config-file", self._stack.configuration]
        self._names[self._stack.processes.start(name, command).pid] = name

    def kill_at_a_step(self) -> bool:
        """The one that has done a step and has not written that down; false if there is none."""
        for backend, step, owner in self._gate.run(WAITING, LOCK):
            self._kill(owner, f"{step}, before its outcome was written")
            self._gate.run("INSERT INTO killed VALUES (%s, %s) ON CONFLICT DO NOTHING", *step.split("/"))
            self._gate.run("SELECT pg_terminate_backend(%s)", backend)
            self._lapse(owner)
            return True
        return False

    def kill_in_a_request(self, relay: IronicRelay, *, seconds: float) -> bool:
        """The one whose request Ironic has served; false if there is none for ``seconds``."""
        try:
            node, what, dead = relay.held.get(timeout=seconds)
        except queue.Empty:
            return False
        owner = self._gate.worker_of(node)
        assert owner is not None, f"no worker has {node}, whose {what} was sent"
        self._kill(owner, f"{what} of {node}, before the answer was read")
        dead.set()
        self._lapse(owner)
        return True

    def _kill(self, owner: str, what: str) -> None:
        name = self._names.pop(int(owner.split(":")[-2]))
        self._stack.processes.kill9(name)
        self.killed.append(what)
        self.start()

    def _lapse(self, owner: str) -> None:
        """Its leases, which last longer than the test."""
        self._gate.run("UPDATE tasks SET lease_until = now() WHERE lease_owner = %s", owner)


def requests_by_node(accepted: Sequence[tuple[str, str]]) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    for node, what in accepted:
        found.setdefault(node, []).append(what)
    return found
