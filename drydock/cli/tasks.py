"""``drydock task ...``: create, show, follow and stop tasks."""

from __future__ import annotations

from itertools import islice
from typing import Any

import click

from drydock.cli.connection import client_of
from drydock.cli.lazy import Lazy, LazyGroup
from drydock.cli.options import ACTION_NAMES, interval_option, task_argument, timeout_option
from drydock.cli.output import clean, is_data, output_option, print_data
from drydock.cli.references import find_task

LAZY = {
    "create": Lazy("drydock.cli.task_create", "create", "Create a task on the nodes of a design."),
    "retry": Lazy(
        "drydock.cli.task_create",
        "retry",
        "Create the same task again for the nodes that failed in a task, with the same design.",
    ),
}


@click.group(cls=LazyGroup, lazy=LAZY)
def task() -> None:
    """Create tasks on machines and follow them.

    TASK is the id of a task, a unique beginning of one, or "latest" for the newest task that is not a subtask.
    """


@task.command("list")
@click.option("--status", metavar="STATUS", help="queued, running, terminating, terminated or complete.")
@click.option("--action", metavar="ACTION", help=f"Such as {ACTION_NAMES}, deploy_node.")
@click.option("--node", metavar="NAME", help="Tasks of this node.")
@click.option("--created-by", metavar="USER")
@click.option("--parent", metavar="TASK", help="Subtasks of this task.")
@click.option("--subtasks", is_flag=True, help="Include subtasks.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="List the newest N.", metavar="N"
)
@output_option
@click.pass_context
def list_tasks(
    ctx: click.Context,
    *,
    status: str | None,
    action: str | None,
    node: str | None,
    created_by: str | None,
    parent: str | None,
    subtasks: bool,
    limit: int,
    output: str,
) -> None:
    """List tasks, oldest first.

    \b
    Examples:
      drydock task list --status running
      drydock task list --parent TASK --limit 1000
    """
    client = client_of(ctx)
    nested = subtasks or bool(parent or node)
    found = client.tasks(
        status=status,
        action=action,
        node=node,
        created_by=created_by,
        parent=parent and find_task(client, parent),
        subtasks=nested,
        newest_first=True,
        page_size=min(limit, 500),
    )
    newest = islice((entry for entry in found if nested or not entry.get("parent_task_id")), limit)
    tasks = list(reversed(list(newest)))
    if is_data(output):
        print_data(tasks, output)
        return
    from drydock.cli.task_views import print_list  # takes long to load

    print_list(tasks, wide=output == "wide")


@task.command()
@task_argument
@output_option
@click.pass_context
def show(ctx: click.Context, *, task_id: str, output: str) -> None:
    """Show one task: its state, messages and nodes.

    With -o json or yaml the task as the API gives it.
    """
    client = client_of(ctx)
    entry = client.get_task(find_task(client, task_id))
    if is_data(output):
        print_data(entry, output)
        return
    from drydock.cli.task_views import print_task  # takes long to load

    print_task(entry, client.list_tasks(parent=entry["task_id"]), wide=output == "wide")


@task.command()
@task_argument
@timeout_option
@interval_option
@output_option
@click.pass_context
def watch(ctx: click.Context, *, task_id: str, timeout: float | None, interval: float, output: str) -> None:
    """Follow a task until it ends; the exit status is as of create --wait.

    On a terminal the progress is redrawn in place, else each change of a node is a line. With -o json or yaml the
    finished task goes to stdout and the progress to stderr.
    """
    from drydock.cli.watching import watch_to_the_end  # takes long to load

    client = client_of(ctx)
    found = find_task(client, task_id)
    ctx.exit(watch_to_the_end(client, found, timeout=timeout, interval=interval, output=output))


@task.command()
@task_argument
@output_option
@click.pass_context
def terminate(ctx: click.Context, *, task_id: str, output: str) -> None:
    """Stop a task and its subtasks: queued ones at once, running ones at their next step."""
    client = client_of(ctx)
    entry = client.terminate_task(find_task(client, task_id))
    if is_data(output):
        print_data(entry, output)
        return
    click.echo(clean(f"Task {entry.get('task_id', task_id)} is {entry.get('status')}."))


@task.command()
@task_argument
@click.option("--step", metavar="STEP", help="Confirm only what was asked for at this step.")
@click.option("--note", metavar="TEXT", default="", help="Kept with the confirmation.")
@output_option
@click.pass_context
def confirm(ctx: click.Context, *, task_id: str, step: str | None, note: str, output: str) -> None:
    """Confirm that what a task waits for was done by hand.

    TASK is the task of a node, or one whose subtasks wait: then all of them are confirmed. What is to be done is
    in "drydock task show TASK".

    \b
    Examples:
      drydock task confirm TASK
      drydock task confirm latest --step power_off --note "rack 3 is dark"
    """
    client = client_of(ctx)
    found = find_task(client, task_id)
    if step is None:
        # Of a node's task its present step: the request may be sent twice, and the task goes on in between.
        step = (entry := client.get_task(found)).get("node") and entry.get("step")
    entry = client.confirm_task(found, step=step, note=note)
    if is_data(output):
        print_data(entry, output)
        return
    click.echo(clean(f"Confirmed for task {entry.get('task_id', found)}."))


@task.command()
@task_argument
@output_option
@click.pass_context
def pause(ctx: click.Context, *, task_id: str, output: str) -> None:
    """Begin no more nodes of a task with a rollout; those that have begun go on."""
    client = client_of(ctx)
    _show_paused(client.pause_task(find_task(client, task_id)), output)


@task.command()
@task_argument
@output_option
@click.pass_context
def resume(ctx: click.Context, *, task_id: str, output: str) -> None:
    """Go on with a task that is paused."""
    client = client_of(ctx)
    _show_paused(client.resume_task(find_task(client, task_id)), output)


def _show_paused(entry: dict[str, Any], output: str) -> None:
    if is_data(output):
        print_data(entry, output)
        return
    by = entry.get("paused_by")
    state = f"paused by {by}" if by else f"{entry.get('status')}, not paused"
    click.echo(clean(f"Task {entry.get('task_id')} is {state}."))
