"""The settings of each session, and the checks of its server.

They are statements, in one round trip: poolers refuse settings among the parameters of a connection.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from drydock.db.outages import TAKES_NO_WRITES
from drydock.errors import DatabaseUnavailable, DatabaseUnsuitable

#: Seconds until the server cancels a statement, and how much longer the client waits for the answer before it takes the
#: server to be lost.
STATEMENT_SECONDS = 8.0
ANSWER_SECONDS = 2.0
#: Seconds for setting up a session and for a ping; a healthy server takes milliseconds.
SET_UP_SECONDS = 3.0
ALIVE_SECONDS = 2.0

ENCODING = "UTF8"
#: The locale that works with every encoding.
_LOCALE = "LC_COLLATE 'C' LC_CTYPE 'C'"
_IDLE_IN_TRANSACTION = "60s"

#: Settings of the URL (``options``) take precedence. A commit that was answered must not be lost with the server; the
#: server may require more than "on" (remote_apply).
_SETTINGS = """
SET timezone = 'UTC';
WITH wanted (name, value) AS (VALUES
    ('statement_timeout', '{statement_timeout}'),
    ('idle_in_transaction_session_timeout', '{idle_in_transaction}'),
    ('synchronous_commit', 'on'))
SELECT count(set_config(name, value, false)) FROM wanted JOIN pg_settings USING (name)
WHERE source <> 'client' AND (name <> 'synchronous_commit' OR setting = 'off');
SELECT pg_backend_pid(), current_setting('transaction_read_only'), current_setting('server_encoding'),
    extract(epoch FROM current_setting('statement_timeout')::interval), current_database(), current_user
"""


def set_up(statement_seconds: float | None) -> str:
    """Statements of which the last returns the columns of a ``Session``. None: no limit."""
    limit = 0 if statement_seconds is None else round(statement_seconds * 1000)
    return _SETTINGS.format(statement_timeout=f"{limit}ms", idle_in_transaction=_IDLE_IN_TRANSACTION)


@dataclass(frozen=True, slots=True)
class Session:
    backend: int
    read_only: bool
    encoding: str
    statement_seconds: float
    database: str
    user: str

    @classmethod
    def from_row(cls, row: tuple[object, ...]) -> Session:
        """From a row of either driver, as text or as values."""
        backend, read_only, encoding, seconds, database, user = map(str, row)
        return cls(int(backend), read_only == "on", encoding, float(seconds), database, user)

    @property
    def answer_seconds(self) -> float:
        """Seconds to wait for the answer to a statement."""
        return self.statement_seconds + ANSWER_SECONDS if self.statement_seconds else math.inf

    def require_fit(self) -> None:
        """Raises ``DatabaseUnsuitable``; ``DatabaseUnavailable`` for a server that takes no writes."""
        if self.encoding != ENCODING:
            raise DatabaseUnsuitable(
                f"the encoding of database {self.database} is {self.encoding}, and Drydock needs {ENCODING}. "
                f"This makes a right one: {self._right_one()}"
            )
        if self.read_only:
            raise DatabaseUnavailable(cause=TAKES_NO_WRITES)

    def _right_one(self) -> str:
        name, owner = _quoted(f"{self.database}_utf8"), _quoted(self.user)
        return f"CREATE DATABASE {name} OWNER {owner} ENCODING '{ENCODING}' {_LOCALE} TEMPLATE template0;"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def require_own_server(first: Callable[[], int], second: Callable[[], int]) -> None:
    """Of two connections through a pooler, the first must keep its server process as long as it is open.

    ``first``, ``second``: each returns the number of its server process. Raises ``DatabaseUnsuitable``.
    """
    server = first()
    for _ in range(3):
        if second() == server or first() != server:
            raise DatabaseUnsuitable(
                "the pooler between Drydock and PostgreSQL hands a connection's server process to others "
                "(pool_mode = transaction or statement). Drydock needs pool_mode = session, or no pooler: it listens, "
                "and prepares statements"
            )
