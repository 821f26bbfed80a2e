"""Finds tasks, designs and plans by the beginning of their ids, or by ``latest``."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drydock.cli.output import clean, moment

if TYPE_CHECKING:
    from drydock.client import DrydockClient

LATEST = "latest"
#: Minimum digits of an abbreviated id; fewer are more likely a mistake.
SHORTEST = 4
#: Maximum number of candidates listed for an ambiguous abbreviation.
LISTED = 10
DESIGN_SCHEME = "drydock://designs/"


def find_task(client: DrydockClient, text: str) -> str:
    """The id of the task that ``text`` names. Other text is returned unchanged, for the server to refuse."""
    if text == LATEST:
        newest = next(client.tasks(newest_first=True, subtasks=False, page_size=1), None)
        if newest is None:
            raise click.ClickException("there are no tasks yet")
        return str(newest["task_id"])
    if not re.fullmatch(r"[0-9a-fA-F-]{1,35}", text):
        return text
    if len(text) < SHORTEST:
        raise click.UsageError(f"{text} is too short: give at least {SHORTEST} characters of an id")
    found = list(islice(client.tasks(id_prefix=text, newest_first=True, page_size=LISTED + 1), LISTED + 1))
    if not found:
        raise click.ClickException(f"there is no task whose id begins with {text}; drydock task list shows the newest")
    if len(found) > 1:
        raise click.UsageError(_which(text, [_line_of(task) for task in found]))
    return str(found[0]["task_id"])


def find_design(client: DrydockClient, text: str) -> str:
    """The reference that ``text`` names: a digest, the beginning of one, ``latest``, or a reference."""
    given = text.removeprefix(DESIGN_SCHEME)
    if given == LATEST:
        designs = sorted(client.list_designs(), key=lambda design: str(design.get("created") or ""))
        if not designs:
            raise click.ClickException("no design is stored; drydock design upload FILE stores one")
        return str(designs[-1]["design_ref"])
    if re.fullmatch(r"[0-9a-fA-F]{64}", given):
        return DESIGN_SCHEME + given.lower()
    if not re.fullmatch(rf"[0-9a-fA-F]{{{SHORTEST},63}}", given):
        if "://" not in text and Path(text).exists():
            raise click.UsageError(f"{text} is a file: drydock design upload {text} makes a design of it")
        return text
    found = [design for design in client.list_designs() if str(design.get("digest")).startswith(given.lower())]
    if not found:
        raise click.ClickException(f"no stored design's digest begins with {given}; drydock design list shows them")
    if len(found) > 1:
        raise click.UsageError(_which(given, [f"{d.get('digest')}  {moment(d.get('created'))}" for d in found]))
    return str(found[0]["design_ref"])


def find_plan(client: DrydockClient, text: str) -> dict[str, Any]:
    """The plan that ``text`` names: an id, the beginning of one of the newest, or ``latest``."""
    if re.fullmatch("[0-9a-fA-F]{64}", text):
        return client.get_plan(text.lower())
    if text != LATEST and not re.fullmatch(rf"[0-9a-fA-F]{{{SHORTEST},63}}", text):
        raise click.UsageError(f'"{text}" names no plan: give its id, at least {SHORTEST} hexadecimal digits of it')
    plans = client.plans()
    if text == LATEST:
        if not plans:
            raise click.ClickException("there is no plan; make one with drydock plan create")
        return plans[0]
    found = [plan for plan in plans if str(plan["plan_id"]).startswith(text.lower())]
    if not found:
        raise click.ClickException(
            f"no plan's id begins with {text}; drydock plan list shows the newest, an older one needs its whole id"
        )
    if len(found) > 1:
        raise click.UsageError(_which(text, [f"{plan['plan_id']}  {moment(plan['created'])}" for plan in found]))
    return found[0]


def _line_of(task: dict[str, Any]) -> str:
    words = (task["task_id"], task.get("action"), task.get("node"), task.get("status"), moment(task.get("created")))
    return "  ".join(str(word) for word in words if word)


def _which(text: str, found: list[str]) -> str:
    more = f"\n  and more: give more than {len(text)} characters" if len(found) > LISTED else ""
    lines = "".join(f"\n  {clean(line)}" for line in found[:LISTED])
    return f"{text} is ambiguous; it may be{lines}{more}"
