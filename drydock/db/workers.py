"""Which workers live: each holds an advisory lock of its session, shared, and says something every few seconds.

No row to clean up: PostgreSQL ends the lock with the session. A worker that is frozen keeps its session, and is known
by its silence.
"""

from __future__ import annotations

from sqlalchemy import Connection, Integer, and_, cast, column, func, literal, or_, select, table, true

#: Two numbers that are ours, of the database that we are connected to.
_CLASS, _OBJECT = 0x64727964, 0x776F726B
#: Seconds between two signs of life.
BEAT_SECONDS = 5.0
#: Seconds of silence after which a worker counts as dead.
SILENT_SECONDS = 20.0
#: By this name a worker of a version without the lock is known.
APPLICATION = "drydock-worker"

_locks = table(
    "pg_locks", *map(column, ("locktype", "database", "classid", "objid", "objsubid", "pid", "granted"))
).alias("l")
_sessions = table("pg_stat_activity", *map(column, ("pid", "datname", "application_name", "state_change"))).alias("a")
_databases = table("pg_database", column("oid"), column("datname"))

_HERE = select(_databases.c.oid).where(_databases.c.datname == func.current_database()).scalar_subquery()
_HEARD = _sessions.c.state_change > func.now() - func.make_interval(0, 0, 0, 0, 0, 0, SILENT_SECONDS)
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
        # Not shown to other roles than the worker's.
        or_(_sessions.c.state_change.is_(None), _HEARD),
    )
    .scalar_subquery()
)
_OLDER = (
    select(literal(1))
    .where(and_(_sessions.c.datname == func.current_database(), _sessions.c.application_name == APPLICATION, _HEARD))
    .exists()
)
_ALIVE = select(func.greatest(_HOLDING, cast(_OLDER, Integer)))
_ANNOUNCE = select(func.pg_try_advisory_lock_shared(cast(_CLASS, Integer), cast(_OBJECT, Integer)))


class WorkerRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def alive(self) -> int:
        """How many workers live. Of versions without the lock only whether there is one."""
        return int(self._connection.execute(_ALIVE).scalar_one())

    def announce(self) -> None:
        """From now on, as long as this connection stays open, it is a living worker's."""
        self._connection.execute(_ANNOUNCE)

    def beat(self) -> None:
        """A sign of life."""
        self._connection.execute(select(literal(1)))
