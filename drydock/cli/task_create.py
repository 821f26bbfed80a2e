"""``drydock task create`` and ``retry``: create tasks and follow them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import click

from drydock.cli.connection import client_of
from drydock.cli.options import (
    ACTION_NAMES,
    Following,
    design_ref_option,
    following_options,
    rollout_options,
    selection_options,
    task_argument,
)
from drydock.cli.output import is_data, print_data
from drydock.cli.references import find_design, find_task
from drydock.cli.scope import Choice, Wanted, expected_nodes


@click.command()
@click.option("-a", "--action", required=True, metavar="ACTION", help=f"What to do: {ACTION_NAMES}.")
@design_ref_option
@selection_options
@click.option("--force", is_flag=True, help="Include nodes that are deployed already: they are reinstalled.")
@rollout_options
@following_options
@click.pass_context
def create(
    ctx: click.Context,
    *,
    action: str,
    design_ref: str,
    choice: Choice,
    expect_nodes: int | None,
    all_nodes: bool,
    allow_empty: bool,
    force: bool,
    rollout: dict[str, Any] | None,
    following: Following,
) -> None:
    """Create a task on the nodes of a design.

    Without --node-name, --node-tag, --node-label and --rack it selects every node; different ones narrow the choice
    together. Destroying every node, or preparing or deploying every node with --force, asks for confirmation on a
    terminal, and needs --expect-nodes or --all-nodes elsewhere. With --wait the exit status is 0 for success, 3 for
    partial success, 1 for anything else; Ctrl-C stops the watching, not the task.

    \b
    Examples:
      drydock task create -a deploy_nodes -d latest --wait
      drydock task create -a destroy_nodes -d drydock://designs/DIGEST -n node03,node04
      drydock task create -a destroy_nodes -d drydock://designs/DIGEST --expect-nodes 12
      drydock task create -a deploy_nodes -d latest --waves 1,10%,100% --max-failed 2 --pause after_first
    """
    client = client_of(ctx)
    design_ref = find_design(client, design_ref)
    wanted = Wanted(action, design_ref, choice, force, expect_nodes, all_nodes, allow_empty)
    expected = expected_nodes(client, wanted)
    ask = partial(client.create_task, action, design_ref, node_filter=choice.node_filter, force=force)
    ask = partial(ask, expect_nodes=expected, all_nodes=all_nodes, rollout=rollout)
    follow(ctx, ask, following)


@click.command()
@task_argument
@rollout_options
@following_options
@click.pass_context
def retry(
    ctx: click.Context,
    *,
    task_id: str,
    rollout: dict[str, Any] | None,
    following: Following,
) -> None:
    """Create the same task again for the nodes that failed in a task, with the same design.

    Nodes that succeeded in a later task are left out. Of --waves, --max-failed and --pause, what is not given is as in
    that task. With --wait the exit status is as of create --wait.
    """
    client = client_of(ctx)
    found = find_task(client, task_id)
    follow(ctx, lambda: client.retry_task(found, rollout=rollout), following)


def follow(ctx: click.Context, ask: Callable[[], dict[str, Any]], following: Following) -> None:
    """Create a task, then show it, or its progress to the end."""
    made, output = ask(), following.output
    if following.wait:
        from drydock.cli.watching import watch_to_the_end  # takes long to load

        click.echo(f"Task {made['task_id']} is {made['status']}.", err=is_data(output))
        client, timeout, interval = client_of(ctx), following.timeout, following.interval
        ctx.exit(watch_to_the_end(client, made["task_id"], timeout=timeout, interval=interval, output=output))
    if is_data(output):
        print_data(made, output)
        return
    click.echo(f"Task {made['task_id']} is {made['status']}. Follow it with")
    click.echo(f"  drydock task watch {made['task_id']}")
