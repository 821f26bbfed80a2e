"""How far a node is, in steps. Only for display: a step that is not known here is shown by its name alone."""

from __future__ import annotations

from collections.abc import Iterable

from drydock.client import NodeProgress
from drydock.model.actions import NODE_STEPS


def steps_done(node: NodeProgress) -> tuple[int, int]:
    """Steps behind it, and steps in all; (0 or 1, 1) where the steps are not known."""
    steps = NODE_STEPS.get(node.action, ())
    if node.finished and not node.failed:
        return (len(steps) or 1, len(steps) or 1)
    return (steps.index(node.step), len(steps)) if node.step in steps else (0, len(steps) or 1)


def fraction_done(nodes: Iterable[NodeProgress]) -> float:
    """Of all steps of all nodes, how many are behind: 0 to 1. A node that has ended, however, has none left."""
    shares = [1.0 if node.finished else done / total for node in nodes for done, total in (steps_done(node),)]
    return sum(shares) / len(shares) if shares else 0.0


def fraction_text(node: NodeProgress) -> str:
    """``3/8``, or nothing for an action whose steps are not known."""
    done, total = steps_done(node)
    return f"{done}/{total}" if node.action in NODE_STEPS else ""
