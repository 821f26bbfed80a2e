"""``drydock task ...``: ask for work, look at it, follow it, stop it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import click
from rich.console import Group, RenderableType
from rich.text import Text

from drydock.cli.connection import client_of
from drydock.cli.output import clean, console, message_line, moment, output_option, print_json, table
from drydock.cli.summary import state
from drydock.cli.watching import watch_to_the_end
from drydock.client.watching import CLOSED, explanation, node_progress, outcome

ACTIONS = (
    "validate_design, verify_site, prepare_site, verify_nodes, prepare_nodes, deploy_nodes, destroy_nodes, "
    "relabel_nodes"
)
LIST_COLUMNS = ("task_id", "action", "node", "status", "outcome", "nodes", "created", "created_by")
SHOW_FIELDS = (
    "task_id",
    "action",
    "node",
    "status",
    "outcome",
    "step",
    "retries",
    "why",
    "nodes",
    "design_ref",
    "design_digest",
    "parent_task_id",
    "created",
    "created_by",
    "updated",
    "deadline_at",
    "terminated",
    "terminated_by",
)
TIMES = ("created", "updated", "deadline_at", "terminated")

timeout_option = click.option(
    "--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="Stop waiting then (exit status 124)."
)
wait_option = click.option("--wait", is_flag=True, help="Show the progress and exit by the result.")
interval_option = click.option(
    "--interval",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="Look at most this often.",
)


@click.group()
def task() -> None:
    """Ask for work on machines and follow it."""


@task.command()
@click.option("-a", "--action", required=True, metavar="ACTION", help=f"What to do: {ACTIONS}.")
@click.option(
    "-d", "--design-ref", required=True, metavar="REF", help="The design: drydock://designs/..., http(s)://..."
)
@click.option("-n", "--node-name", "names", multiple=True, metavar="NAME", help="This node; may be repeated.")
@click.option(
    "--node-tag", "tags", multiple=True, metavar="TAG", help="Nodes with this tag; repeated: with all of them."
)
@click.option("--rack", "racks", multiple=True, metavar="RACK", help="Nodes in this rack; may be repeated.")
@click.option("--force", is_flag=True, help="Also nodes that are deployed already: they are installed anew.")
@wait_option
@timeout_option
@interval_option
@output_option
@click.pass_context
def create(
    ctx: click.Context,
    *,
    action: str,
    design_ref: str,
    names: tuple[str, ...],
    tags: tuple[str, ...],
    racks: tuple[str, ...],
    force: bool,
    wait: bool,
    timeout: float | None,
    interval: float,
    output: str,
) -> None:
    """Ask for work on the nodes of a design.

    Without --node-name, --node-tag and --rack it is for every node; different ones narrow the choice together. With
    --wait the exit status is 0 for success, 3 for partial success, 1 for anything else; Ctrl-C stops the watching,
    not the task.

    \b
    Examples:
      drydock task create -a deploy_nodes -d drydock://designs/DIGEST --wait
      drydock task create -a destroy_nodes -d drydock://designs/DIGEST -n node03 -n node04
    """
    client = client_of(ctx)
    wanted = node_filter(names, tags, racks)
    follow(
        ctx,
        lambda: client.create_task(action, design_ref, node_filter=wanted, force=force),
        wait=wait,
        timeout=timeout,
        interval=interval,
        output=output,
    )


@task.command()
@click.argument("task_id", metavar="TASK")
@wait_option
@timeout_option
@interval_option
@output_option
@click.pass_context
def retry(ctx: click.Context, *, task_id: str, wait: bool, timeout: float | None, interval: float, output: str) -> None:
    """Ask for the same work again on the nodes that failed in a task, with the design of that time.

    With --wait the exit status is that of create --wait.
    """
    client = client_of(ctx)
    follow(ctx, lambda: client.retry_task(task_id), wait=wait, timeout=timeout, interval=interval, output=output)


def follow(
    ctx: click.Context,
    ask: Callable[[], dict[str, Any]],
    *,
    wait: bool,
    timeout: float | None,
    interval: float,
    output: str,
) -> None:
    """Ask for a task, then show it, or with ``wait`` its progress to the end."""
    if timeout is not None and not wait:
        raise click.UsageError("--timeout needs --wait")
    made = ask()
    if wait:
        client = client_of(ctx)
        click.echo(f"Task {made['task_id']} is {made['status']}.", err=output == "json")
        ctx.exit(watch_to_the_end(client, made["task_id"], timeout=timeout, interval=interval, output=output))
    if output == "json":
        print_json(made)
        return
    click.echo(f"Task {made['task_id']} is {made['status']}. Follow it with")
    click.echo(f"  drydock task watch {made['task_id']}")


def node_filter(names: tuple[str, ...], tags: tuple[str, ...], racks: tuple[str, ...]) -> dict[str, Any] | None:
    """The filter that selects what the options say; None for every node."""
    criteria = {"node_names": names, "node_tags": tags, "rack_names": racks}
    given = {name: list(values) for name, values in criteria.items() if values}
    if not given:
        return None
    return {"filter_set_type": "intersection", "filter_set": [{"filter_type": "intersection", **given}]}


@task.command("list")
@click.option("--status", metavar="STATUS", help="queued, running, terminating, terminated or complete.")
@click.option("--action", metavar="ACTION", help=f"Such as {ACTIONS}, deploy_node.")
@click.option("--node", metavar="NAME", help="Tasks of this node.")
@click.option("--created-by", metavar="USER")
@click.option("--parent", metavar="TASK", help="Subtasks of this task.")
@click.option("--subtasks", is_flag=True, help="Subtasks too; without it only what somebody asked for.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="The newest so many.")
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
    nested = subtasks or bool(parent or node)
    found = client_of(ctx).tasks(status=status, action=action, node=node, created_by=created_by, parent=parent)
    # NOTE: the API lists oldest first, and what an operator wants to see is the end.
    tasks = list(deque((entry for entry in found if nested or not entry.get("parent_task_id")), maxlen=limit))
    if output == "json":
        print_json(tasks)
        return
    console().print(table(LIST_COLUMNS, ([shown(entry, column) for column in LIST_COLUMNS] for entry in tasks)))


def shown(entry: dict[str, Any], field: str) -> Any:
    """A field of a task for a table; some are made up of others."""
    if field == "outcome":
        return outcome(entry) if entry.get("status") in CLOSED else ""
    if field == "retries":
        return entry.get("attempt") or ""
    if field == "why":
        return explanation(entry)
    if field == "nodes":
        counts = (entry.get("progress") or {}).get("by_status") or {}
        return ", ".join(f"{count} {status}" for status, count in sorted(counts.items()) if count)
    value = entry.get(field)
    return moment(value) if field in TIMES else value


def about(message: dict[str, Any], task_id: str) -> str:
    """What a task's message is about, if not about the task itself."""
    context = str(message.get("context") or "")
    return "" if context == task_id else f"{message.get('context_type') or ''} {context}".strip()


@task.command()
@click.argument("task_id", metavar="TASK")
@output_option
@click.pass_context
def show(ctx: click.Context, *, task_id: str, output: str) -> None:
    """Show one task: where it is, its messages, and its nodes (-o json: the task as the API gives it)."""
    client = client_of(ctx)
    entry = client.get_task(task_id)
    if output == "json":
        print_json(entry)
        return
    fields = [(name, shown(entry, name)) for name in SHOW_FIELDS]
    parts: list[RenderableType] = [table(["field", "value"], [field for field in fields if field[1] not in (None, "")])]
    messages = ((entry.get("result") or {}).get("details") or {}).get("messageList") or []
    if messages:
        rows = [[moment(m.get("ts")), about(m, task_id), message_line(m)] for m in messages]
        parts += [Text(), table(["when (UTC)", "about", "message"], rows)]
    nodes = sorted(map(node_progress, client.tasks(parent=task_id)), key=lambda node: node.name)
    if nodes:
        states = ([n.name, state(n), n.step, n.attempt or "", n.reason] for n in nodes)
        parts += [Text(), table(["node", "state", "step", "retries", "why"], states)]
    console().print(Group(*parts))


@task.command()
@click.argument("task_id", metavar="TASK")
@timeout_option
@interval_option
@output_option
@click.pass_context
def watch(ctx: click.Context, *, task_id: str, timeout: float | None, interval: float, output: str) -> None:
    """Follow a task until it ends; exits by its result like create --wait.

    On a terminal the progress is drawn in place, else each change of a node is a line. With -o json the finished task
    goes to stdout and the progress to stderr.
    """
    ctx.exit(watch_to_the_end(client_of(ctx), task_id, timeout=timeout, interval=interval, output=output))


@task.command()
@click.argument("task_id", metavar="TASK")
@output_option
@click.pass_context
def terminate(ctx: click.Context, *, task_id: str, output: str) -> None:
    """Stop a task and its subtasks: queued ones at once, running ones at their next step."""
    entry = client_of(ctx).terminate_task(task_id)
    if output == "json":
        print_json(entry)
        return
    click.echo(clean(f"Task {entry.get('task_id', task_id)} is {entry.get('status')}."))
