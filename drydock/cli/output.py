"""Tables and JSON on stdout; text from elsewhere made harmless for a terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

#: So wide that nothing is cut when the output goes into a file or a pipe.
UNBOUNDED = 10_000

STYLES = {
    "success": "green",
    "partial_success": "yellow",
    "failure": "red",
    "terminated": "red",
    "running": "cyan",
    "terminating": "yellow",
}

Command = Callable[..., Any]


def output_option(command: Command) -> Command:
    """Adds ``-o table|json`` as the argument ``output``."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(["table", "json"]),
        default="table",
        show_default=True,
        help="What to print.",
    )(command)


def clean(text: object) -> str:
    """Text without control characters: what a node reports must not drive the terminal it is shown on."""
    return "".join(char if char.isprintable() or char in "\n\t" else "\N{REPLACEMENT CHARACTER}" for char in str(text))


def styled(text: object) -> Text:
    """A cell: coloured if it is a state, and never read as markup."""
    return Text(clean("" if text is None else text), style=STYLES.get(str(text), ""))


def console(*, err: bool = False) -> Console:
    """A console on stdout or stderr that cuts nothing when nobody watches."""
    found = Console(stderr=err, highlight=False, markup=False, emoji=False)
    return (
        found if found.is_terminal else Console(stderr=err, highlight=False, markup=False, emoji=False, width=UNBOUNDED)
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, one_line: bool = False) -> Table:
    """``one_line``: cut long cells short instead of folding them, so that a row is a line."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="ellipsis" if one_line else "fold", no_wrap=one_line)
    for row in rows:
        made.add_row(*map(styled, row))
    return made


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2))


def duration(seconds: float) -> str:
    """``42s``, ``3m07s``, ``2h05m``."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02}m"


def worth_telling(entry: Mapping[str, Any]) -> bool:
    """Whether a finding is more than "this rule found nothing"."""
    return entry.get("level") != "Info"


def moment(text: str | None) -> str:
    """A timestamp of the API (UTC), to the second."""
    return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S") if text else ""


def message_line(entry: Mapping[str, Any]) -> str:
    """A message in one line: level and code if it is more than information, text, the documents it is about."""
    documents = ", ".join(f"{ref.get('schema')} {ref.get('name')}" for ref in entry.get("documents") or ())
    level = entry.get("level") or ("Error" if entry.get("error") else "")
    label = " ".join(filter(None, (level, entry.get("name"))))
    text = f"{label}: {entry.get('message', '')}" if label else entry.get("message", "")
    return clean(f"{text} [{documents}]" if documents else text)
