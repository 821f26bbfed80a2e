"""The guard: what destroys a whole site, or goes ahead with force on it, says how many nodes that is.

The API refuses what is for every node of the design, by whatever filter, and what is for another number of nodes than
the request says. Where it cannot read the design, this is found out when the task's nodes are chosen: the task fails
then, before any of them is touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from drydock.counting import counted
from drydock.errors import InvalidInput, ScopeUnconfirmed, UnexpectedNodeCount
from drydock.model.actions import ACTIONS
from drydock.model.node_filter import parse_node_filter
from drydock.model.task import NewTask, Task

#: Names of nodes in a sentence.
LISTED = 10


def guarded(task: Task | NewTask) -> bool:
    """Whether it takes from machines what is on them."""
    row = ACTIONS.get(task.action)
    return row is not None and (row.wipes or (task.force and row.wipes_with_force))


def admitted(new: NewTask, *, guard: bool) -> NewTask:
    """The request as it is kept: without the guard, one that does not say its size is let go ahead.

    Raises ``ScopeUnconfirmed``, and ``InvalidInput`` for a size of what has none.
    """
    row = ACTIONS[new.action]
    if new.expect_nodes is not None and row.of_node is None and not row.in_waves:
        raise InvalidInput(f"is for actions on nodes; {new.action} is for the site", field="expect_nodes")
    if not guarded(new) or _confirmed(new):
        return new
    if not guard:
        return replace(new, all_nodes=None)
    node_filter = parse_node_filter(new.node_filter)
    if node_filter is None or node_filter.unlimited:
        raise ScopeUnconfirmed(f"{_verb(new)} is for every node of the design here; {_what_to_add('N, their number,')}")
    return new


def says_its_size(new: NewTask) -> bool:
    """Whether the number of its nodes decides on the request; that of a plan or of a retry is known otherwise."""
    if new.plan is not None or new.retry_of is not None:
        return False
    return new.expect_nodes is not None or asks_for_confirmation(new)


def asks_for_confirmation(task: Task | NewTask) -> bool:
    """Whether it is not to be for each node of a design as it is."""
    return guarded(task) and not _confirmed(task) and task.all_nodes is not None


def refusal(task: Task | NewTask, nodes: Sequence[str], total: int) -> UnexpectedNodeCount | ScopeUnconfirmed | None:
    """Why a task is not to work on ``nodes``, out of ``total`` in the design; None if it may.

    A filter that selects a single node is taken at its word, also where the design has no other.
    """
    if task.expect_nodes is not None and task.expect_nodes != len(nodes):
        scope = f"{counted(len(nodes), 'node is', 'nodes are')} in scope{first_names(nodes)}"
        return UnexpectedNodeCount(f"expect_nodes is {task.expect_nodes}, but {scope}; none was touched")
    if len(nodes) != total or total <= 1 or not asks_for_confirmation(task):
        return None
    return ScopeUnconfirmed(
        f"{_verb(task)} is for all {total} nodes of the design here{first_names(nodes)}; none was touched; "
        f"{_what_to_add(str(total))}"
    )


def unconfirmed(task: Task, nodes: Sequence[str], total: int) -> tuple[str, ...]:
    """The warning of a task that the guard would have refused."""
    if not guarded(task) or _confirmed(task) or task.all_nodes is False or len(nodes) < total:
        return ()
    return (
        f"{_verb(task)} is for every node of the design ({counted(total, 'node')}), and the request did not say "
        "so: [orchestrator] guard is off, or was when it came",
    )


def _confirmed(task: Task | NewTask) -> bool:
    return task.expect_nodes is not None or task.all_nodes is True


def _verb(task: Task | NewTask) -> str:
    return task.action if ACTIONS[task.action].wipes else f"{task.action} with force"


def _what_to_add(number: str) -> str:
    return (
        f'if that is meant, add "expect_nodes": {number} or "all_nodes": true (drydock: --expect-nodes or --all-nodes)'
    )


def first_names(nodes: Sequence[str]) -> str:
    """The first few, in brackets."""
    if not nodes:
        return ""
    more = f" and {len(nodes) - LISTED} more" if len(nodes) > LISTED else ""
    return f" ({', '.join(nodes[:LISTED])}{more})"
