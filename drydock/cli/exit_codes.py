"""Exit codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import click

SUCCESS = 0
FAILURE = 1
# 2 is click's code for wrong usage, and that of design diff for changes.
PARTIAL_SUCCESS = 3
TIMED_OUT = 124
INTERRUPTED = 130

BY_OUTCOME: Mapping[str, int] = {"success": SUCCESS, "partial_success": PARTIAL_SUCCESS}


class _Failed(click.UsageError):
    exit_code = FAILURE


def is_for_diff(arguments: Sequence[str]) -> bool:
    """Whether a group is to run design diff, whose exit status 2 says that there are changes."""
    return "diff" in arguments


@contextmanager
def wrong_usage_fails(*, when: bool = True) -> Iterator[None]:
    """Wrong usage ends the command as a failure does."""
    try:
        yield
    except click.UsageError as exc:
        if not when:
            raise
        raise _Failed(exc.format_message(), exc.ctx) from exc


def exit_code(outcome: str) -> int:
    """Every other outcome is a failure: ``terminated``, ``unreported``, ``failure``."""
    return BY_OUTCOME.get(outcome, FAILURE)
