"""Exit codes."""

from __future__ import annotations

from collections.abc import Mapping

SUCCESS = 0
FAILURE = 1
# 2 is click's code for wrong usage.
PARTIAL_SUCCESS = 3
TIMED_OUT = 124
INTERRUPTED = 130

BY_OUTCOME: Mapping[str, int] = {"success": SUCCESS, "partial_success": PARTIAL_SUCCESS}


def exit_code(outcome: str) -> int:
    """Every other outcome is a failure: ``terminated``, ``unreported``, ``failure``."""
    return BY_OUTCOME.get(outcome, FAILURE)
