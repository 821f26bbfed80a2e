"""Following a task on a terminal, in a log, or in a script; the exit status is its result."""

from __future__ import annotations

import click
from rich.console import Console

from drydock.cli.consoles import is_narrow
from drydock.cli.exit_codes import INTERRUPTED, TIMED_OUT, exit_code
from drydock.cli.lines import LinePrinter
from drydock.cli.live import LiveProgress
from drydock.cli.output import console, is_data, print_data
from drydock.cli.summary import summary
from drydock.client import ClientError, DrydockClient, TaskSnapshot, follow
from drydock.client.errors import WatchTimedOut


def watch_to_the_end(
    client: DrydockClient, task_id: str, *, timeout: float | None, interval: float, output: str
) -> int:
    """Shows the progress until the task ends; the exit code. ``output`` json, yaml: the finished task on stdout."""
    progress = console(err=is_data(output), wide=output == "wide")
    last: TaskSnapshot | None = None
    try:
        with _display(progress) as show:
            for last in follow(client, task_id, timeout=timeout, interval=interval):
                show(last)
    except KeyboardInterrupt:
        _watch_again(task_id)
        return INTERRUPTED
    except WatchTimedOut as error:
        click.echo(f"Error: {error}.", err=True)
        _watch_again(task_id)
        return TIMED_OUT
    except ClientError:
        if last is not None:
            _watch_again(task_id)
        raise
    assert last is not None, "follow() ends with a snapshot, or raises"
    progress.print(summary(last), crop=False)
    if is_data(output):
        print_data(last.task, output)
    return exit_code(last.outcome)


def _display(progress: Console) -> LiveProgress | LinePrinter:
    return LiveProgress(progress) if is_narrow(progress) else LinePrinter(progress)


def _watch_again(task_id: str) -> None:
    click.echo(f"The task continues. Watch it again: drydock task watch {task_id}", err=True)
