"""Floors: the least that a Falcon application could do for the same answers. The environment says what they serve.

``empty`` answers with as many bytes; ``select`` fetches them by primary key; ``operations`` keeps reports and tasks and
shows tasks. All ask PostgreSQL through psycopg2's pool.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import falcon
from psycopg2.extensions import connection, cursor
from psycopg2.extras import RealDictCursor
from psycopg2.pool import ThreadedConnectionPool
from sqlalchemy.engine import make_url

from bench import statements


class _Empty:
    def __init__(self, size: int) -> None:
        self._content = os.urandom(size)

    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str = "") -> None:
        resp.data = self._content
        resp.content_type = "application/gzip"


class _Pool:
    """``autocommit``: one statement is one round trip, there is no transaction to begin and end."""

    def __init__(self, *, autocommit: bool) -> None:
        url = make_url(os.environ["DRYDOCK_DATABASE_URL"]).set(drivername="postgresql")

        class Connection(connection):
            def __init__(self, *arguments: Any, **named: Any) -> None:
                super().__init__(*arguments, **named)
                self.autocommit = autocommit

        dsn = url.render_as_string(hide_password=False)
        self._pool = ThreadedConnectionPool(16, 16, dsn, connection_factory=Connection)

    @contextmanager
    def cursor(self, kind: type[cursor] = cursor) -> Iterator[Any]:
        pooled = self._pool.getconn()
        try:
            with pooled.cursor(cursor_factory=kind) as lent:
                yield lent
            if not pooled.autocommit:
                pooled.commit()
        finally:
            self._pool.putconn(pooled)


class _Select:
    def __init__(self, pool: _Pool) -> None:
        self._pool = pool

    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        with self._pool.cursor() as cursor:
            cursor.execute("SELECT content FROM bench_floor WHERE name = %s", (name,))
            row = cursor.fetchone()
        if row is None:
            raise falcon.HTTPNotFound
        resp.data = bytes(row[0])
        resp.content_type = "application/gzip"


class _ShowTask:
    def __init__(self, pool: _Pool) -> None:
        self._pool = pool

    def on_get(self, req: falcon.Request, resp: falcon.Response, task_id: str) -> None:
        with self._pool.cursor(RealDictCursor) as cursor:
            cursor.execute(statements.SHOW_TASK, (task_id,))
            row = cursor.fetchone()
        if row is None:
            raise falcon.HTTPNotFound
        resp.data = json.dumps(row, default=str).encode()


class _AddTask:
    def __init__(self, pool: _Pool) -> None:
        self._pool = pool

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        body = json.loads(req.bounded_stream.read())
        task_id = str(uuid4())
        with self._pool.cursor(RealDictCursor) as cursor:
            cursor.execute(statements.ADD_TASK, (task_id, task_id, body["action"], body["design_ref"]))
            row = cursor.fetchone()
            cursor.execute(statements.WAKE_WORKERS)
        resp.status = 201
        resp.data = json.dumps(row, default=str).encode()


class _Report:
    def __init__(self, pool: _Pool) -> None:
        self._pool = pool

    def on_post(self, req: falcon.Request, resp: falcon.Response, action_id: str) -> None:
        body = json.loads(req.bounded_stream.read())
        digest = hashlib.sha256(bytes.fromhex(req.get_header("X-Bootaction-Key") or "")).digest()
        with self._pool.cursor() as cursor:
            cursor.execute(statements.LOCK_ACTION, (action_id,))
            row = cursor.fetchone()
            if row is None or not hmac.compare_digest(bytes(row[8]), digest):
                raise falcon.HTTPForbidden
            task_id = row[2]
            for detail in body["details"]:
                cursor.execute(statements.ADD_MESSAGE, (task_id, task_id, detail["message"], action_id))
            cursor.execute(statements.SET_FINAL, (action_id,))
            cursor.execute(statements.WAKE_TASK, (task_id,))
            cursor.fetchone()
        resp.data = json.dumps({"action_id": action_id, "task_id": task_id, "action_status": body["status"]}).encode()


_App = falcon.App[falcon.Request, falcon.Response]


def _application(**resources: object) -> _App:
    app = falcon.App()
    app.add_route("/versions", _Empty(0))
    for path, resource in resources.items():
        app.add_route(path, resource)
    return app


def empty() -> _App:
    return _application(**{"/bytes/{name}": _Empty(int(os.environ["BENCH_BYTES"]))})


def select() -> _App:
    return _application(**{"/bytes/{name}": _Select(_Pool(autocommit=True))})


def operations() -> _App:
    """At the paths of the API."""
    writing = _Pool(autocommit=False)
    return _application(
        **{
            "/api/v1.0/tasks": _AddTask(writing),
            "/api/v1.0/tasks/{task_id}": _ShowTask(_Pool(autocommit=True)),
            "/api/v1.0/bootaction/{action_id}": _Report(writing),
        }
    )
