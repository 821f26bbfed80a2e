"""Messages about a design, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

from drydock.cli.output import clean
from drydock.counting import counted
from drydock.model.message import Level, ValidationMessage

COLOURS = {Level.ERROR: "red", Level.WARNING: "yellow", Level.INFO: "green"}


def print_messages(messages: Iterable[ValidationMessage], *, err: bool = False) -> None:
    """A message takes two or three lines: what, about which documents, and what to do. Coloured on a terminal."""
    for message in messages:
        label = click.style(f"{message.level.value} {message.code} {message.rule}", COLOURS[message.level], bold=True)
        click.echo(f"{label}: {clean(message.message)}", err=err)
        if message.documents:
            names = ", ".join(f"{document.schema} {document.name}" for document in message.documents)
            click.echo(f"    in {clean(names)}", err=err)
        if message.level is not Level.INFO and message.diagnostic:
            click.secho(f"    {clean(message.diagnostic)}", dim=True, err=err)


def print_errors(messages: Iterable[ValidationMessage]) -> None:
    """Print the errors and their number on stderr."""
    errors = [message for message in messages if message.error]
    print_messages(errors, err=True)
    click.echo(f"The design is invalid: {by_level(errors)}.", err=True)


def by_level(messages: Sequence[ValidationMessage]) -> str:
    """``2 errors, 1 warning``."""
    found = []
    for level, word in ((Level.ERROR, "error"), (Level.WARNING, "warning")):
        number = sum(1 for message in messages if message.level is level)
        found.append(counted(number, word))
    return ", ".join(found)
