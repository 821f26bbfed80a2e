"""Options and arguments of several commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import click

from drydock.cli.output import output_option
from drydock.cli.scope import Choice
from drydock.model.actions import ROWS
from drydock.model.rollout import Pause, share_of

Command = Callable[..., Any]

ACTION_NAMES = ", ".join(row.action for row in ROWS)

#: An id, the beginning of one, or "latest".
task_argument = click.argument("task_id", metavar="TASK")
timeout_option = click.option(
    "--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="Stop waiting after this time (exit status 124)."
)
interval_option = click.option(
    "--interval",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="Minimum time between two requests.",
)


design_ref_option = click.option(
    "-d",
    "--design-ref",
    required=True,
    metavar="REF",
    help="The design: drydock://designs/..., http(s)://...; or of a stored one its digest, the beginning of that, or "
    "latest.",
)


@dataclass(frozen=True, slots=True)
class Following:
    """How a created task is shown: as it is, or with ``wait`` its progress to the end."""

    wait: bool
    timeout: float | None
    interval: float
    output: str


def following_options(command: Command) -> Command:
    """How to show the task that is created, as the argument ``following``."""

    @wraps(command)
    def chosen(*arguments: Any, wait: bool, timeout: float | None, interval: float, output: str, **others: Any) -> Any:
        if timeout is not None and not wait:
            raise click.UsageError("--timeout needs --wait")
        return command(*arguments, following=Following(wait, timeout, interval, output), **others)

    following: Command = output_option(chosen)
    for option in (
        interval_option,
        timeout_option,
        click.option("--wait", is_flag=True, help="Show the progress; the exit status is the result."),
    ):
        following = option(following)
    return following


def rollout_options(command: Command) -> Command:
    """In which waves nodes begin, as the argument ``rollout``: None if no option was given."""

    @wraps(command)
    def chosen(*arguments: Any, waves: str | None, max_failed: str | None, pause: str | None, **others: Any) -> Any:
        given: dict[str, Any] = {}
        if waves is not None:
            given["waves"] = [share_of(wave.strip()) for wave in waves.split(",")]
        if max_failed is not None:
            given["max_failed"] = share_of(max_failed.strip())
        if pause is not None:
            given["pause"] = pause
        return command(*arguments, rollout=given or None, **others)

    for option in (
        click.option("--pause", type=click.Choice(list(Pause)), help="After which waves to pause until task resume."),
        click.option("--max-failed", metavar="N|N%", help="Begin no more nodes once this many have failed; 0 is as 1."),
        click.option("--waves", metavar="LIST", help="Begin in waves: 1,10%,100% of the nodes, cumulative."),
    ):
        chosen = option(chosen)
    return chosen


def split(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Split lists at commas. An empty name, as of an unset variable, is an error, not a choice of everything."""
    found = [name.strip() for value in values for name in value.split(",")]
    if not all(found):
        raise click.BadParameter("is an empty name, or has one in its list", ctx, parameter)
    return tuple(dict.fromkeys(found))


def split_labels(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    labels = split(ctx, parameter, values)
    for label in labels:
        if not label.partition("=")[1] or label.startswith("="):
            raise click.BadParameter(f"{label} is not KEY=VALUE", ctx, parameter)
    return labels


def selection_options(command: Command) -> Command:
    """Which nodes, as the argument ``choice``; ``expect_nodes``, ``all_nodes``, ``allow_empty``."""

    @wraps(command)
    def chosen(
        *arguments: Any,
        names: tuple[str, ...],
        tags: tuple[str, ...],
        labels: tuple[str, ...],
        racks: tuple[str, ...],
        **others: Any,
    ) -> Any:
        return command(*arguments, choice=Choice(names, tags, labels, racks), **others)

    selecting: Command = chosen
    for option in _SELECTION:
        selecting = option(selecting)
    return selecting


_SELECTION = (
    click.option("--allow-empty", is_flag=True, help="Continue if no node is selected."),
    click.option("--all-nodes", is_flag=True, help="Allow to destroy or force every node of the design."),
    click.option(
        "--expect-nodes",
        type=click.IntRange(min=0),
        metavar="N",
        help="Refuse unless N nodes are selected. Required to destroy or force a whole site from a script.",
    ),
    click.option("--rack", "racks", multiple=True, callback=split, metavar="RACK", help="Nodes in this rack."),
    click.option(
        "--node-label",
        "--label",
        "labels",
        multiple=True,
        callback=split_labels,
        metavar="KEY=VALUE",
        help="Nodes with this label (owner_data); several: with all of them.",
    ),
    click.option(
        "--node-tag",
        "--tag",
        "tags",
        multiple=True,
        callback=split,
        metavar="TAG",
        help="Nodes with this tag; several: with all of them.",
    ),
    click.option(
        "-n",
        "--node-name",
        "names",
        multiple=True,
        callback=split,
        metavar="NAME",
        help="This node. Like the options below it may be repeated, or be a list with commas.",
    ),
)
