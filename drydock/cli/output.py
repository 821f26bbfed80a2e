"""Output of commands: text that is safe for a terminal, JSON and YAML. Tables are in ``tables.py``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

Command = Callable[..., Any]

FORMATS = ("table", "wide", "json", "yaml")


def output_option(command: Command) -> Command:
    """Adds ``-o table|wide|json|yaml`` as the argument ``output``."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(FORMATS),
        default="table",
        show_default=True,
        help="Format; wide: a table with all columns, not cut to the terminal's width.",
    )(command)


def is_data(output: str) -> bool:
    """True for formats that programs read."""
    return output in {"json", "yaml"}


def print_data(value: Any, output: str) -> None:
    if output == "yaml":
        from drydock.cli.plain_yaml import to_yaml  # the parser takes a moment to load

        click.echo(to_yaml(value), nl=False)
    else:
        click.echo(json.dumps(value, indent=2))


def console(*, err: bool = False, wide: bool = False) -> Console:
    """A console on stdout or stderr; ``wide``: without cutting, as for files and pipes."""
    from drydock.cli.consoles import make_console

    return make_console(err=err, wide=wide)


def clean(text: object) -> str:
    """Text without control characters, so that a node's report cannot send escape sequences to the terminal."""
    return "".join(char if char.isprintable() or char in "\n\t" else "\N{REPLACEMENT CHARACTER}" for char in str(text))


def duration(seconds: float) -> str:
    """``42s``, ``3m07s``, ``2h05m``."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02}m"


def is_finding(entry: Mapping[str, Any]) -> bool:
    """True for warnings and errors, false for information."""
    return entry.get("level") != "Info"


def moment(text: str | None) -> str:
    """A timestamp of the API (UTC), to the second."""
    return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S") if text else ""


def message_line(entry: Mapping[str, Any]) -> str:
    """A message in one line: level and code unless it is information, text, documents."""
    documents = ", ".join(f"{ref.get('schema')} {ref.get('name')}" for ref in entry.get("documents") or ())
    extra = entry.get("extra") or {}
    level = entry.get("level") or extra.get("level") or ("Error" if entry.get("error") else "")
    label = " ".join(filter(None, (level, entry.get("name"))))
    text = f"{label}: {entry.get('message', '')}" if label else entry.get("message", "")
    return clean(f"{text} [{documents}]" if documents else text)
