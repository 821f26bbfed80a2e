"""``drydock plan ...``: what would be done to each node, and why, before anything is done; and doing it."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from drydock.cli.connection import client_of
from drydock.cli.options import Following, design_ref_option, following_options, rollout_options
from drydock.cli.output import console, is_data, moment, output_option, print_data
from drydock.cli.plan_text import print_plan
from drydock.cli.references import find_design, find_plan
from drydock.cli.scope import Choice, confirmed_changes
from drydock.cli.task_create import follow

#: Digits of a plan's id that are shown in a table.
SHORT = 12


@click.group()
def plan() -> None:
    """Plan what would be done to each node of a design, show why, and do it."""


@plan.command()
@design_ref_option
@click.option("-n", "--node-name", "names", metavar="NAME", multiple=True, help="Plan for this node only; repeatable.")
@click.option("--destroy-unlisted", is_flag=True, help="Destroy nodes that the design does not have.")
@output_option
@click.pass_context
def create(ctx: click.Context, *, design_ref: str, names: tuple[str, ...], destroy_unlisted: bool, output: str) -> None:
    """Compare a design with what each node runs, and show what would be done. No machine is changed.

    \b
    Examples:
      drydock plan create -d latest
      drydock plan create -d latest -n n01 -o json
    """
    client = client_of(ctx)
    made = client.create_plan(
        find_design(client, design_ref),
        node_filter=Choice(names=names).node_filter,
        destroy_unlisted=destroy_unlisted,
    )
    _show(ctx, made, output)


@plan.command()
@click.argument("plan_id", metavar="PLAN")
@output_option
@click.pass_context
def show(ctx: click.Context, *, plan_id: str, output: str) -> None:
    """Show a plan: blocked nodes first, then what is lost, then what is new; equal changes together; counts last.

    PLAN is its id, at least four digits of its beginning, or "latest".
    """
    _show(ctx, find_plan(client_of(ctx), plan_id), output)


@plan.command()
@click.argument("plan_id", metavar="PLAN")
@click.option(
    "--expect-nodes",
    type=click.IntRange(min=0),
    metavar="N",
    help="Refuse unless the plan changes N nodes; nothing is asked then.",
)
@click.option("--all-nodes", is_flag=True, help="Allow to redeploy or destroy every node of the site.")
@rollout_options
@following_options
@click.pass_context
def apply(
    ctx: click.Context,
    *,
    plan_id: str,
    expect_nodes: int | None,
    all_nodes: bool,
    rollout: dict[str, Any] | None,
    following: Following,
) -> None:
    """Do what a plan says, and nothing else. It is refused if anything it rests on has changed since.

    PLAN is its id, at least four digits of its beginning, or "latest". Without --expect-nodes and --all-nodes a
    terminal shows which nodes are redeployed or destroyed, and asks whether to continue. With --wait the exit status is
    as of task create --wait.

    \b
    Examples:
      drydock plan apply latest --wait
      drydock plan apply 4f1c --waves 1,25%,100% --max-failed 2 --expect-nodes 12
    """
    client = client_of(ctx)
    found = find_plan(client, plan_id)
    if expect_nodes is None and not all_nodes:
        expect_nodes = confirmed_changes(client, found)
    # "latest" may be another one than was shown.
    click.echo(f"Applying plan {found['plan_id']}.", err=is_data(following.output))
    ask = partial(client.apply_plan, found["plan_id"], expect_nodes=expect_nodes, all_nodes=all_nodes, rollout=rollout)
    follow(ctx, ask, following)


@plan.command("list")
@output_option
@click.pass_context
def list_plans(ctx: click.Context, *, output: str) -> None:
    """List the newest plans."""
    found = client_of(ctx).plans()
    if is_data(output):
        print_data(found, output)
        return
    from drydock.cli.tables import Column, Table  # takes long to load

    columns = [
        Column("plan"),
        Column("created", 2),
        Column("by", 3),
        Column("design", 1),
        Column("nodes"),
        Column("applied by", 4),
    ]
    rows = [
        [
            each["plan_id"] if output == "wide" else each["plan_id"][:SHORT],
            moment(each["created"]),
            each["created_by"],
            each["design_digest"][:SHORT],
            ", ".join(f"{number} {decision}" for decision, number in each["counts"].items() if number),
            (each.get("applied_by") or "")[: None if output == "wide" else 8],
        ]
        for each in found
    ]
    console(wide=output == "wide").print(Table(columns, rows), crop=False)


def _show(ctx: click.Context, plan: dict[str, Any], output: str) -> None:
    nodes = client_of(ctx).plan_nodes(plan["plan_id"])
    if is_data(output):
        print_data({**plan, "nodes": list(nodes)}, output)
    else:
        print_plan(plan, nodes)
