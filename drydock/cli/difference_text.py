"""A difference of designs for people, for a pull request, and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

import click

from drydock.cli.output import clean
from drydock.counting import counted
from drydock.plan.design_difference import DesignDifference, Group
from drydock.plan.difference import ABSENT, CHANGED, Change, shown

#: Characters of one value in a line; what is longer is cut.
MAX_VALUE = 120
#: Names of nodes in a line of text; all are in the other forms.
MAX_NAMES = 10
COLOURS = {"+": "green", "-": "red", "~": "yellow"}


def as_json(found: DesignDifference) -> dict[str, Any]:
    return {
        "summary": _counts(found),
        "added": list(found.added),
        "removed": list(found.removed),
        "groups": [
            {
                "nodes": list(group.nodes),
                "needs_deployment": group.needs_deployment,
                "changes": [change_json(change) for change in group.changes],
            }
            for group in found.groups
        ],
        "site": [change_json(change) for change in found.site],
    }


def change_json(change: Change) -> dict[str, Any]:
    """``old`` is not there for what is new, ``new`` not for what is gone. Of a secret: that it changed."""
    seen = shown(change)
    values = {"old": seen.old, "new": seen.new}
    return {"path": ".".join(seen.path), **{name: value for name, value in values.items() if value is not ABSENT}}


def as_text(found: DesignDifference, out: IO[str]) -> None:
    """Coloured where ``out`` is a terminal."""
    for title, sign, lines in _parts(found):
        click.secho(clean(title), bold=True, fg=COLOURS.get(sign), file=out)
        for mark, line in lines:
            click.secho(f"  {mark} {clean(line)}", fg=COLOURS[mark], file=out)
        click.echo(file=out)
    click.echo(summary(found), file=out)


def as_markdown(found: DesignDifference) -> str:
    made = [f"**{summary(found)}**", ""]
    if found.site:
        made += ["### Site", "", *_fence(change_line(change) for change in found.site)]
    for group in found.groups:
        then = "" if group.needs_deployment else ", none to deploy again"
        title = f"### {counted(len(group.nodes), 'node')} changed{then}"
        made += [title, "", *_names(group.nodes), *_fence(change_line(change) for change in group.changes)]
    for word, names in (("added", found.added), ("removed", found.removed)):
        if names:
            made += [f"### {counted(len(names), 'node')} {word}", "", *_names(names)]
    return "\n".join(made)


def summary(found: DesignDifference) -> str:
    """One line: how many nodes are added, removed, changed and to be deployed again."""
    if found.empty:
        return "No changes."
    counts = [f"{number} {word.replace('_', ' ')}" for word, number in _counts(found).items() if number]
    site = f" Site: {len(found.site)} changed." if found.site else ""
    return f"Nodes: {', '.join(counts) or 'none'}.{site}"


def _counts(found: DesignDifference) -> dict[str, int]:
    return {
        "added": len(found.added),
        "removed": len(found.removed),
        "changed": sum(len(group.nodes) for group in found.groups),
        "to_deploy_again": sum(len(group.nodes) for group in found.groups if group.needs_deployment),
        "unchanged": found.unchanged,
    }


def change_line(change: Change) -> tuple[str, str]:
    """A sign (``+``, ``-`` or ``~``) and the rest of the line."""
    seen = shown(change)
    path = ".".join(seen.path)
    if seen.old == seen.new == CHANGED:
        return "~", f"{path}: {CHANGED}"
    if seen.old is ABSENT:
        return "+", f"{path}: {_value(seen.new)}"
    if seen.new is ABSENT:
        return "-", f"{path}: {_value(seen.old)}"
    return "~", f"{path}: {_value(seen.old)} -> {_value(seen.new)}"


def _parts(found: DesignDifference) -> Iterator[tuple[str, str, Sequence[tuple[str, str]]]]:
    if found.site:
        yield "Site", "", [change_line(change) for change in found.site]
    for group in found.groups:
        yield _title(group), "", [change_line(change) for change in group.changes]
    if found.added:
        yield f"{counted(len(found.added), 'node')} added: {_listed(found.added)}", "+", ()
    if found.removed:
        yield f"{counted(len(found.removed), 'node')} removed: {_listed(found.removed)}", "-", ()


def _title(group: Group) -> str:
    then = "to deploy again" if group.needs_deployment else "no deployment needed"
    return f"{counted(len(group.nodes), 'node')} ({then}): {_listed(group.nodes)}"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MAX_NAMES
    return ", ".join(names[:MAX_NAMES]) + (f" and {more} more" if more > 0 else "")


def _names(names: Sequence[str]) -> list[str]:
    every = _escaped(", ".join(names))
    if len(names) <= MAX_NAMES:
        return [every, ""]
    return [f"<details><summary>{_escaped(_listed(names))}</summary>", "", every, "", "</details>", ""]


def _fence(lines: Iterable[tuple[str, str]]) -> list[str]:
    """A diff block. A line of it cannot end the block, as each begins with its sign."""
    return ["```diff", *(f"{'!' if sign == '~' else sign} {clean(line)}" for sign, line in lines), "```", ""]


def _escaped(text: str) -> str:
    return "".join(f"\\{char}" if char in "\\`*_{}[]<>()#!|&" else char for char in clean(text))


def _value(value: Any) -> str:
    text = value if isinstance(value, str) and value and "\n" not in value else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_VALUE else f"{text[: MAX_VALUE - 1]}…"
