"""Which workers are alive: each has a shared advisory lock of its session, and sends a statement every few seconds.

There is no row to clean up: PostgreSQL releases the lock with the session. A worker that is frozen keeps its session;
its last statement is too old.
"""

from __future__ import annotations

from sqlalchemy import Connection, Integer, and_, cast, column, func, literal, or_, select, table, true

from drydock.db.predicates import seconds_of

#: The two numbers of the advisory lock.
_CLASS, _OBJECT = 0x64727964, 0x776F726B
#: Seconds between two statements of a worker's session.
BEAT_SECONDS = 5.0
#: Seconds without a statement after which a worker counts as dead.
SILENT_SECONDS = 20.0
#: Sessions of workers of versions without the lock have this application name.
APPLICATION = "drydock-worker"

_locks = table(
    "pg_locks", *map(column, ("locktype", "database", "classid", "objid", "objsubid", "pid", "granted"))
).alias("l")
_sessions = table("pg_stat_activity", *map(column, ("pid", "datname", "application_name", "state_change"))).alias("a")
_databases = table("pg_database", column("oid"), column("datname"))

_HERE = select(_databases.c.oid).where(_databases.c.datname == func.current_database()).scalar_subquery()
_ACTIVE = _sessions.c.state_change > func.now() - seconds_of(SILENT_SECONDS)
_HOLDING = (
    select(func.count())
    .select_from(_locks.outerjoin(_sessions, _sessions.c.pid == _locks.c.pid))
    .where(
        _locks.c.locktype == "advisory",
        _locks.c.database == _HERE,
        _locks.c.classid == _CLASS,
        _locks.c.objid == _OBJECT,
        _locks.c.objsubid == 2,
        _locks.c.granted == true(),
        # NULL for other roles than the worker's.
        or_(_sessions.c.state_change.is_(None), _ACTIVE),
    )
    .scalar_subquery()
)
_OLDER = (
    select(literal(1))
    .where(and_(_sessions.c.datname == func.current_database(), _sessions.c.application_name == APPLICATION, _ACTIVE))
    .exists()
)
_ALIVE = select(func.greatest(_HOLDING, cast(_OLDER, Integer)))
_ANNOUNCE = select(func.pg_try_advisory_lock_shared(cast(_CLASS, Integer), cast(_OBJECT, Integer)))


class WorkerRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def alive(self) -> int:
        """How many workers are alive. Of versions without the lock only whether there is one."""
        return int(self._connection.execute(_ALIVE).scalar_one())

    def announce(self) -> None:
        """Count this connection as a worker until it is closed."""
        self._connection.execute(_ANNOUNCE)

    def beat(self) -> None:
        """Send a statement, which shows that the worker is alive."""
        self._connection.execute(select(literal(1)))
