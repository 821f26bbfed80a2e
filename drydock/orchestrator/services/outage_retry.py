"""Keeps a machine waiting while the database is restarted, instead of failing its request.

An installer does not repeat a request, so a refusal is a machine that is not installed. Operators' clients do repeat
theirs, and get the error at once: only the services of nodes use this.
"""

from __future__ import annotations

import logging

from drydock.errors import DatabaseUnavailable
from drydock.retrying import Pauses, Retries

LOG = logging.getLogger(__name__)

_PAUSES = Pauses(first=0.05, longest=1.0, spread=0.5)


def outage_retry(seconds: float) -> Retries:
    """Tries again for ``seconds`` while the database does not answer; then raises ``DatabaseUnavailable``."""
    return Retries(DatabaseUnavailable, _PAUSES, seconds=seconds, at_first_failure=_log)


def _log() -> None:
    LOG.warning("the database is away; a machine is kept waiting")
