"""Bring a database's schema to the version this package needs, with the migrations that travel with it."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

import drydock
from drydock.db.engine import driver_url


def migrations_folder() -> Path:
    """Installed: inside the package. In a checkout: the top-level ``alembic/``."""
    package = Path(drydock.__file__).parent
    installed = package / "migrations"
    return installed if installed.is_dir() else package.parent / "alembic"


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    # configparser would read a % of the password as the start of a reference.
    config.set_main_option("sqlalchemy.url", driver_url(url).replace("%", "%%"))
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Apply what is missing. Safe to run twice, and by two at once: the second waits for the first."""
    command.upgrade(_config(url), revision)


def downgrade(url: str, revision: str) -> None:
    command.downgrade(_config(url), revision)
