"""[database]: the PostgreSQL that API and workers share."""

from __future__ import annotations

from oslo_config import cfg

OPTS: tuple[cfg.Opt, ...] = (
    cfg.StrOpt(
        "url",
        default="postgresql+psycopg2://drydock@127.0.0.1:5432/drydock",
        secret=True,
        help="Where the database is, as postgresql://USER:PASSWORD@HOST:PORT/NAME; special characters in the password "
        "percent-encoded. PostgreSQL 14 or newer, encoding UTF8. Several hosts: HOST:PORT,HOST:PORT. libpq parameters "
        "may follow, as in ?sslmode=verify-full&sslrootcert=FILE. The environment variable "
        "DRYDOCK_DATABASE_URL overrides it.",
    ),
    cfg.IntOpt("pool_size", default=10, min=1, help="Connections that one process keeps open."),
    cfg.IntOpt("max_overflow", default=10, min=0, help="Connections that one process may open above pool_size."),
)
