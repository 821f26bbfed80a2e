"""The bare SQL of one request, by as many connections, on the core that the server would have.

    python -m bench.bare reports|tasks CONNECTIONS SECONDS < DATA

A process of its own, like the server it is compared with. Prints how many transactions it made per second.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import psycopg2
import psycopg2.extensions
from sqlalchemy.engine import make_url

from bench.servers import SERVER_CORE

Cursor = psycopg2.extensions.cursor

LOCK = """
SELECT a.id, a.context_id, a.task_id, a.node, a.name, a.signaling, a.status, a.finalized, c.key_digest,
       c.ended IS NULL AND c.expires > now()
FROM boot_actions a JOIN boot_contexts c ON c.id = a.context_id WHERE a.id = %s FOR UPDATE OF a
"""
MESSAGE = """
INSERT INTO task_messages (task_id, root_id, error, message, context_type, context, extra)
VALUES (%s, (SELECT root_id FROM tasks WHERE id = %s), false, %s, 'bootaction', %s, '{}')
"""
FINAL = "UPDATE boot_actions SET status = 'success', finalized = clock_timestamp() WHERE id = %s AND status IS NULL"
WAKE = """
UPDATE tasks SET updated = clock_timestamp(), changed_in = pg_current_xact_id()::text::bigint,
                 wake_at = clock_timestamp(), wake_requested = true
WHERE id = %s RETURNING changed_in, pg_notify('drydock_change', ''), pg_notify('drydock_work', '')
"""
TASK = """
INSERT INTO tasks (id, root_id, action, design_ref, status, created_by, request_id, wake_at, lane)
VALUES (%s, %s, 'deploy_nodes', 'drydock://designs/none', 'queued', 'bench', '', now(), 'task') RETURNING *
"""
TELL = "SELECT pg_notify('drydock_work', ''), pg_notify('drydock_change', '')"


def report(cursor: Cursor, action: list[str]) -> None:
    action_id, task_id = action
    cursor.execute(LOCK, (action_id,))
    cursor.fetchone()
    cursor.execute(MESSAGE, (task_id, task_id, "done", action_id))
    cursor.execute(FINAL, (action_id,))
    cursor.execute(WAKE, (task_id,))
    cursor.fetchone()


def task(cursor: Cursor, _: list[str]) -> None:
    task_id = str(uuid4())
    cursor.execute(TASK, (task_id, task_id))
    cursor.fetchone()
    cursor.execute(TELL)


KINDS: dict[str, Callable[[Cursor, list[str]], None]] = {"reports": report, "tasks": task}


def main() -> None:
    os.sched_setaffinity(0, {SERVER_CORE})
    kind, connections, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    work = iter(json.load(sys.stdin)) if kind == "reports" else itertools.repeat([])
    counts = [0] * connections
    ready = threading.Barrier(connections + 1)

    def run(number: int) -> None:
        address = make_url(os.environ["DRYDOCK_DATABASE_URL"]).set(drivername="postgresql")
        connection = psycopg2.connect(address.render_as_string(hide_password=False))
        ready.wait()
        until = time.perf_counter() + seconds
        counts[number] = _until(connection, KINDS[kind], work, until)
        connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    ready.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    print(sum(counts) / (time.perf_counter() - started))


def _until(
    connection: psycopg2.extensions.connection,
    transaction: Callable[[Cursor, list[str]], None],
    work: Iterator[list[str]],
    until: float,
) -> int:
    done = 0
    with connection.cursor() as cursor:
        while time.perf_counter() < until:
            transaction(cursor, next(work))
            connection.commit()
            done += 1
    return done


if __name__ == "__main__":
    main()
