"""The fate of a transaction whose commit got no answer."""

from __future__ import annotations

from enum import Enum


class Fate(Enum):
    """UNKNOWN: it is still running, or so old that PostgreSQL has forgotten it."""

    KEPT = "committed"
    LOST = "aborted"
    UNKNOWN = "unknown"
