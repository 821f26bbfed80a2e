"""Floors: the least that a Falcon application could do. The environment says what they serve.

``empty`` answers with as many bytes; ``select`` fetches them by primary key through a pool of psycopg2.
"""

from __future__ import annotations

import os
from typing import Any

import falcon
from psycopg2.extensions import connection
from psycopg2.pool import ThreadedConnectionPool
from sqlalchemy.engine import make_url


class _Empty:
    def __init__(self, size: int) -> None:
        self._content = os.urandom(size)

    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str = "") -> None:
        resp.data = self._content
        resp.content_type = "application/gzip"


class _Connection(connection):
    """One statement is one round trip: there is no transaction to begin and end."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.autocommit = True


class _Select:
    def __init__(self, url: str) -> None:
        dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._pool = ThreadedConnectionPool(16, 16, dsn, connection_factory=_Connection)

    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        pooled = self._pool.getconn()
        try:
            with pooled.cursor() as cursor:
                cursor.execute("SELECT content FROM bench_floor WHERE name = %s", (name,))
                row = cursor.fetchone()
        finally:
            self._pool.putconn(pooled)
        if row is None:
            raise falcon.HTTPNotFound
        resp.data = bytes(row[0])
        resp.content_type = "application/gzip"


def _application(resource: object) -> falcon.App[falcon.Request, falcon.Response]:
    app = falcon.App()
    app.add_route("/versions", _Empty(0))
    app.add_route("/bytes/{name}", resource)
    return app


def empty() -> falcon.App[falcon.Request, falcon.Response]:
    return _application(_Empty(int(os.environ["BENCH_BYTES"])))


def select() -> falcon.App[falcon.Request, falcon.Response]:
    return _application(_Select(os.environ["DRYDOCK_DATABASE_URL"]))
