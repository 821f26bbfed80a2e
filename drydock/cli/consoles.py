"""Consoles of rich, which take long to load: import this module where one is needed."""

from __future__ import annotations

import sys

from rich.console import Console

#: Width for files and pipes, at which nothing is cut.
UNBOUNDED = 10_000


def make_console(*, err: bool, wide: bool) -> Console:
    # NOTE: with FORCE_COLOR rich treats a pipe as a terminal; lines into it must not be cut.
    watched = (sys.stderr if err else sys.stdout).isatty() and not wide
    return Console(stderr=err, highlight=False, markup=False, emoji=False, width=None if watched else UNBOUNDED)


def is_narrow(console: Console) -> bool:
    """True if output has to fit the width of a terminal."""
    return console.width < UNBOUNDED
