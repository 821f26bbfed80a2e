"""The check of the database before a process starts to serve or work."""

from __future__ import annotations

from drydock.db.connections import Connections
from drydock.db.database import Database
from drydock.db.engine import make_engine
from drydock.db.outages import NoOutageLog
from drydock.errors import ConfigurationError, DatabaseUnavailable, DatabaseUnsuitable


def check(url: str) -> None:
    """Raises ``ConfigurationError`` for what waiting does not cure: an invalid URL, an unsuitable database.

    Returns for a database that is unavailable or has no schema yet: that may change, and its next use logs the cause.
    No thread is left, so that the process may be forked.
    """
    connections = Connections(url, application_name="drydock-start", outages=NoOutageLog())
    database = Database(make_engine(connections, pool_size=1, max_overflow=0))
    try:
        database.check()
    except DatabaseUnsuitable as exc:
        raise ConfigurationError(exc.cause) from exc
    except DatabaseUnavailable:
        return
    finally:
        database.close()
